"""Real programs under real probes in two variants: the comparison names what was changed.

Whatever the machine does meanwhile, what it names is the change that was made, and of two equal
runs it claims nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.recordings.made_runs import run_of

from perftui.probes.compare.comparison import Comparison, compare
from perftui.probes.compare.headline import headline, top_imports
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions, RecordOptions
from perftui.tui.commands import compare as command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

PROGRAM = """
import sys, time, perftui
VARIANT = sys.argv[1]

def parse(rounds):
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total

def merge(rounds):
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total

def keep(size):
    kept = []
    for _ in range(size):
        kept.append(bytearray(b"x" * 1_000_000))
        time.sleep(0.005)  # in what is over at once a busy machine takes no sample
    return kept

with perftui.phase("load"):
    if VARIANT == "import":
        import xml.dom.minidom
    kept = keep(160 if VARIANT == "memory" else 80)
with perftui.phase("work"):
    for _ in range(6):
        with perftui.call("batch"):
            parse(6_000_000 if VARIANT == "slow" else 2_000_000)
            merge(2_000_000)
        perftui.count("rows", 1000)
"""


def record(folder: Path, variant: str, number: int = 0) -> Path:
    script = folder / "program.py"
    if not script.exists():
        script.write_text(PROGRAM)
    path = folder / f"{variant}{number}.perftui"
    session = Session.launch(
        [sys.executable, str(script), variant],
        "program.py",
        ProbeOptions(),
        behind_screen=True,
        record=RecordOptions(directory=path),
    )
    assert session.wait(120)
    session.close()
    return path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


def against_plain(shelf: Path, variant: str) -> Comparison:
    base = shelf / "plain0.perftui"
    if not base.exists():
        record(shelf, "plain")
    return compare([run_of(base)], [run_of(record(shelf, variant))])


def test_a_slower_function_is_named(shelf: Path) -> None:
    comparison = against_plain(shelf, "slow")
    gained = [row for row in comparison.functions.rows if row.word == "gained"]
    assert gained[0].function == "parse"
    assert not gained[0].waited
    assert gained[0].new.self_cpu_s > 2 * gained[0].base.self_cpu_s
    assert [row.function for row in gained if not row.waited] == ["parse"]
    cpu = comparison.figure("phase:work.cpu")
    assert cpu is not None
    assert cpu.direction == "worse"
    assert not top_imports(comparison, new=True)


def test_a_new_import_is_named(shelf: Path) -> None:
    comparison = against_plain(shelf, "import")
    assert [row.module for row in top_imports(comparison, new=True)] == ["xml.dom.minidom"]
    assert "new imports: xml.dom.minidom" in headline(comparison).reasons
    assert not top_imports(comparison, new=False)


def test_memory_that_doubled_is_named(shelf: Path) -> None:
    comparison = against_plain(shelf, "memory")
    growth = comparison.figure("growth")
    assert growth is not None
    assert growth.ratio == pytest.approx(1.0, abs=0.25)  # the first reading may come late
    grown = max(comparison.functions.rows, key=lambda row: row.bytes)
    assert grown.function == "keep"
    assert grown.memory == "gained"
    base, new = shelf / "plain0.perftui", shelf / "memory0.perftui"
    assert command_line(base, new, "--fail-on", "peak_rss>+10%") == 1
    assert command_line(new, base, "--fail-on", "peak_rss>+10%") == 0


def test_equal_runs_get_no_confident_claim(shelf: Path) -> None:
    comparison = against_plain(shelf, "plain2")
    told = headline(comparison)
    assert told.word == "no verdict"
    assert "cannot separate noise from change" in told.text
    assert all(figure.verdict() is None for figure in comparison.figures)
    assert not [row for row in comparison.functions.rows if row.sure]
    worked = {row.function for row in comparison.functions.rows if row.word and not row.waited}
    assert not worked & {"parse", "merge"}
    assert not top_imports(comparison, new=True)
    peak = comparison.figure("peak_rss")
    assert peak is not None
    assert not peak.is_change


def test_three_runs_a_side_get_a_verdict_that_is_right(shelf: Path) -> None:
    sides: dict[str, list[Path]] = {"plain": [], "memory": []}
    for number in range(1, 4):  # in turns, so that a drift of the machine hits both
        for variant, paths in sides.items():
            paths.append(record(shelf, variant, number))
    base, new = sides["plain"], sides["memory"]
    comparison = compare([run_of(p) for p in base], [run_of(p) for p in new])
    peak = comparison.figure("peak_rss")
    assert peak is not None
    assert peak.verdict() == "regressed"
    assert not any("drift" in warning for warning in comparison.warnings)
    one, other = (",".join(map(str, paths)) for paths in (base, new))
    assert command_line(one, other, "--fail-on", "growth>+50%") == 1
    assert command_line(other, one, "--fail-on", "growth>+10%", "--strict") == 0


def command_line(*words: object) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["compare", *map(str, words), "--json", "-o", "/dev/null"])
    code: int = args.run(args)
    return code
