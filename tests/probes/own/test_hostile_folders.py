"""Files with the names of our modules, wherever a Python might look: none of them is ever run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from perftui.probes.own.python import code_for_others, module_for_others, own_module

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSOLE = [str(Path(sys.executable).with_name("perftui"))]
ISOLATED = [sys.executable, "-I", "-m", "perftui"]
NAMES = (
    *("json", "typing", "argparse", "dataclasses", "subprocess", "threading", "pathlib", "signal"),
    *("selectors", "struct", "tempfile", "logging", "traceback", "importlib_metadata", "runpy"),
    *("pyarrow", "psutil", "duckdb", "textual", "rich", "numpy", "pandas", "uplot", "perftui"),
    *("__future__", "contextlib", "functools", "collections", "enum", "socket", "zipfile"),
)
WORK = (
    "import time\nend = time.process_time() + %s\n"
    "while time.process_time() < end: sum(range(999))\n"
)


class Trap(NamedTuple):
    folder: Path
    marker: Path
    env: dict[str, str]

    def run(self, perftui: list[str], *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*perftui, *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )

    def sprung(self) -> str:
        return self.marker.read_text() if self.marker.exists() else ""


def set_trap(folder: Path, marker: Path, names: tuple[str, ...] = NAMES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.py").write_text(
            f"open({str(marker)!r}, 'a').write('{name} ')\nraise SystemExit('sprung: {name}')\n"
        )


@pytest.fixture(
    params=[
        "current directory",
        pytest.param("PYTHONPATH", marks=pytest.mark.live),
        "PYTHONPATH, everything",
    ]
)
def trap(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Trap, list[str]]:
    """A folder to stand in, and how to start perftui there."""
    home = tmp_path / "home"
    home.mkdir()
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
    }
    folder, marker = tmp_path / "trap", tmp_path / "marker"
    how = request.param
    if how == "current directory":
        set_trap(folder, marker)
        return Trap(folder, marker, env), CONSOLE
    empty = tmp_path / "empty"
    empty.mkdir()
    # With a `perftui.py` on it, PYTHONPATH decides what `perftui` is before we are there.
    names = NAMES if how.endswith("everything") else tuple(set(NAMES) - {"perftui", "runpy"})
    set_trap(folder, marker, names)
    env |= {"PYTHONPATH": f"{folder}:", "PYTHONUSERBASE": str(tmp_path / "base")}
    set_trap(
        tmp_path
        / f"base/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages",
        marker,
    )
    return Trap(empty, marker, env), ISOLATED if how.endswith("everything") else CONSOLE


def test_every_command(trap: tuple[Trap, list[str]], tmp_path: Path) -> None:
    where, perftui = trap
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    job = elsewhere / "job.py"
    job.write_text(
        "import perftui\nwith perftui.phase('p'):\n    " + (WORK % 1.5).replace("\n", "\n    ")
    )
    # Its own `import perftui` is the program's business: from here, ours.
    target = [sys.executable, "-I", str(job)] if "PYTHONPATH" in where.env else [str(job)]
    recording = tmp_path / "it.perftui"
    ran = where.run(perftui, "run", "--headless", "--record", str(recording), "--", *target)
    assert ran.returncode == 0, ran.stderr
    assert where.sprung() == ""
    summary = where.run(perftui, "summary", str(recording), "--json")
    told = json.loads(summary.stdout)
    assert told["stacks"]["samples"] > 0
    assert told["duration_s"] > 1
    for words in (
        ("export", str(recording), "--format", "chrome-trace", "-o", str(tmp_path / "out.json")),
        ("query", str(recording), "SELECT count(*) FROM metrics"),
        ("pack", str(recording)),
        ("list", "scenarios"),
        ("run", "--headless", "--no-record", "import-cost", "-p", "package=decimal"),
    ):
        done = where.run(perftui, *words)
        assert done.returncode == 0, (words, done.stderr)
        assert where.sprung() == "", words


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    job = tmp_path / "running.py"
    job.write_text(WORK % 60)
    with subprocess.Popen([sys.executable, "-I", str(job)]) as process:
        yield process
        process.kill()


def test_attach(trap: tuple[Trap, list[str]], running: subprocess.Popen[bytes]) -> None:
    where, perftui = trap
    recording = where.folder / "it.perftui"
    words = ("--headless", "--duration", "2", "--record", str(recording))
    done = where.run(perftui, "attach", *words, str(running.pid))
    assert done.returncode == 0, done.stderr
    assert where.sprung() == ""
    rows = where.run(perftui, "query", str(recording), "SELECT count(*) > 0 AS n FROM metrics")
    assert "true" in rows.stdout.lower(), rows.stderr
    assert where.sprung() == ""


@pytest.mark.live
def test_a_scenario_that_starts_workers(trap: tuple[Trap, list[str]]) -> None:
    where, perftui = trap
    few = ("engines=pyarrow", "repeats=1", "queries=3", "rows=1000")
    params = [word for param in few for word in ("-p", param)]
    done = where.run(perftui, "run", "--headless", "--no-record", "cold-start", *params)
    assert done.returncode == 0, done.stderr
    assert where.sprung() == ""


def test_python_m_and_what_it_starts(tmp_path: Path) -> None:
    """With -m the interpreter itself looks here before us; what we import and start does not."""
    set_trap(tmp_path, tmp_path / "marker", ("json", "typing", "argparse", "pyarrow", "psutil"))
    env = {**os.environ, "HOME": str(tmp_path)}
    where = Trap(tmp_path, tmp_path / "marker", env)
    perftui = [sys.executable, "-m", "perftui"]
    done = where.run(perftui, "run", "--headless", "--record", "r.perftui", "--", "sleep", "1.5")
    assert done.returncode == 0, done.stderr
    assert where.run(perftui, "summary", "r.perftui").returncode == 0
    assert where.sprung() == ""


def test_the_users_own_site_folder(tmp_path: Path) -> None:
    """An interpreter that looks there: a virtual environment does not."""
    base: str = getattr(sys, "_base_executable", sys.executable)
    folder = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    site = tmp_path / "base" / folder
    set_trap(site, tmp_path / "marker", ("perftui", "psutil", "mine"))
    env = {**os.environ, "PYTHONUSERBASE": str(tmp_path / "base")}
    asked = [base, "-c", "import site; print(site.ENABLE_USER_SITE)"]
    enabled = subprocess.run(asked, env=env, capture_output=True, text=True).stdout
    if enabled.strip() != "True":
        pytest.skip("this interpreter has no user site folder")
    (tmp_path / "f.py").write_text("def go():\n    import sys\n    print(sys.path)\n")
    argv = module_for_others(base, "perftui.scenarios.run.child", f"{tmp_path}/f.py:go")
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert str(site) in done.stdout, (done.stderr, "the person's code sees its own path")
    assert not (tmp_path / "marker").exists()


PROJECT = {
    "json.py": "mine = 'json of the project'",
    "typing.py": "mine = 'typing of the project'",
    "neighbour.py": "import json\nsaid = json.mine",
    "load.py": (
        "import json, sys, typing\nimport neighbour\n"
        "def go(n: int = 1):\n"
        "    'Say it.'\n"
        "    print(json.mine, '|', typing.mine, '|', neighbour.said, '|', sys.path[0])\n"
        "    if n == 2: raise ValueError('of mine')\n"
        "def fail(code: str):\n"
        "    exec(code, {})\n"
    ),
}
WAYS_TO_FAIL = {
    "None.nothing": "AttributeError",
    "retrun = 1; print(retrnu)": "NameError",
    "import sys; sys.pathh": "AttributeError",
    "from neighbour import sayd": "ImportError",
    "import neighbuor": "ModuleNotFoundError",
    "print 'x'": "SyntaxError",
    "fro neighbour import said": "SyntaxError",
    "x = (1 +\n": "SyntaxError",
    "raise ExceptionGroup('both', [ValueError('\u00e9'), OSError(2, 'of mine')])": "ExceptionGroup",
    "def f(): f()\nf()": "RecursionError",
}
TELL_EACH = """
import sys
from perftui.probes.own.path import take_out
take_out()
from perftui.scenarios.run import child
fail = child.load_function("load.py", "fail")
for code in sys.argv[1:]:
    assert child._once("load.py:fail", fail, {"code": code}) == 1
import json, neighbour
assert json.mine == "json of the project"
assert sys.path[0] == neighbour.__file__.rpartition("/")[0], sys.path
try:
    import traceback
except SystemExit as sprung:
    print(sprung)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in PROJECT.items():
        (folder / name).write_text(text)
    bare = [sys.executable, "-c", "import sys; print(*sys.modules)"]
    loaded = subprocess.run(bare, capture_output=True, text=True).stdout.split()
    # All of the standard library that the project's own files do not ask for.
    unasked = set(sys.stdlib_module_names) - {"json", "typing", *loaded}
    set_trap(folder, tmp_path / "marker", tuple(unasked))
    return folder


def test_a_function_of_a_project_sees_the_modules_of_the_project(project: Path) -> None:
    argv = [*CONSOLE, "run", "--headless", "--no-record", "load.py:go"]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = f"json of the project | typing of the project | json of the project | {project}\n"
    assert done.stdout == said


def test_a_function_that_fails_is_told_without_the_projects_modules(
    project: Path, tmp_path: Path
) -> None:
    argv = module_for_others(sys.executable, "perftui.scenarios.run.child", "load.py:go", "n=2")
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ValueError: of mine" in done.stderr and "load.py:go failed" in done.stderr
    asked = subprocess.run([*argv[:-1], "nn=2"], cwd=project, capture_output=True, text=True)
    assert asked.returncode == 2 and "did you mean n?" in asked.stderr  # difflib is asked for that
    assert not (tmp_path / "marker").exists()


def test_whatever_fails_is_told_without_the_projects_modules(project: Path, tmp_path: Path) -> None:
    """Each version of the interpreter imports more to tell an error; the next run finds its own."""
    argv = [*code_for_others(TELL_EACH), *WAYS_TO_FAIL]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("perftui: ")]
    for line, error in zip(told, WAYS_TO_FAIL.values(), strict=True):
        assert line.startswith(f"perftui: load.py:fail failed: {error}:")
    assert done.stdout == "sprung: traceback\n", done.stderr
    assert (tmp_path / "marker").read_text() == "traceback "


def test_a_package_beside_is_measured_when_it_is_named(tmp_path: Path) -> None:
    set_trap(tmp_path, tmp_path / "marker", ("decimal", "json"))
    (tmp_path / "mine.py").write_text("import fractions\n")
    argv = [*CONSOLE, "run", "--headless", "--no-record", "import-cost", "-p"]
    done = subprocess.run([*argv, "package=mine"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "in a fresh process" in done.stdout
    assert not (tmp_path / "marker").exists()
    done = subprocess.run([*argv, "package=nosuch"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "no module nosuch" in done.stderr


def test_a_module_of_ours_has_nothing_else_on_its_path(tmp_path: Path) -> None:
    assert own_module("perftui", "--version")[1] == "-I"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    argv = own_module("perftui", "--version")
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.startswith("perftui "), done.stderr
