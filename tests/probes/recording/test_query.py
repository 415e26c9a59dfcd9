"""SQL: our views agree with the reader, and a statement can reach nothing but the recording."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.recordings.made import make
from support.recordings.synthetic import PID, T0, S

from perftui.probes.profile.sums import function_sums
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf.pack import pack

duckdb = pytest.importorskip("duckdb")

from perftui.probes.recording.sql.query import Query, QueryError  # noqa: E402
from perftui.probes.recording.sql.views import EXAMPLES  # noqa: E402
from perftui.tui.text.query import form_of, write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from perftui.probes.recording.read.reader import RecordingReader

END = 1 << 62


@pytest.fixture(scope="module", params=["closed", "live tail", "packed"])
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> RecordingReader:
    folder = tmp_path_factory.mktemp("query")
    found = open_recording(make(folder / "a.perftui", 32, close=request.param != "live tail"))
    if request.param == "packed":
        found = open_recording(pack(found).path)
    return found


@pytest.fixture(scope="module")
def any_reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    """For what does not depend on how a recording lies on disk."""
    return open_recording(make(tmp_path_factory.mktemp("any") / "a.perftui", 4))


@pytest.fixture(scope="module")
def query(reader: RecordingReader) -> Iterator[Query]:
    with Query(reader) as query:
        yield query


def rows(query: Query, sql: str, timeout_s: float = 60.0) -> list[tuple[Any, ...]]:
    with query.run(sql, timeout_s) as result:
        return list(result.rows())


@pytest.mark.parametrize("span", [None, (5.0, 12.25)])
def test_self_and_total_times_are_those_of_the_reader(
    reader: RecordingReader, query: Query, span: tuple[float, float] | None
) -> None:
    if span is None:
        t0, t1, call = 0, END, ""
    else:
        t0, t1 = (T0 + round(at * S) for at in span)
        call = f"({span[0]}, {span[1]})"
    sums = function_sums(reader.tree, reader.call_tree(t0, t1))
    own = {(r.function, r.file): r.self_ for r in sums if r.self_.wall_ns}
    told = rows(query, f"SELECT function, file, wall_s, cpu_s, grown_bytes FROM top_self{call}")
    assert {row[:2] for row in told} == set(own)
    for function, file, wall, cpu, grown in told:
        amount = own[function, file]
        assert wall == pytest.approx(amount.wall_ns / S, rel=1e-6)
        assert cpu == pytest.approx(amount.cpu_ns / S, rel=1e-5)
        assert grown == pytest.approx(amount.grown_bytes, rel=1e-3, abs=50)
    total = {(r.function, r.file): r.total for r in sums}
    told = rows(query, f"SELECT function, file, wall_s FROM top_total{call}")
    assert {row[:2] for row in told} == set(total)
    for function, file, wall in told:
        assert wall == pytest.approx(total[function, file].wall_ns / S, rel=1e-6)


def test_the_views_agree_with_the_reader(reader: RecordingReader, query: Query) -> None:
    assert rows(query, "SELECT count(*) FROM log") == [(len(reader.log_lines(0, END)),)]
    assert rows(query, "SELECT max(high) FROM metrics_1s WHERE pid = 0 AND name = 'rss_bytes'") == [
        (reader.highest("rss_bytes", 0, END),)
    ]
    phases = reader.phases(0, END)
    told = rows(query, "SELECT name, start_s, duration_s FROM phases")
    assert [row[0] for row in told] == [phase.name for phase in phases]
    assert told[1][1:] == (20.0, 10.0)
    peaks = dict(rows(query, "SELECT name, peak_rss_bytes FROM memory_by_phase"))
    assert peaks["parse"] == next(p.peak_rss_bytes for p in phases if p.name == "parse")
    counters = {c.name: c.total for c in reader.counters(0, END)}
    assert dict(rows(query, "SELECT name, total FROM counters")) == counters
    assert rows(query, "SELECT module, parent FROM imports WHERE parent IS NOT NULL") == [
        ("duckdb.x", "duckdb")
    ]
    assert rows(query, "SELECT count(*), max(n) FROM calls") == [(32, 32)]
    names = {thread.name for thread in reader.threads(0, END)}
    assert {row[0] for row in rows(query, "SELECT name FROM threads")} == names
    assert rows(query, "SELECT kind, t_onset_s FROM alerts")[0] == ("mem_growth", 19.0)
    assert len(rows(query, "FROM gaps")) == 1
    assert rows(query, "SELECT max(rss_bytes) FROM overhead") == [(reader.own_peak_rss_bytes(),)]


def test_the_stack_at_a_moment(reader: RecordingReader, query: Query) -> None:
    told = rows(query, "SELECT tid, depth, function FROM stack_at(12.5)")
    for tid in (PID, PID + 10):
        stack = [function for row_tid, _, function in told if row_tid == tid]
        at = T0 + 12 * S + S // 2
        (thread,) = reader.call_tree(at, at + 1, [(PID, tid)])
        (node,) = thread.self_by_node
        path = [reader.tree.frame(n).function for n in reader.tree.path(node)]
        assert stack == path


def test_everything_is_described_with_units(query: Query) -> None:
    described = {table.name: table for table in query.describe()}
    assert {"top_self", "top_total", "memory_by_phase", "imports", "alerts", "threads"} <= set(
        described
    )
    assert {"metrics_1s", "stack_at(t)", "top_self(a, b)", "metrics", "stacks"} <= set(described)
    units = {name: unit for name, _, unit in described["metrics"].columns}
    assert (units["rss_bytes"], units["cpu_s"], units["cpu_percent"]) == ("B", "s", "% of a core")
    for example in EXAMPLES:
        assert rows(query, example)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('http://localhost:1/x.parquet')",
        "SELECT * FROM parquet_scan('/tmp/*.parquet')",
        "SELECT * FROM sqlite_scan('/tmp/x.db', 'x')",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/perftui-never.csv'",
        "COPY (SELECT 1) TO '/tmp/perftui-never.csv'",
        "ATTACH '/tmp/perftui-never.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET memory_limit",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "CREATE TABLE t AS SELECT 1",
        "CREATE OR REPLACE VIEW log AS SELECT 1",
        "DROP VIEW log",
        "EXPORT DATABASE '/tmp/perftui-never'",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '/tmp/perftui-never.csv'",
        "",
        "-- nothing",
        "EXPLAIN DROP VIEW log",
        "/* x */ EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/perftui-never.csv'",
    ],
)
def test_nothing_else_can_be_reached_or_changed(query: Query, sql: str) -> None:
    with pytest.raises(QueryError):
        rows(query, sql)
    assert rows(query, "SELECT count(*) FROM log")[0][0] == 32


def test_the_recordings_own_files_cannot_be_written(reader: RecordingReader) -> None:
    with Query(reader) as query:
        before = sorted(file.name for file in reader.path.parent.iterdir())
        paths = rows(query, "SELECT value FROM duckdb_settings() WHERE name = 'allowed_paths'")
        path = paths[0][0].strip("[]").split(",")[0].strip(" '")
        for verb in ("", "EXPLAIN ", "EXPLAIN ANALYZE "):
            with pytest.raises(QueryError):
                rows(query, f"{verb}COPY (SELECT 1) TO '{path}' (FORMAT parquet)")
        assert sorted(file.name for file in reader.path.parent.iterdir()) == before
        assert rows(query, "SELECT count(*) FROM log")[0][0] == 32


def test_python_variables_are_out_of_reach(query: Query) -> None:
    import pyarrow as pa

    secret = pa.table({"a": [1]})
    with pytest.raises(QueryError, match="secret"):
        rows(query, "SELECT * FROM secret")
    assert secret.num_rows == 1


def test_a_query_that_never_ends_is_stopped(query: Query) -> None:
    begin = time.monotonic()
    with pytest.raises(QueryError, match=r"stopped after 0\.5 s"):
        rows(query, "SELECT count(*) FROM range(10000000) a, range(10000000) b", 0.5)
    assert time.monotonic() - begin < 30, "it would take hours"
    assert rows(query, "SELECT 1") == [(1,)]


def test_a_query_that_wants_all_memory_is_refused(any_reader: RecordingReader) -> None:
    with Query(any_reader) as query, pytest.raises(QueryError, match="Out of Memory"):
        rows(
            query,
            "SELECT list(i || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxx') FROM range(100000000) t(i)",
            60,
        )


def test_an_error_of_the_statement_keeps_its_caret(query: Query) -> None:
    with pytest.raises(QueryError) as caught:
        rows(query, "SELECT nope FROM stacks")
    lines = str(caught.value).splitlines()
    assert '"nope" not found' in lines[0]
    assert lines[-1].strip() == "^^^^"


def test_explain_is_allowed(query: Query) -> None:
    assert rows(query, "EXPLAIN SELECT * FROM log")
    assert rows(query, "explain analyze SELECT * FROM log")


def test_a_limit_ends_the_reading(query: Query) -> None:
    with query.run("SELECT * FROM range(1000000000)") as result:
        assert len(list(result.rows(5))) == 5


def test_an_older_minor_version_lacks_columns(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    recording = make(tmp_path / "a.perftui", 4)
    for file in recording.glob("thread_cpu-*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["run_wait_s"]), file)
    reader = open_recording(recording)
    assert reader.threads(0, END)
    with Query(reader) as query:
        assert rows(query, "SELECT count(*), count(run_wait_s) FROM thread_cpu")[0][1] == 0


def test_duckdb_reads_the_files_by_itself(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 6)
    sql = f"SELECT count(*) FROM read_parquet('{recording}/stacks-*.parquet')"
    with Query(open_recording(recording)) as query:
        assert duckdb.sql(sql).fetchall() == rows(query, "SELECT count(*) FROM stacks")
    assert json.loads((recording / "meta.json").read_text())["state"] == "closed"


FORMS = ("table", "csv", "json", "parquet", "arrow")


def written(query: Query, sql: str, kind: str) -> bytes:
    out = io.BytesIO()
    with query.run(sql, 60, form_of(kind)) as result:
        write(result, kind, out, None)
    return out.getvalue()


@pytest.mark.parametrize("kind", FORMS)
def test_every_type_of_duckdb_is_written_in_every_form(
    any_reader: RecordingReader, kind: str
) -> None:
    with Query(any_reader) as query:
        names = [row[0] for row in rows(query, "DESCRIBE FROM test_all_types()")]
        assert len(names) > 50
        for name in names:
            sql = f'SELECT "{name}" AS it FROM test_all_types()'
            if kind in ("parquet", "arrow") and name == "hugeint":
                with pytest.raises(RecordingError, match="more than 38 digits"):
                    written(query, sql, kind)
                continue
            data = written(query, sql, kind)
            if kind == "parquet":
                table = pq.read_table(io.BytesIO(data))
                assert (table.column_names, table.num_rows) == (["it"], 3), name
            elif kind == "arrow":
                table = pa.ipc.open_stream(data).read_all()
                assert (table.column_names, table.num_rows) == (["it"], 3), name
            elif kind == "json":
                assert [list(row) for row in json.loads(data)] == [["it"]] * 3, name
            elif kind == "csv":
                assert len(list(csv.reader(io.StringIO(data.decode(), newline="")))) == 4, name
            else:
                assert data.decode().splitlines()[0].strip() == "it", name


VALUES = [
    ("TIMESTAMPTZ '2026-01-02 03:04:05.5+00'", "2026-01-02 03:04:05.5+00"),
    ("[TIMESTAMPTZ '2026-01-02 03:04:05+00']", ["2026-01-02 03:04:05+00"]),
    (
        "{'at': TIMESTAMPTZ '2026-01-02 03:04:05+00', 'n': 1}",
        {"at": "2026-01-02 03:04:05+00", "n": 1},
    ),
    ("MAP {'a': DATE '2026-01-02'}", {"a": "2026-01-02"}),
    ("MAP {TIMESTAMPTZ '2026-01-02 03:04:05+00': 7}", {"2026-01-02 03:04:05+00": 7}),
    ("[{'b q\"': [INTERVAL 14 MONTH]}]", [{'b q"': ["1 year 2 months"]}]),
    ("INTERVAL 1 MONTH", "1 month"),
    ("TIMETZ '01:02:03+05:30'", "01:02:03+05:30"),
    ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
    ("18446744073709551615::UBIGINT", 2**64 - 1),
    ("1.10::DECIMAL(4,2)", 1.1),
    ("12345678901234567.123456789::DECIMAL(38,9)", "12345678901234567.123456789"),
    ("'101'::BIT", "101"),
    ("'a\\x00b'::BLOB", "a\\x00b"),
    ("'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("'x'::ENUM('x', 'y')", "x"),
    ("union_value(n := 2)", 2),
    ("'infinity'::TIMESTAMP", "infinity"),
    ("DATE '44-03-15 (BC)'", "0044-03-15 (BC)"),
    ("['nan'::DOUBLE, 'inf'::DOUBLE, 1.5]", [None, None, 1.5]),
    ("(1, DATE '2026-01-02')", None),
]


@pytest.mark.parametrize(("sql", "value"), VALUES)
def test_values_are_exact_in_json(any_reader: RecordingReader, sql: str, value: Any) -> None:
    with Query(any_reader) as query:
        query_rows = json.loads(written(query, f"SELECT {sql} AS it -- as it is\n;", "json"))
        written(query, f"SELECT {sql} AS it", "parquet" if "HUGEINT" not in sql else "csv")
    if value is not None:
        assert query_rows == [{"it": value}]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_large_integers_are_right_in_arrow_or_refused(
    any_reader: RecordingReader, kind: str
) -> None:
    largest = "340282366920938463463374607431768211455"
    with Query(any_reader) as query:
        data = written(query, f"SELECT {largest}::UHUGEINT u, sum(n) s FROM range(9) t(n)", kind)
        with pytest.raises(RecordingError, match="l has integers of more than 38 digits"):
            written(query, f"SELECT ['{2**127 - 1}'::HUGEINT] l", kind)
    source = io.BytesIO(data)
    table = pq.read_table(source) if kind == "parquet" else pa.ipc.open_stream(source).read_all()
    assert table.to_pylist() == [{"u": largest, "s": 36}]


def test_the_time_of_day_needs_no_package_and_names_stay(reader: RecordingReader) -> None:
    with Query(reader) as query:
        for kind in FORMS:
            assert written(query, "SELECT now(), 1 AS x, [now()] -- said;", kind)
        text = written(query, "FROM (SELECT now() AS a, 2 AS b) ORDER BY b;", "csv").decode()
        assert text.splitlines()[0] == "a,b"
        assert text.splitlines()[1].endswith(",2")


def test_nothing_of_a_query_outlives_it(reader: RecordingReader) -> None:
    with Query(reader) as query:
        before = set(threading.enumerate())
        for _ in range(30):
            rows(query, "SELECT 1", timeout_s=3600)
            assert set(threading.enumerate()) <= before, "a timer that waits holds the connection"


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        (b"select '\xc3\xa9' as x", 0, b'"x": "\xc3\xa9"'),
        (b"select '\xff'", 2, b"perftui: the SQL is not UTF-8 text\n"),
    ],
)
def test_sql_is_what_was_typed_in_every_locale(
    tmp_path: Path, word: bytes, code: int, said: bytes
) -> None:
    recording = make(tmp_path / "it.perftui", seconds=2)
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = [sys.executable, "-m", "perftui", "query", str(recording), word, "--format", "json"]
    ran = subprocess.run(
        words, capture_output=True, env={**os.environ, **locale, "PYTHONIOENCODING": "utf-8"}
    )
    assert ran.returncode == code, ran.stderr
    assert said in ran.stdout + ran.stderr
    assert b"Traceback" not in ran.stderr
