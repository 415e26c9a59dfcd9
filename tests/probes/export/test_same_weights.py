"""Every stack format says the same: its sums, read back, are those of the SQL views."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support.export.parsed import PARSERS
from support.recordings.synthetic import T0, S

from perftui.probes.export.formats import FORMATS, exporter_of
from perftui.probes.export.material.slice import slice_of

pytest.importorskip("duckdb")
from perftui.probes.recording.sql.query import Query

if TYPE_CHECKING:
    from support.export.parsed import Sample

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.reader import RecordingReader

STACK_FORMATS = [exporter.name for exporter in FORMATS if exporter.kind == "stacks"]
PARTS: dict[str, dict[str, Any]] = {
    "all of it": {},
    "a range": {"from_s": 5.0, "to_s": 12.25},
    "a phase": {"phase": "parse"},
    "a thread": {"thread": "worker"},
    "lines": {"by_line": True},
    "less than an interval": {"from_s": 7.0, "to_s": 7.000001},
}


@pytest.fixture(scope="module")
def sql(reader: RecordingReader) -> Any:
    with Query(reader) as query:

        def rows(text: str) -> list[tuple[Any, ...]]:
            with query.run(text, 20.0) as result:
                return list(result.rows())

        yield rows


def exported(reader: RecordingReader, name: str, part: Slice) -> list[Sample]:
    out = io.BytesIO()
    exporter_of(name).write(reader, part, out)
    return list(PARSERS[name](out.getvalue()))


def test_every_format_of_stacks_is_read_back() -> None:
    assert set(STACK_FORMATS) == set(PARSERS)


@pytest.mark.parametrize("asked", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("name", STACK_FORMATS)
def test_sums_are_those_of_the_views(
    reader: RecordingReader, sql: Any, name: str, asked: dict[str, Any]
) -> None:
    part = slice_of(reader, **asked)
    samples = exported(reader, name, part)
    a, b = part.t0_ns, part.t1_ns
    some = "true" if part.threads is None else f"(pid, tid) IN {tuple(part.threads)}"
    inside = f"t0_ns < {b} AND t1_ns > {a} AND ({some})"
    piece = f"least(t1_ns, {b}) - greatest(t0_ns, {a})"
    by_thread = sql(
        f"""SELECT coalesce(any_value(n.name), '?'), sum(part)::BIGINT
        FROM (SELECT pid, tid, {piece} AS part FROM stacks WHERE {inside}) s
        LEFT JOIN (SELECT pid, tid, arg_max(name, seq) AS name FROM thread_names GROUP BY pid, tid)
        n USING (pid, tid) GROUP BY pid, tid"""
    )
    told: Counter[str] = Counter()
    for sample in samples:
        told[sample.thread] += sample.wall_ns
    assert told == {f"python 4000 / {name}": wall for name, wall in by_thread}
    # Of each function its own time, and the time with all it called: recursion once.
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for sample in samples:
        own[sample.frames[-1]] += sample.wall_ns
        for frame in set(sample.frames):
            total[frame] += sample.wall_ns
    assert total.keys() == own.keys() | total.keys()
    wanted_own = sql(
        f"""SELECT f.function, sum(part)::BIGINT
        FROM (SELECT node, {piece} AS part FROM stacks WHERE {inside}) s
        JOIN nodes USING (node) JOIN frames f USING (frame) GROUP BY f.function"""
    )
    assert own == dict(wanted_own)
    if part.threads is None:
        begin, end = (a - T0) / S, (b - T0) / S
        wanted = dict(sql(f"SELECT function, wall_s FROM top_total({begin!r}, {end!r})"))
        assert {k: v / S for k, v in total.items()} == pytest.approx(wanted, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["firefox", "pprof"])
def test_cpu_is_that_of_the_call_tree(reader: RecordingReader, name: str) -> None:
    part = slice_of(reader, from_s=3.0, to_s=20.0)
    samples = exported(reader, name, part)
    trees = reader.call_tree(part.t0_ns, part.t1_ns)
    told = sum(sample.cpu_ns or 0 for sample in samples)
    assert told == pytest.approx(sum(tree.cpu_ns for tree in trees), abs=len(samples) * 2)


def test_pprof_labels_the_innermost_phase(reader: RecordingReader) -> None:
    told: Counter[str] = Counter()
    samples = exported(reader, "pprof", slice_of(reader))
    for sample in samples:
        told[sample.phase or ""] += sample.wall_ns
    # "load" lasts from 0.5 s on, "parse" within it from 20 s to 30 s; two threads.
    assert told["parse"] == pytest.approx(20 * S, rel=1e-3)
    assert told["load"] == pytest.approx(2 * (32 - 0.5 - 10) * S, rel=1e-3)
    assert told[""] == pytest.approx(2 * 0.5 * S, rel=0.05)
