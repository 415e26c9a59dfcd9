"""Scores alerts against the truths of the corpus: recall, precision, delay, clears, repeats."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from perftui.probes.detect.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perftui.probes.detect.evidence.observations import Edge
    from support.detect.corpus import Trace, Truth

    Runner = Callable[[Trace], list[Edge]]

EARLY_S = 1.0
"""An alert may come this much before its truth: noise moves an onset."""
CLEAR_WITHIN_S = 30.0


@dataclass
class Score:
    """Sums over traces; the properties are the figures."""

    truths: int = 0
    hits: int = 0
    false_alarms: list[tuple[str, Edge]] = field(default_factory=list)
    missed: list[tuple[str, Truth]] = field(default_factory=list)
    healthy_false: int = 0
    healthy_h: float = 0.0
    repeats: int = 0
    traces: int = 0
    delays: list[float] = field(default_factory=list)
    onset_errors: list[float] = field(default_factory=list)
    to_clear: int = 0
    cleared: list[float] = field(default_factory=list)
    samples: int = 0
    cost_s: float = 0.0
    by_family: dict[str, Score] = field(default_factory=dict)

    @property
    def recall(self) -> float:
        return self.hits / self.truths if self.truths else 1.0

    @property
    def macro_recall(self) -> float:
        parts = [score.recall for score in self.by_family.values() if score.truths]
        return sum(parts) / len(parts) if parts else 1.0

    @property
    def worst(self) -> tuple[float, str]:
        return min(
            ((score.recall, name) for name, score in self.by_family.items() if score.truths),
            default=(1.0, "-"),
        )

    @property
    def precision(self) -> float:
        said = self.hits + len(self.false_alarms)
        return self.hits / said if said else 1.0

    @property
    def false_per_healthy_hour(self) -> float:
        return self.healthy_false / self.healthy_h if self.healthy_h else 0.0

    @property
    def clear_share(self) -> float:
        return len(self.cleared) / self.to_clear if self.to_clear else 1.0

    @property
    def us_per_sample(self) -> float:
        return self.cost_s / max(self.samples, 1) * 1e6


def quantile(values: list[float], share: float) -> float:
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def alerts_of(trace: Trace) -> list[Edge]:
    """What our detectors say."""
    return list(Engine(trace.limit_bytes).feed_all(trace.observations))


def score(traces: Iterable[Trace], runner: Runner = alerts_of) -> Score:
    """Run and score; everything below warn is a mark and does not count."""
    total = Score(by_family=defaultdict(Score))
    for trace in traces:
        began = time.thread_time()  # of CPU: what neighbours do is not its cost
        edges = runner(trace)
        cost_s = time.thread_time() - began
        for part in (total, total.by_family[trace.family]):
            part.traces += 1
            part.samples += trace.n_samples
            part.cost_s += cost_s
            _add(part, trace, edges)
    return total


def raised(edges: list[Edge]) -> list[Edge]:
    """The edges at which an alert first reached warn."""
    seen: set[tuple[str, float]] = set()
    found = []
    for edge in edges:
        key = (edge.kind, edge.t_onset_s)
        if edge.severity in ("warn", "critical") and key not in seen:
            seen.add(key)
            found.append(edge)
    return found


def _add(part: Score, trace: Trace, edges: list[Edge]) -> None:
    part.truths += len(trace.truths)
    if trace.healthy:
        part.healthy_h += trace.duration_s / 3600
    hit: dict[int, Edge] = {}
    for edge in raised(edges):
        index = next(
            (
                i
                for i, truth in enumerate(trace.truths)
                if truth.kind == edge.kind
                and truth.onset_s - EARLY_S <= edge.t_detect_s <= truth.latest_s
            ),
            None,
        )
        if index is None:
            part.false_alarms.append((trace.name, edge))
            part.healthy_false += trace.healthy
        elif index in hit:
            part.repeats += 1
        else:
            hit[index] = edge
    part.hits += len(hit)
    for index, truth in enumerate(trace.truths):
        edge_or_none = hit.get(index)
        if edge_or_none is None:
            part.missed.append((trace.name, truth))
            continue
        part.delays.append(edge_or_none.t_detect_s - truth.onset_s)
        part.onset_errors.append(abs(edge_or_none.t_onset_s - truth.onset_s))
        end_s = truth.end_s
        if end_s is None or end_s + CLEAR_WITHIN_S > trace.duration_s:
            continue
        part.to_clear += 1
        clears = [
            edge.t_detect_s
            for edge in edges
            if edge.severity == "clear" and edge.kind == truth.kind and edge.t_detect_s >= end_s
        ]
        if clears and clears[0] - end_s <= CLEAR_WITHIN_S:
            part.cleared.append(clears[0] - end_s)


def uses_the_future(trace: Trace, edges: list[Edge], cut_s: float) -> bool:
    """Tell whether a trace cut at `cut_s` gives other alerts up to there."""
    cut = [seen for seen in trace.observations if seen.t_s <= cut_s]
    again = list(Engine(trace.limit_bytes).feed_all(cut))
    return again != [edge for edge in edges if edge.t_detect_s <= cut_s]


def table(scores: dict[str, Score]) -> str:
    """The figures of several runners side by side, then family by family."""
    names = list(scores)
    rows: list[tuple[str, list[str]]] = [
        ("recall", [f"{s.recall:.3f} ({s.truths})" for s in scores.values()]),
        ("macro recall", [f"{s.macro_recall:.3f}" for s in scores.values()]),
        ("worst class", [f"{s.worst[0]:.2f} {s.worst[1]}" for s in scores.values()]),
        ("precision", [f"{s.precision:.3f}" for s in scores.values()]),
        (
            "false / healthy h",
            [f"{s.false_per_healthy_hour:.2f} ({s.healthy_h:.1f} h)" for s in scores.values()],
        ),
        (
            "delay p50/p95 s",
            [
                f"{quantile(s.delays, 0.5):.1f}/{quantile(s.delays, 0.95):.1f}"
                for s in scores.values()
            ],
        ),
        (
            "cleared <= 30 s",
            [
                f"{len(s.cleared)}/{s.to_clear}"
                + (f" med {median(s.cleared):.1f} s" if s.cleared else "")
                for s in scores.values()
            ],
        ),
        ("repeats", [f"{s.repeats} of {s.traces}" for s in scores.values()]),
        ("us per sample", [f"{s.us_per_sample:.1f}" for s in scores.values()]),
    ]
    families = list(next(iter(scores.values())).by_family)
    for family in families:
        cells = []
        for each in scores.values():
            part = each.by_family[family]
            if part.truths:
                cells.append(
                    f"{part.hits}/{part.truths} {quantile(part.delays, 0.5):.1f}/"
                    f"{quantile(part.delays, 0.95):.1f} on "
                    f"{quantile(part.onset_errors, 0.5):.1f}"
                    + (f" FA {len(part.false_alarms)}" if part.false_alarms else "")
                    + (f" rep {part.repeats}" if part.repeats else "")
                )
            else:
                cells.append(f"FA {len(part.false_alarms)} in {part.healthy_h * 60:.0f} min")
        rows.append((family, cells))
    width = max(len(label) for label, _ in rows) + 2
    columns = [
        max(len(name), *(len(cells[i]) for _, cells in rows)) + 2 for i, name in enumerate(names)
    ]
    lines = [" " * width + "".join(name.ljust(w) for name, w in zip(names, columns, strict=True))]
    for label, cells in rows:
        lines.append(
            label.ljust(width)
            + "".join(cell.ljust(w) for cell, w in zip(cells, columns, strict=True))
        )
    return "\n".join(line.rstrip() for line in lines)
