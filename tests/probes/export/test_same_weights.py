"""Every stack format says the same: its sums, read back, are those of the SQL views."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support.export.parsed import PARSERS
from support.recordings.made import make_own
from support.recordings.synthetic import CHILD, T0, S

from perftui.probes.export.formats import FORMATS, exporter_of
from perftui.probes.export.material.pieces import WAITING
from perftui.probes.export.material.slice import slice_of
from perftui.probes.recording.read.reader import open_recording

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


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    """Its stacks were weighed, and some amounts came to light later than their time."""
    return open_recording(make_own(tmp_path_factory.mktemp("own") / "a.perftui"))


AMOUNTS = ("wall_ns", "cpu_ns", "waiting_ns", "touched_bytes", "grown_bytes")
HELD = {"speedscope": 1, "collapsed": 1, "firefox": 2, "pprof": 5, "otlp": 5}
"""How many of the amounts a format has; the tables have all, chrome-trace has the clock's."""


def by_function(own: RecordingReader, part: Slice) -> dict[str, list[float]]:
    """Return the amounts of each function itself, by SQL over the table of stacks."""
    cut = f"(least(t1_ns, {part.t1_ns}) - greatest(t0_ns, {part.t0_ns})) / (t1_ns - t0_ns)"
    sums = ", ".join(f"sum({name} * part)" for name in AMOUNTS)
    text = f"""SELECT function, {sums} FROM (
        SELECT *, {cut} AS part, wall_ns - cpu_ns AS waiting_ns FROM stacks
        WHERE pid = {CHILD} AND t1_ns > {part.t0_ns} AND t0_ns < {part.t1_ns}
    ) JOIN nodes USING (node) JOIN frames USING (frame) GROUP BY function"""
    with Query(own) as query, query.run(text, 20.0) as result:
        return {row[0]: [float(amount or 0) for amount in row[1:]] for row in result.rows()}


@pytest.mark.parametrize("asked", [{}, {"from_s": 20.3, "to_s": 26.1}], ids=["all", "a range"])
@pytest.mark.parametrize("name", HELD)
def test_what_was_weighed_is_told_as_weighed(
    own: RecordingReader, name: str, asked: dict[str, Any]
) -> None:
    part = slice_of(own, process=CHILD, **asked)
    wanted = by_function(own, part)
    samples = exported(own, name, part)
    told = {function: [0.0] * len(AMOUNTS) for function in wanted}
    for sample in samples:
        amounts = (sample.wall_ns, sample.cpu_ns, *sample.more)
        for index, amount in enumerate(amounts):
            told[sample.frames[-1]][index] += amount or 0
    most = len(samples) + 50  # each is a whole number
    for function, amounts in wanted.items():
        held = amounts[: HELD[name]]
        assert told[function][: HELD[name]] == pytest.approx(held, rel=1e-5, abs=most), function
    if not asked:
        assert sum(amounts[3] for amounts in wanted.values()) > 1e6, "memory came to light late"
        (tree,) = (t for t in own.call_tree(part.t0_ns, part.t1_ns) if t.pid == CHILD)
        assert sum(row[0] for row in told.values()) == pytest.approx(tree.wall_ns, abs=most)


KINDS = ("queue", "gil", "lock", "io", "sleep", "child")
WORDS = {
    "firefox": {kind: words.lower() for kind, words in WAITING.items()},
    "chrome-trace": WAITING,
    "pprof": {kind: kind for kind in WAITING},
}
"""What the formats that tell kinds of waiting call each."""


@pytest.mark.parametrize("asked", [{}, {"from_s": 20.3, "to_s": 26.1}], ids=["all", "a range"])
@pytest.mark.parametrize("name", WORDS)
def test_kinds_of_waiting_are_those_of_the_table(
    own: RecordingReader, name: str, asked: dict[str, Any]
) -> None:
    part = slice_of(own, process=CHILD, **asked)
    cut = f"(least(t1_ns, {part.t1_ns}) - greatest(t0_ns, {part.t0_ns})) / (t1_ns - t0_ns)"
    sums = ", ".join(f"coalesce(sum({kind}_ns * part), 0)" for kind in KINDS)
    held = ""
    if name == "chrome-trace":  # by the clock a stay is as long as it was, whatever it counts
        cut = f"(least(t1_ns, {part.t1_ns}) - greatest(t0_ns, {part.t0_ns})) / nullif(wall_ns, 0)"
        held = "WHERE held"
    text = f"""SELECT function, {sums}, sum((wall_ns - cpu_ns) * part) FROM (
        SELECT *, {cut} AS part FROM stacks
        WHERE pid = {CHILD} AND t1_ns > {part.t0_ns} AND t0_ns < {part.t1_ns}
    ) JOIN nodes USING (node) JOIN frames USING (frame) {held} GROUP BY function"""
    with Query(own) as query, query.run(text, 20.0) as result:
        rows = {row[0]: [float(amount) for amount in row[1:]] for row in result.rows()}
    words = WORDS[name]
    wanted = Counter(
        {
            (function, words[kind]): ns
            for function, (*amounts, waiting) in rows.items()
            for kind, ns in zip((*KINDS, "other"), (*amounts, waiting - sum(amounts)), strict=True)
            if ns > 100
        }
    )
    assert {kind for _, kind in wanted} == set(words.values())
    told: Counter[tuple[str, str]] = Counter()
    samples = exported(own, name, part)
    for sample in samples:
        if sample.waits:
            assert not sample.cpu_ns
            told[sample.frames[-1], sample.waits] += sample.wall_ns
    assert told == pytest.approx(wanted, rel=1e-5, abs=len(samples) + 50)


def test_every_format_is_held_against_the_weights_or_is_by_the_clock() -> None:
    assert {*HELD, "chrome-trace"} == set(STACK_FORMATS)


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
