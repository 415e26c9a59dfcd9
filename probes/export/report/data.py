"""What the page shows, as plain data: numbers in seconds and bytes, names made harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.colours.frames import HUES, frame_ink
from perftui.probes.colours.parts import GROUPS, group_of
from perftui.probes.colours.pools import TELLING_SHARE, pool_colour
from perftui.probes.export.material.timeline import process_names
from perftui.probes.export.pictures.drawing import fitted
from perftui.probes.export.pictures.flamegraph_svg import shown_file
from perftui.probes.export.report.facts import (
    facts_of,
    figures,
    machine_rows,
    missing,
    own_cost,
    rank_of,
    verdict,
)
from perftui.probes.export.report.stack_grid import MOST_CELLS, stack_grid
from perftui.probes.profile.folding import places
from perftui.probes.profile.place import called, mains_of, place_of
from perftui.probes.profile.sums import busy
from perftui.probes.profile.whose import library_of, whose
from perftui.probes.spine.reader import TREE
from perftui.probes.text.redact import redact_text
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.colours.parts import PartGroup
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.report.facts import Facts
    from perftui.probes.export.report.stack_grid import StackGrid
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.calltree import Frame
    from perftui.probes.spine.reader import Buckets, Import, Reader

POINTS = 1_200
"""Of a timeline, at most: more than a chart has pixels. Peaks survive: a point is the highest."""
READINGS_PER_S = 20
RATES = 2
"""Counters that get a timeline."""
PHASES, IMPORTS, LOG_LINES, CALLS = 2_000, 4_000, 400, 200
NAME_CHARS, WORDS_CHARS, LINE_CHARS = 240, 1_000, 400


def report_data(
    reader: RecordedReader, part: Slice, most_cells: int = MOST_CELLS
) -> dict[str, Any]:
    """Return everything that the page of a part of a recording shows.

    Args:
        reader: The recording.
        part: Which part.
        most_cells: How much may be told of its stacks.
    """
    facts = facts_of(reader, part)
    return {
        "title": _name(facts.title),
        "command": _words(facts.command),
        "recording": _name(part.title(reader)),
        "verdict": _words(verdict(facts)),
        "severity": _severity(facts),
        "findings": _findings(facts),
        "more": 0 if facts.found is None else facts.found.more,
        "span": [facts.seconds(part.t0_ns), facts.seconds(part.t1_ns)],
        "figures": [
            [_name(figure.name), figure.value, figure.detail, figure.is_bad]
            for figure in figures(facts)
        ],
        "timelines": _timelines(reader, facts),
        "alerts": [
            {
                "kind": _name(alert.kind.replace("_", " ")),
                "severity": _name(alert.severity),
                "onset": facts.seconds(alert.t_onset_ns),
                "told": facts.seconds(alert.t_detect_ns),
                "clear": None if alert.t_clear_ns is None else facts.seconds(alert.t_clear_ns),
                "message": _words(alert.message),
                "evidence": _words(alert.evidence),
            }
            for alert in facts.alerts
        ],
        "phases": _phases(reader, facts),
        "imports": _imports(facts.imports, facts),
        "calls": [
            [
                _name(call.name),
                call.n,
                call.first_ns / NS_PER_S,
                None if call.warm_median_ns is None else call.warm_median_ns / NS_PER_S,
                call.ratio,
                call.failed,
            ]
            for call in facts.calls[:CALLS]
        ],
        "counters": [[_name(row.name), row.total, row.per_s] for row in facts.counters[:CALLS]],
        "stacks": _stacks(reader, part, facts, most_cells),
        "log": [
            [facts.seconds(line.t_ns), line.stream, fitted(redact_text(line.text), LINE_CHARS)]
            for line in reader.log_lines(part.t0_ns, part.t1_ns, LOG_LINES)
        ],
        "machine": [[name, _words(value)] for name, value in machine_rows(reader)],
        "cost": [[name, _words(value)] for name, value in own_cost(reader)],
        "missing": [_words(text) for text in missing(reader)],
    }


def _name(text: str) -> str:
    return fitted(text, NAME_CHARS)


def _words(text: str) -> str:
    return fitted(text, WORDS_CHARS)


def _findings(facts: Facts) -> list[dict[str, Any]]:
    """Return what matters about the whole, by impact."""
    found = () if facts.found is None else facts.found.findings
    return [
        {
            "text": _words(each.text),
            "code": _name(each.code),
            "severity": _name(each.severity),
            "evidence": _words(each.evidence),
            "unsure": _words(each.may_be_wrong),
            "next": _words(each.next_step),
            "range": [facts.seconds(each.t0_ns), facts.seconds(each.t1_ns)],
        }
        for each in found
    ]


def _severity(facts: Facts) -> str:
    if facts.is_whole and facts.failed:
        return "critical"
    told = facts.alerts if facts.found is None else facts.found.findings
    worst = min((each.severity for each in told), key=rank_of, default="good")
    return worst if worst in ("critical", "warn") else "good"


# -- timelines ---------------------------------------------------------------------------------


def _timelines(reader: Reader, facts: Facts) -> dict[str, Any]:
    """Return columns of one time axis; a hole is null."""
    part = facts.part
    n = max(min(POINTS, round(part.duration_s * READINGS_PER_S)), 2)
    pid = TREE if part.pid is None else part.pid
    step_s = (part.t1_ns - part.t0_ns) / n / NS_PER_S
    begin_s = facts.seconds(part.t0_ns)

    def column(name: str) -> Buckets:
        return reader.metric(name, part.t0_ns, part.t1_ns, n, pid)

    rss = column("rss_bytes")
    highest = max((v for v in rss.high if v), default=0.0)
    rates = [row.name for row in facts.counters if part.pid is None][:RATES]
    return {
        "t": [round(begin_s + (at + 0.5) * step_s, 6) for at in range(n)],
        "rss": _whole_numbers(rss.high),
        "cpu": _whole_numbers(column("cpu_percent").high),
        "pools": _parts(reader, part, pid, n, highest) or _pools(reader, part, pid, n, highest),
        "rates": [[_name(name), _digits(column(f"rate:{name}").high)] for name in rates],
    }


def _parts(reader: Reader, part: Slice, pid: int, n: int, highest: float) -> list[list[Any]]:
    """Return [name, colour, sizes] of what RSS is made of, in groups; nothing if not known."""
    sums: dict[PartGroup, list[float | None]] = {}
    for name in reader.metric_names(pid):
        group = group_of(name[5:]) if name.startswith("part:") else None
        if group is not None:
            sizes = reader.metric(name, part.t0_ns, part.t1_ns, n, pid).last
            before = sums.setdefault(group, [None] * n)
            sums[group] = [
                a if b is None else b if a is None else a + b
                for a, b in zip(before, sizes, strict=True)
            ]
    return [
        [_name(group.label), group.colour.replace("_", "-"), _whole_numbers(sums[group])]
        for group in GROUPS
        if group in sums
        and max((size for size in sums[group] if size), default=0.0) >= TELLING_SHARE * highest > 0
    ]


def _pools(reader: Reader, part: Slice, pid: int, n: int, highest: float) -> list[list[Any]]:
    """Return [name, colour, sizes] of the pools that explain some of RSS; what changed is held."""
    found = []
    names = [name for name in reader.metric_names(pid) if name.startswith("pool:")]
    for index, name in enumerate(names):
        sizes = reader.metric(name, part.t0_ns, part.t1_ns, n, pid).last
        if max((size for size in sizes if size), default=0.0) >= TELLING_SHARE * highest > 0:
            label = name.removeprefix("pool:")
            colour = pool_colour(label, index).replace("_", "-")
            found.append([_name(label), colour, _whole_numbers(sizes)])
    return found


def _whole_numbers(values: Sequence[float | None]) -> list[int | None]:
    return [None if value is None else round(value) for value in values]


def _digits(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.4g}") for value in values]


# -- events ------------------------------------------------------------------------------------


def _phases(reader: Reader, facts: Facts) -> list[list[Any]]:
    """Return [name, depth, begin, end, cpu_s, rss kept, peak, process]."""
    many = len({phase.pid for phase in facts.phases}) > 1
    names = process_names(reader)
    rows = []
    for phase in facts.phases[:PHASES]:
        kept = None
        if phase.rss_start_bytes is not None and phase.rss_end_bytes is not None:
            kept = phase.rss_end_bytes - phase.rss_start_bytes
        rows.append(
            [
                _name(phase.name),
                phase.depth,
                facts.seconds(phase.t0_ns),
                None if phase.t1_ns is None else facts.seconds(phase.t1_ns),
                phase.cpu_s,
                kept,
                phase.peak_rss_bytes,
                _name(names.get(phase.pid, "")) if many else "",
            ]
        )
    return rows


def _imports(imports: Sequence[Import], facts: Facts) -> list[list[Any]]:
    """Return [module, place of the importer or -1, begin, self_s, total_s, rss, ok]."""
    kept = sorted(imports, key=lambda row: -row.total_ns)[:IMPORTS]
    kept.sort(key=lambda row: (row.t0_ns, row.id))
    at = {(row.pid, row.id): index for index, row in enumerate(kept)}
    return [
        [
            _name(row.module),
            -1 if row.parent_id is None else at.get((row.pid, row.parent_id), -1),
            round(facts.seconds(row.t0_ns), 6),
            row.self_ns / NS_PER_S,
            row.total_ns / NS_PER_S,
            row.rss_bytes,
            row.ok,
        ]
        for row in kept
    ]


# -- stacks ------------------------------------------------------------------------------------


def _stacks(
    reader: RecordedReader, part: Slice, facts: Facts, most_cells: int
) -> dict[str, Any] | None:
    """Return the stacks in steps, None if there are none."""
    grid = stack_grid(reader, part, most_cells=most_cells)
    if grid is None:
        return None
    hottest_line = {(row.function, row.file): row.line for row in facts.top}
    argvs = (reader.target().argv, *(process.argv for process in reader.processes()))
    functions, of_node = _functions(grid, hottest_line, mains_of(argvs))
    nodes = range(len(grid.parents))
    entered = places(nodes, grid.parents.__getitem__, grid.frames.__getitem__).entered
    return {
        "begin": facts.seconds(part.t0_ns),
        "step": grid.step_ns / NS_PER_S,
        "steps": grid.steps,
        "smaller": grid.small_share,
        "threads": _threads(reader, grid, facts),
        "functions": functions,
        "parents": grid.parents,
        "of": of_node,
        "entered": [entered.get(node, 0) for node in nodes],
        "cells": grid.packed(),
    }


def _functions(
    grid: StackGrid, hottest_line: dict[tuple[str, str], int], mains: frozenset[str]
) -> tuple[list[list[Any]], list[int]]:
    """Return what is known of each function, and which one every node stands in."""
    known: dict[tuple[str, str, int], int] = {}
    functions: list[list[Any]] = []
    of_node = []
    for frame in grid.frames:
        line = hottest_line.get((frame.function, frame.file), frame.line)
        key = (frame.function, frame.file, line)
        if key not in known:
            known[key] = len(functions)
            functions.append(_function(frame._replace(line=line), mains))
        of_node.append(known[key])
    return functions, of_node


def _function(frame: Frame, mains: frozenset[str]) -> list[Any]:
    """Return [name, file, line, place, hue, shade, library, whether it is the program's own]."""
    hue, shade = frame_ink(frame.module, frame.file)
    degrees = -1 if hue < 0 or frame.kind == "elided" else HUES[hue]
    place = place_of(frame.module, frame.file, frame.line) if frame.file else ""
    return [
        _name(called(frame.function, frame.file, mains)),
        _name(shown_file(frame.file)),
        frame.line,
        _name(place),
        degrees,
        shade,
        _name(library_of(frame)),
        int(whose(frame) == "yours"),
    ]


def _threads(reader: Reader, grid: StackGrid, facts: Facts) -> list[dict[str, Any]]:
    counted = {(tree.pid, tree.tid) for tree in busy(facts.threads)}
    waiting = {(tree.pid, tree.tid): tree.waiting for tree in facts.threads}
    many = len({pid for pid, _ in grid.threads}) > 1
    processes = process_names(reader)
    found = []
    for place, thread in enumerate(grid.threads):
        name = reader.thread_name(thread)
        process = processes.get(thread[0]) or f"process {thread[0]}"
        found.append(
            {
                "name": _name(f"{process} / {name}" if many else name),
                "pid": thread[0],
                "tid": thread[1],
                "wall": grid.wall_ns[place] / NS_PER_S,
                "busy": thread in counted,
                "waiting": _name(waiting.get(thread, "")),
            }
        )
    return found
