"""Traces as they come: good ones, odd ones and none at all."""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING

import pytest

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.trace import TraceError, TraceFile
from perftui.tui.commands import detect

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path
    from typing import Any

HEADER = "t_s,rss_bytes,cpu_percent,rows,phase"


def leak(n: int = 800, hz: float = 10) -> list[str]:
    return [f"{i / hz:.3f},{100e6 + 2e6 * i / hz:.0f},90,," for i in range(n)]


def flat(n: int = 800, hz: float = 10) -> list[str]:
    return [f"{i / hz:.3f},100000000,90,{i * 100},load" for i in range(n)]


def write(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def judged(path: Path) -> list[str]:
    return [edge.kind for edge in Engine().feed_all(TraceFile(path).observations())]


def arguments(*words: str) -> Namespace:
    import argparse

    parser = argparse.ArgumentParser()
    detect.add_parser(parser.add_subparsers())
    return parser.parse_args(["detect", *words])


def test_plain_and_gzipped_are_the_same(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.csv", leak())
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert judged(plain) == judged(packed) == ["mem_growth"]


def test_columns_may_come_in_any_order_and_be_missing(tmp_path: Path) -> None:
    rows = [",".join(row.split(",")[1::-1]) for row in leak()]
    assert judged(write(tmp_path / "a.csv", rows, "rss_bytes, T_S")) == ["mem_growth"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "no column t_s and rss_bytes"),
        ("\n\n", "no column"),
        (HEADER + "\n", "no readings"),
        (HEADER + "\nx,y,z,,\n,,,,\nnan,1,1,,\n", "no readings"),
        ("time,memory\n1,2\n", "no column t_s and rss_bytes"),
        ("t_s,cpu_percent\n1,2\n", "no column rss_bytes"),
        ("\x00\xff\xfe binary \x80", "no column"),
    ],
)
def test_a_file_with_nothing_to_judge_is_one_line(tmp_path: Path, content: str, word: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(TraceError, match=word) as caught:
        TraceFile(path)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(TraceError, match="cannot be read"):
            TraceFile(path)


def test_a_cut_gzip_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    data = gzip.compress("\n".join([HEADER, *leak(4000)]).encode())
    path.write_bytes(data[: len(data) // 2])
    trace = TraceFile(path)
    assert any("cut off" in note for note in trace.notes)
    assert "mem_growth" in [edge.kind for edge in Engine().feed_all(trace.observations())]


def test_shuffled_rows_are_sorted_and_told(tmp_path: Path) -> None:
    rows = leak()
    random.Random(4).shuffle(rows)
    path = write(tmp_path / "a.csv", rows)
    assert any("sorted" in note for note in TraceFile(path).notes)
    assert judged(path) == ["mem_growth"]


def test_a_clock_that_is_set_back_hides_no_leak_and_makes_none(tmp_path: Path) -> None:
    for rows, kinds in ((flat(), []), (leak(), ["mem_growth"])):
        shifted = [
            row if n < 300 else f"{float(row.split(',')[0]) - 25:.3f},{row.split(',', 1)[1]}"
            for n, row in enumerate(rows)
        ]
        path = write(tmp_path / "a.csv", shifted)
        assert any("set back" in note for note in TraceFile(path).notes)
        assert judged(path) == kinds


def test_a_clock_that_leaps_makes_no_alert(tmp_path: Path) -> None:
    rows = [
        row if n < 300 else f"{float(row.split(',')[0]) + 86_400:.3f},{row.split(',', 1)[1]}"
        for n, row in enumerate(flat())
    ]
    assert judged(write(tmp_path / "a.csv", rows)) == []


def test_nonsense_cells_are_unknown_and_not_zero(tmp_path: Path) -> None:
    rows = flat()
    rng = random.Random(5)
    for _ in range(200):
        n = rng.randrange(1, len(rows))
        cells = rows[n].split(",")
        cells[rng.randrange(1, 4)] = rng.choice(("", "NaN", "-inf", "abc", "0", "-1", "1e400"))
        rows[n] = ",".join(cells)
    rows[7] = "0.7"
    rows[8] = "0.8,1,2,3,4,5,6,7,8"
    assert judged(write(tmp_path / "a.csv", rows)) == []


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_seen_in_the_header(tmp_path: Path, delimiter: str) -> None:
    rows = [row.replace(",", delimiter) for row in leak()]
    path = write(tmp_path / "a.csv", rows, HEADER.replace(",", delimiter))
    assert judged(path) == ["mem_growth"]


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([f"{n * 100},{100e6 + n * 2e5:.0f},90,," for n in range(600)], "readings are 100 s apart"),
        ([f"{n / 10},{100 + n / 5},90,," for n in range(600)], "never above 219.8: bytes are"),
        ([f"{n / 10},0,90,," for n in range(600)], "no usable rss_bytes"),
        ([f"{n / 10},100000000,0.97,," for n in range(600)], "never above 0.97: per cent are"),
        (["3,100000000,90,,", "1,100000000,90,,"], "set back 1 times"),
    ],
)
def test_wrong_units_are_told(tmp_path: Path, rows: list[str], word: str) -> None:
    path = write(tmp_path / "a.csv", rows)
    assert any(word in note for note in TraceFile(path).notes)
    assert judged(path) == []


def test_random_bytes_never_raise_anything_else(tmp_path: Path) -> None:
    rng = random.Random(6)
    path = tmp_path / "a.csv"
    for _ in range(150):
        text = HEADER + "\n" + "\n".join(flat(60))
        data = bytearray(text.encode())
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(bytes(data))
        try:
            list(Engine(1e9).feed_all(TraceFile(path).observations()))
        except TraceError as error:
            assert "\n" not in str(error)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]], str]:
    code = detect.run(arguments(*words))
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def test_the_command_prints_one_json_line_per_alert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.csv", leak())
    code, rows, err = run(capsys, str(path))
    assert (code, err) == (0, "")
    assert [list(row) for row in rows] == [["kind", "severity", "t_detect", "t_onset", "message"]]
    assert (rows[0]["kind"], rows[0]["severity"]) == ("mem_growth", "warn")


def test_several_traces_are_named_and_a_bad_one_makes_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = write(tmp_path / "a.csv", leak()), write(tmp_path / "b.csv", [])
    code, rows, err = run(capsys, str(bad), str(good))
    assert code == 2
    assert [row["trace"] for row in rows] == [str(good)]
    assert err.count("\n") == 1
    assert "no readings" in err


def test_events_are_calls_and_imports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = tmp_path / "events.jsonl"
    lines = [json.dumps({"t_s": 3.0, "name": "import:lance", "dur_s": 2.5}), "nonsense", ""]
    lines += [
        json.dumps({"t_s": 5.0 + n, "name": "query", "dur_s": 0.5 if n == 0 else 0.004})
        for n in range(6)
    ]
    events.write_text("\n".join(lines))
    code, rows, err = run(capsys, str(write(tmp_path / "a.csv", flat())), "--events", str(events))
    assert code == 0
    assert "1 lines of events.jsonl are no events" in err
    assert [row["severity"] for row in rows if row["kind"] == "slow_import"] == [
        "critical",
        "clear",
    ]
    assert [row["severity"] for row in rows if row["kind"] == "cold_start"] == ["warn", "clear"]
    assert len(rows) == 4


def test_a_limit_is_a_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.csv", leak())
    _, rows, _ = run(capsys, str(path), "--limit", "260MB")
    assert "oom_risk" in {row["kind"] for row in rows}
    with pytest.raises(Exception, match="is not a size"):
        detect.run(arguments(str(path), "--limit", "much"))


def test_recordings_are_found_by_name_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path))
    code, rows, err = run(capsys, "last")
    assert (code, rows) == (2, [])
    assert "there is no recording yet" in err
    code, _, err = run(capsys, "nothing-of-that-name")
    assert code == 2
    assert err == "perftui: nothing-of-that-name: no such file, and no recording of that name\n"


def test_a_short_trace_is_not_called_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, rows, err = run(capsys, str(write(tmp_path / "a.csv", leak(90))))
    assert rows == []
    assert "too short to judge" in err
