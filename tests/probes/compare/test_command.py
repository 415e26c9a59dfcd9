"""`perftui compare` as a person types it."""

from __future__ import annotations

import argparse
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from support.recordings.made_runs import MB, make

from perftui.tui.commands import compare
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\x1b[31mevil\x1b[0m<script>‮|`\n# head"


def perftui(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    compare.add_parser(parser.add_subparsers())
    args = parser.parse_args(["compare", *map(str, words)])
    code: int = args.run(args)
    return code


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    make(folder / "before.perftui")
    make(folder / "same.perftui", seed=2)
    shares = {"parse": 20 / 30, "merge": 6 / 30, HOSTILE: 4 / 30}
    imports = [("json", None, 0.02), ("pandas", None, 0.4)]
    make(folder / "after.perftui", seconds=30, shares=shares, imports=imports, peak=200 * MB)
    return folder


def two(shelf: Path, name: str = "after") -> tuple[Path, Path]:
    return shelf / "before.perftui", shelf / f"{name}.perftui"


def test_text_tells_what_changed_first(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert perftui(*two(shelf), "--headless") == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert lines[0] == "base  before  (20.0 s)"
    assert lines[3].startswith("no verdict: one run each: cannot separate noise from change;")
    assert "  parse (job.py) gained 10.0 s of its own, +16.7 points of the time" in lines
    assert "  new imports: pandas" in lines
    duration = next(line for line in lines if line.startswith("  duration"))
    assert duration.split() == [
        "duration",
        "20.0",
        "s",
        "30.0",
        "s",
        "+10.0",
        "s",
        "+50.0",
        "%",
        "worse",
    ]
    assert "\x1b" not in text
    assert "‮" not in text


def test_equal_runs_have_nothing_to_tell(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert perftui(*two(shelf, "same"), "--headless") == 0
    text = capsys.readouterr().out
    assert "the figures are alike" in text
    assert "no function stands out" in text
    assert not [word for word in text.split() if word in ("worse", "better", "regressed")]


def test_json_on_stdout_and_in_a_file(
    shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perftui(*two(shelf), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    out = tmp_path / "diff.json"
    assert perftui(*two(shelf), "-o", out) == 0
    assert json.loads(out.read_text()) == told
    assert not capsys.readouterr().out


def test_rules_set_the_exit_code(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert perftui(*two(shelf), "--fail-on", "peak_rss>+10%,duration>+90%") == 1
    text = capsys.readouterr().out
    assert "  broken: peak_rss>+10%: 100 MB → 200 MB, +100 %, one run each" in text
    assert "  fine: duration>+90%" in text
    assert perftui(*two(shelf), "--fail-on", "peak_rss>+150%", "--fail-on", "cpu>9min") == 0
    assert perftui(*two(shelf, "same"), "--fail-on", "cpu>+5%", "--strict") == 3
    with pytest.raises(UserError, match=r"no metric 'rss'.*there are duration"):
        perftui(*two(shelf), "--fail-on", "rss>+5%")
    with pytest.raises(UserError, match="is not a rule"):
        perftui(*two(shelf), "--fail-on", "peak_rss")


def test_a_phase(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert perftui(*two(shelf), "--phase", "work#2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["phase"] == "work#2"
    assert told["metrics"][0]["base"] == 5
    with pytest.raises(UserError, match="all have: load, work, work#2"):
        perftui(*two(shelf), "--phase", "wrok")


def test_bad_input(shelf: Path, tmp_path: Path) -> None:
    base = shelf / "before.perftui"
    with pytest.raises(UserError, match="before is there twice: give two"):
        perftui(base, base)
    copy = tmp_path / "copy.perftui"
    shutil.copytree(base, copy)
    with pytest.raises(UserError, match=r"copy is there twice \(as before\)"):
        perftui(base, copy)
    with pytest.raises(UserError, match="there is no recording"):
        perftui(base, "no-such-thing")
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(UserError, match="not a recording"):
        perftui(base, tmp_path / "text.txt")
    meta = json.loads((copy / "meta.json").read_text())
    (copy / "meta.json").write_text(json.dumps({**meta, "version": [9, 0]}))
    with pytest.raises(UserError, match="this perftui reads"):
        perftui(base, copy)
    with pytest.raises(UserError, match="contradict"):
        perftui(*two(shelf), "--json", "--format", "text")
    with pytest.raises(UserError, match="cannot write"):
        perftui(*two(shelf), "-o", tmp_path / "no" / "where.txt")


def test_no_stacks_on_one_side_compares_the_rest(
    shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = make(tmp_path / "bare.perftui", stacks=False, peak=300 * MB)
    assert perftui(shelf / "before.perftui", bare, "--headless") == 0
    text = capsys.readouterr().out
    assert "bare has no stacks here: functions cannot be compared" in text
    assert "+200 %" in text


def test_an_interrupted_recording_is_compared_as_far_as_it_goes(
    shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = make(tmp_path / "torn.perftui", seconds=10, close=False)
    meta = torn / "meta.json"
    told = json.loads(meta.read_text())
    told["recorder"]["start"] = "another process of that number"
    meta.write_text(json.dumps(told))
    assert perftui(shelf / "before.perftui", torn, "--headless") == 0
    assert "! torn: interrupted, reason unknown" in capsys.readouterr().out
