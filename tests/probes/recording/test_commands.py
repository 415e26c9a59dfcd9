"""`perftui summary`, `query` and `pack` as a person types them."""

from __future__ import annotations

import argparse
import csv
import io
import json
import resource
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.enriched import feed
from support.recordings.made import make
from support.recordings.synthetic import TARGET

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write.writer import Recording
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.records import LogLine
from perftui.probes.summary import summarize
from perftui.tui.commands import query, summary
from perftui.tui.commands.whole import pack
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("commands") / "a.perftui", 25)


def perftui(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for command in (summary, query, pack):
        command.add_parser(commands)
    args = parser.parse_args([str(word) for word in words])
    code: int = args.run(args)
    return code


def out(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().out


def test_summary_is_that_of_the_session(recording: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert perftui("summary", recording, "--json") == 0
    assert json.loads(out(capfd)) == json.loads(json.dumps(summarize(open_recording(recording))))
    assert perftui("summary", recording) == 0
    text = out(capfd)
    assert text.startswith("perftui: exit code 3, 25.0 s")
    assert "self time" in text


def test_query_alone_says_what_there_is(recording: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert perftui("query", recording) == 0
    text = out(capfd)
    assert "top_self: functions by their own time" in text
    assert "rss_bytes (B)" in text
    assert text.count("SELECT") == 3


def test_formats(recording: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT t_s, stream, text FROM log ORDER BY t_s"
    perftui("query", recording, sql, "--format", "json")
    told = json.loads(out(capfd))
    assert len(told) == 25
    assert told[1] == {"t_s": 1.5, "stream": "stdout", "text": "line 1 ✓"}
    perftui("query", recording, sql, "--format", "csv", "--limit", "2")
    assert list(csv.reader(io.StringIO(out(capfd)))) == [
        ["t_s", "stream", "text"],
        ["0.5", "stderr", "line 0 ✓"],
        ["1.5", "stdout", "line 1 ✓"],
    ]
    perftui("query", recording, sql, "--limit", "1")
    head, rule, row = out(capfd).splitlines()
    assert head.split() == ["t_s", "stream", "text"]
    assert set(rule) == {"─", " "}
    assert row.split() == ["0.5", "stderr", "line", "0", "✓"]
    perftui("query", recording, sql, "-o", tmp_path / "log.parquet")
    assert pq.read_table(tmp_path / "log.parquet").num_rows == 25
    perftui("query", recording, sql, "-o", tmp_path / "log.arrow")
    with pa.ipc.open_stream(tmp_path / "log.arrow") as stream:
        assert stream.read_all().to_pylist() == told
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log.arrow", "log.parquet"]
    (tmp_path / "null").symlink_to("/dev/null")
    perftui("query", recording, sql, "-o", tmp_path / "null")
    assert (tmp_path / "null").is_char_device(), "nothing takes the place of what is no file"


def test_what_cannot_be_a_number_in_json_is_null(
    recording: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    perftui(
        "query",
        recording,
        "SELECT 'nan'::DOUBLE a, NULL b, 2::HUGEINT c, [1, 2] d, {'x': 1.5} e, DATE '2026-01-02' f",
        "--format",
        "json",
    )
    assert json.loads(out(capfd)) == [
        {"a": None, "b": None, "c": 2, "d": [1, 2], "e": {"x": 1.5}, "f": "2026-01-02"}
    ]


def test_names_cannot_act_upon_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    evil = Recording(tmp_path / "a.perftui", CallTree(), TARGET, 0, clock=lambda: 0)
    feed(evil, [LogLine(1, "stdout", "\x1b]0;owned\x07\x1b[2J\u202e\rline")])
    evil.close()
    perftui("query", evil.directory, "SELECT text FROM log")
    text = out(capfd)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "line" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["query", "no-such", "SELECT 1"], "there is no recording 'no-such'"),
        (["summary", "/etc"], "is not a recording"),
        (["query", "HERE", "DROP VIEW log"], "only read"),
        (["query", "HERE", "SELECT 1", "-o", "/nonexistent/x.csv"], "cannot write"),
        (["query", "HERE", "FROM range(9999999999)", "--format", "csv", "--timeout", "0.3"], "0.3"),
        (["pack", "HERE", "-o", "/nonexistent/x.zip"], "cannot write"),
    ],
)
def test_errors_are_one_line(
    recording: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path))
    with pytest.raises(UserError) as caught:
        perftui(*[str(recording) if word == "HERE" else word for word in words])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_sql_error_keeps_its_caret(recording: Path) -> None:
    with pytest.raises(UserError) as caught:
        perftui("query", recording, "SELEKT 1")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Parser Error")
    assert lines[-1].strip() == "^^^^^^"


def test_pack_says_what_is_shared_and_asks_nothing_without_a_terminal(
    recording: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert perftui("pack", recording, "-o", tmp_path / "out.zip") == 0
    told = capfd.readouterr()
    assert told.out.startswith(str(tmp_path / "out.zip"))
    assert told.err.startswith("in the file: 25.0 s of 'load.py': its command line")
    assert len(told.err.splitlines()) == 1
    assert open_recording(tmp_path / "out.zip").salvage is None


def test_what_was_lost_is_said_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    recording = make(tmp_path / "a.perftui", 8)
    (recording / "metrics-000000.parquet").write_bytes(b"PAR1 nothing PAR1")
    perftui("query", recording, "SELECT count(*) FROM metrics")
    first = capfd.readouterr()
    assert "a.perftui" in first.err
    assert "metrics-000000.parquet damaged" in first.err


def test_a_query_whose_memory_duckdb_does_not_count_is_bounded(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "_ROOM_BYTES", 400 << 20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    texts = "list_transform(range({}), lambda x: repeat('x', 1000000))"
    sql = f"SELECT length(array_to_string({texts}, ''))"
    perftui("query", recording, sql.format(10))
    with pytest.raises(UserError, match=r"(?i)memory"):
        perftui("query", recording, sql.format(800))
    assert resource.getrlimit(resource.RLIMIT_AS) == before
