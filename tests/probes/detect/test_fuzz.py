"""Traces that something went wrong with: no exception, no alert without a cause, a clear word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.evidence.observations import (
    CallEnded,
    ImportBegan,
    ImportEnded,
    TreeReading,
    Waiting,
)
from perftui.probes.detect.trace import TraceError, TraceFile

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.detect.evidence.observations import Observation

HEADER = "t_s,rss_bytes,cpu_percent,rows,phase"
cells = st.one_of(
    st.sampled_from(["", "nan", "inf", "-1", "0", "1e308", "1e-308", "x", '"', "1,5", "0x10"]),
    st.floats(allow_nan=True).map(str),
    st.integers(-(10**25), 10**25).map(str),
    st.text(max_size=4),
)
times = st.floats(0, 1e6)
sizes = st.none() | st.floats(0, 1e15)
samples = st.builds(
    TreeReading,
    times,
    sizes,
    st.none() | st.floats(0, 1e5),
    st.none() | st.floats(0, 1e15),
    st.none() | st.sampled_from(["", "load", "idle", "import:x", "import:", "read"]),
    st.none() | st.floats(0, 1),
    st.booleans(),
    sizes,
    st.just("arrow"),
)
names = st.sampled_from(["query", "load", ""])
others = st.one_of(
    st.builds(CallEnded, times, names, st.floats(0, 1e5)),
    st.builds(ImportBegan, times, names),
    st.builds(ImportEnded, times, names, st.floats(0, 1e5)),
    st.builds(
        Waiting, times, st.sampled_from(["lock", "io", "other"]), st.floats(0, 1), names,
        st.floats(0, 1), st.integers(1, 9),
    ),
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(cells, max_size=7), max_size=40), st.booleans())
def test_any_cells_are_judged_or_refused_in_one_line(
    tmp_path: Path, rows: list[list[str]], gentle: bool
) -> None:
    path = tmp_path / "a.csv"
    lines = [",".join([str(n / 10), *row] if gentle else row) for n, row in enumerate(rows)]
    path.write_text("\n".join([HEADER, *lines]), "utf-8", "replace")
    try:
        trace = TraceFile(path)
        edges = list(Engine(1e9).feed_all(trace.observations()))
    except TraceError as error:
        assert "\n" not in str(error)
    else:
        assert all("\n" not in note for note in trace.notes)
        assert all(edge.t_onset_s <= edge.t_detect_s for edge in edges)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(samples, others), max_size=120), st.booleans())
def test_any_observations_are_taken(seen: list[Observation], in_order: bool) -> None:
    if in_order:
        seen = sorted(seen, key=lambda each: each.t_s)
    for edge in Engine(2e9, knows_stacks=True).feed_all(seen):
        assert edge.message


faults = st.lists(
    st.one_of(
        st.tuples(st.just("stopped"), st.integers(50, 1000), st.integers(1, 150)),
        st.tuples(st.just("not read"), st.integers(50, 1000), st.integers(1, 300)),
        st.tuples(st.just("leap"), st.integers(50, 1000), st.integers(1, 100_000)),
        st.tuples(st.just("set back"), st.integers(50, 1000), st.integers(1, 100_000)),
        st.tuples(st.just("zero"), st.integers(50, 1000), st.just(1)),
        st.tuples(st.just("repeated"), st.integers(50, 1000), st.integers(1, 5)),
        st.tuples(st.just("swapped"), st.integers(50, 1000), st.just(1)),
        st.tuples(st.just("no cpu"), st.integers(50, 1000), st.integers(1, 200)),
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@example(found=[("stopped", 221, 23)], tooth=8e6, phase="load")
@given(faults, st.sampled_from([0.0, 8e6, 40e6]), st.sampled_from(["", "load"]))
def test_a_healthy_program_with_faults_in_its_trace_raises_nothing(
    tmp_path: Path, found: list[tuple[str, int, int]], tooth: float, phase: str
) -> None:
    """120 s of a program with a garbage collector of 1.3 s, disturbed."""
    lines: list[list[str]] = []
    shift, stopped = 0.0, 0
    at: dict[int, list[tuple[str, int]]] = {}
    for fault, where, much in found:
        at.setdefault(where, []).append((fault, much))
    halted = unread = dark = 0
    for n in range(1200):
        for fault, much in at.get(n, []):
            if fault == "stopped":
                halted = max(halted, much)
            elif fault == "not read":
                unread = max(unread, much)
            elif fault == "no cpu":
                dark = max(dark, much)
            elif fault in ("leap", "set back"):
                shift += much * (1 if fault == "leap" else -1)
        own = (n - stopped) / 10  # the very same while it is stopped
        cpu = "90"
        if halted:
            halted -= 1
            stopped += 1
            cpu = "0"
        if dark:
            dark -= 1
            cpu = ""
        rss = 300e6 + tooth * ((own / 1.3) % 1.0)
        kinds = {fault for fault, _ in at.get(n, [])}
        row = [f"{n / 10 + shift:.3f}", f"{0 if 'zero' in kinds else rss:.0f}", cpu]
        row += [f"{own * 5000:.0f}", phase]
        if unread:
            unread -= 1
            continue
        lines.append(row)
        if "repeated" in kinds:
            lines += [row] * 3
        if "swapped" in kinds and len(lines) > 1:
            lines[-1], lines[-2] = lines[-2], lines[-1]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *(",".join(row) for row in lines)]))
    edges = list(Engine(2e9).feed_all(TraceFile(path).observations()))
    assert [edge for edge in edges if edge.severity in ("warn", "critical")] == []
