"""`perftui matrix` with a real package in three releases, which no index is asked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import wait_for
from support.wheelhouse import build, environment_variables

from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = """
def work():
    import widget
    print(widget.work())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program, the wheels and a shelf."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "load.py").write_text(FUNCTION)
    (folder / "wheels").mkdir()
    build(folder / "wheels")
    return folder


def environment(folder: Path) -> dict[str, str]:
    own = environment_variables(folder / "wheels")
    return {**os.environ, **own, "PERFTUI_CACHE": str(folder / "cache")}


def matrix(*words: str, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", "matrix", *words],
        capture_output=True,
        text=True,
        timeout=110,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=environment(folder),
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def leaves(part: dict[str, Any]) -> float:
    return sum(map(leaves, part["parts"])) if part["parts"] else float(part["seconds"])


def test_two_releases_are_run_and_told_apart(folder: Path) -> None:
    words = ("load.py:work", "--package", "widget", "--versions", "1.1,9.9,2.0")
    done = matrix(*words, "--runs", "1", "--calls", "2", "--json", "out.json", folder=folder)
    told = json.loads((folder / "out.json").read_text())
    old, none, new = told["versions"]
    assert [v["installed"] for v in told["versions"]] == [{"widget": "1.1"}, {}, {"widget": "2.0"}]
    assert none["environment"] is None
    assert none["failed"].startswith("cannot install widget==9.9: ")
    for version in (old, new):
        assert [run["failed"] for run in version["runs"]] == [None, None]
        assert not version["environment"]["kept"]
        # The environment and all processes, to the last second.
        assert leaves(version["breakdown"]) == pytest.approx(version["breakdown"]["seconds"])
        assert {part["name"] for part in version["breakdown"]["parts"]} == {
            *("environment", "processes")
        }
        assert version["figures"]["first_modules"]["median"] >= 2  # widget and colorsys
    grown = new["figures"]["peak_rss"]["median"] - old["figures"]["peak_rss"]["median"]
    assert grown > 60e6  # two calls keep 40 MB each
    (step,) = told["steps"]
    assert (step["from"], step["to"], step["also_changed"]) == ("1.1", "2.0", [])
    assert "widget 9.9: cannot install" in done.stdout
    assert "where the seconds went" in done.stdout
    # Once more: nothing is installed, and what there is is listed, used, and goes.
    listed = matrix("--list", folder=folder).stdout
    assert "widget==1.1" in listed
    assert "widget==2.0" in listed
    assert "removed environments of" in matrix("--prune", folder=folder).stdout
    assert matrix("--list", folder=folder).stdout == "no environment is kept\n"


@pytest.mark.live
def test_a_jump_is_found_and_bisected(folder: Path) -> None:
    words = ("load.py:work", "--package", "widget", "--calls", "2", "--runs", "5")
    matrix(*words, "--versions", "1.0,1.1,2.0", "--json", "jump.json", folder=folder)
    told = json.loads((folder / "jump.json").read_text())
    jump = next(each for each in told["jumps"] if each["figure"] == "peak_rss")
    assert (jump["from"], jump["to"], jump["verdict"]) == ("1.1", "2.0", "regressed")
    again = ("--bisect", "peak_rss", "--offline", "--versions", "1.0,2.0", "--json", "found.json")
    done = matrix(*words, *again, folder=folder)
    found = json.loads((folder / "found.json").read_text())
    assert all(version["environment"]["kept"] for version in found["versions"])
    assert found["bisected"]["found"]
    assert (found["bisected"]["before"], found["bisected"]["after"]) == ("1.1", "2.0")
    assert done.stdout.startswith("peak RSS jumped from 1.1 to 2.0")


def test_interrupted_it_leaves_no_half_environment(folder: Path) -> None:
    tools, marker = folder / "tools", folder / "installing"
    tools.mkdir()
    (tools / "uv").write_text(
        f"#!{sys.executable}\nimport pathlib, sys, time\nfolder = pathlib.Path(sys.argv[-1])\n"
        "if sys.argv[1] == 'venv':\n    (folder / 'bin').mkdir(parents=True)\n    sys.exit()\n"
        f"pathlib.Path({str(marker)!r}).touch()\ntime.sleep(600)\n"
    )
    (tools / "uv").chmod(0o755)
    words = ("--package", "widget", "--versions", "1.0,1.1")
    process = subprocess.Popen(
        [sys.executable, "-m", "perftui", "matrix", "load.py:work", *words],
        cwd=folder,
        env={
            **environment(folder),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PERFTUI_CACHE": str(folder / "another"),
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: marker.exists() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    kept = folder / "another" / "environments"
    assert not [entry for entry in kept.iterdir() if entry.is_dir()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "matrix needs SCENARIO"),
        (["load.py:work"], "matrix needs --package"),
        (["load.py:work", "--package", "widget"], "matrix needs --versions"),
        (["no-such", "--package", "a", "--versions", "1"], "there is no scenario 'no-such'"),
        (["load.py:work", "--package", "a==1", "--versions", "1"], "takes the name"),
        (["load.py:work", "--package", "a", "--versions", "last:x"], "--versions takes"),
        (
            ["load.py:work", "--package", "a", "--versions", "1", "--python", "3.77"],
            "there is no Python 3.77 here",
        ),
        (
            ["load.py:work", "--package", "a", "--versions", "1,2,3", "--bisect"],
            "between two versions",
        ),
        (
            ["load.py:work", "--package", "nosuch", "--versions", "1.0"],
            "cannot install nosuch==1.0",
        ),
        (["--prune", "-1"], "not a number of days"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path,
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    code: object
    try:
        code = main(["matrix", *words])
    except SystemExit as leave:
        code = leave.code
    last = capsys.readouterr().err.splitlines()[-1]
    assert code == 2
    assert last.startswith("perftui")
    assert said in last
