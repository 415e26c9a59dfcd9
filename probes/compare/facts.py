"""What one run says in one range: all that a comparison puts side by side.

Figures have a key that names them in rules and JSON ("peak_rss", "phase:load.duration"), a unit
and a direction. A figure that is not known is left out, never 0.
"""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.answers.worked import worked_ns
from perftui.probes.profile.sums import busy
from perftui.probes.spine.reader import TREE
from perftui.probes.summary import cpu_seconds, imports_total_s, peak_rss_bytes
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perftui.probes.compare.place import RunPlace
    from perftui.probes.spine.reader import CallStats, Import, Phase, Reader, ThreadTree
    from perftui.probes.spine.records import Alert

Unit = Literal["s", "B", "/s", "%", ""]
Better = Literal["lower", "higher", "neither"]

_RSS_STEPS = 2_000
"""Buckets in which the first and last RSS of a range are looked for."""
_TAKEN_DOWN_NS = NS_PER_S // 5
"""RSS at the end is that of so long before: the last readings are of an interpreter that frees."""
_LEAST_S, _LEAST_PHASE_S, _LEAST_CALL_S = 0.050, 0.020, 0.001
_LEAST_BYTES = 5 * 1024 * 1024


class Figure(NamedTuple):
    """One number of one run."""

    label: str
    value: float
    unit: Unit
    better: Better
    least: float = 0.0
    """A difference of less than this, in its unit, is what measuring it twice gives."""


class PhaseKey(NamedTuple):
    """A phase that can be found again in another run: the n-th of its name."""

    name: str
    number: int
    """1 for the first of that name."""

    def __str__(self) -> str:
        return self.name if self.number == 1 else f"{self.name}#{self.number}"


class ImportSum(NamedTuple):
    """What a module cost, in all processes of the run."""

    module: str
    parent: str | None
    self_s: float
    cumulative_s: float
    rss_bytes: int | None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """See the module."""

    name: str
    """What a person calls the run: the name of its recording."""
    place: RunPlace
    reader: Reader
    span: tuple[int, int]
    """Nanoseconds of the run's own clock, [t0, t1)."""
    figures: dict[str, Figure]
    phases: dict[PhaseKey, Phase]
    imports: dict[str, ImportSum]
    calls: dict[str, CallStats]
    alerts: tuple[Alert, ...]
    stacks: tuple[ThreadTree, ...]
    """Of the threads that did something."""

    still_runs: bool
    installed: Mapping[str, str]
    """Distributions that were imported, and their versions; empty where that is not known."""

    @property
    def duration_s(self) -> float:
        """Length of the range."""
        return (self.span[1] - self.span[0]) / NS_PER_S

    @property
    def sampled_ns(self) -> int:
        """Thread time with stacks."""
        return sum(stack.wall_ns for stack in self.stacks)


def take_facts(
    reader: Reader, name: str, place: RunPlace, phase: PhaseKey | None = None
) -> RunFacts:
    """Ask a run for its facts.

    Args:
        reader: The run.
        name: What a person calls it.
        place: Where and how it was measured.
        phase: Only this phase; None takes the whole run.

    Raises:
        KeyError: the run has no such phase.
    """
    status = reader.status()
    whole = (status.t_start_ns, max(status.t_end_ns, status.t_start_ns + 1))
    keyed = numbered_phases(reader.phases(*whole))
    span = whole if phase is None else _span_of(keyed[phase], whole[1])
    inside = {key: each for key, each in keyed.items() if _overlaps(each, span)}
    imported = reader.imports(*span)
    calls = {stats.name: stats for stats in reader.calls(*span)}
    figures = _whole_figures(reader) if phase is None else _phase_figures(keyed[phase], reader)
    figures |= _memory_figures(reader, span, figures.get("peak_rss"))
    total_s = imports_total_s(imported)
    if total_s is not None:
        figures["imports"] = Figure("imports", total_s, "s", "lower", _LEAST_PHASE_S)
    for key, each in inside.items():
        figures |= _figures_of_phase(key, each)
    figures |= _figures_of_calls(calls.values())
    figures |= _figures_of_counters(reader, span)
    figures |= _pool_figures(reader, span)
    if phase is None:
        figures |= _own_cost(reader)
    return RunFacts(
        name=name,
        place=place,
        reader=reader,
        span=span,
        figures=figures,
        phases=inside,
        imports=import_sums(imported),
        calls=calls,
        alerts=reader.alerts(*span),
        stacks=busy(reader.call_tree(*span)),
        still_runs=status.state in ("starting", "live") or place.recording,
        installed={each.name: each.version for each in reader.installed()},
    )


def numbered_phases(phases: Iterable[Phase]) -> dict[PhaseKey, Phase]:
    """Name every phase by its name and the how manieth of that name it is, in order of start."""
    seen: Tally[str] = Tally()
    keyed = {}
    for phase in phases:
        seen[phase.name] += 1
        keyed[PhaseKey(phase.name, seen[phase.name])] = phase
    return keyed


def import_sums(imports: Iterable[Import]) -> dict[str, ImportSum]:
    """Add up imports by module; a module that several processes import is their sum."""
    rows = tuple(imports)
    names = {(row.pid, row.id): row.module for row in rows}
    sums: dict[str, ImportSum] = {}
    for row in rows:
        parent = None if row.parent_id is None else names.get((row.pid, row.parent_id))
        known = sums.get(row.module)
        self_s, total_s, rss = row.self_ns / NS_PER_S, row.total_ns / NS_PER_S, row.rss_bytes
        if known is not None:
            self_s += known.self_s
            total_s += known.cumulative_s
            parent = known.parent
            rss = rss if known.rss_bytes is None else known.rss_bytes + (rss or 0)
        sums[row.module] = ImportSum(row.module, parent, self_s, total_s, rss)
    return sums


def _span_of(phase: Phase, end_ns: int) -> tuple[int, int]:
    return phase.t0_ns, max(end_ns if phase.t1_ns is None else phase.t1_ns, phase.t0_ns + 1)


def _overlaps(phase: Phase, span: tuple[int, int]) -> bool:
    """Tell whether a phase began in a range and not at its end."""
    return span[0] <= phase.t0_ns < span[1]


def _whole_figures(reader: Reader) -> dict[str, Figure]:
    figures = {"duration": Figure("duration", worked_ns(reader) / NS_PER_S, "s", "lower", _LEAST_S)}
    cpu = cpu_seconds(reader, reader.exit() is not None)
    user, system = cpu["user"], cpu["system"]
    if user is not None:
        figures["cpu"] = Figure("CPU", user + (system or 0.0), "s", "lower", _LEAST_S)
        figures["cpu_user"] = Figure("CPU user", user, "s", "lower", _LEAST_S)
    if system is not None:
        figures["cpu_system"] = Figure("CPU system", system, "s", "lower", _LEAST_S)
    peak = peak_rss_bytes(reader, reader.target())
    if peak is not None:
        figures["peak_rss"] = Figure("peak RSS", peak, "B", "lower", _LEAST_BYTES)
    return figures


def _phase_figures(phase: Phase, reader: Reader) -> dict[str, Figure]:
    end_ns = reader.status().t_end_ns if phase.t1_ns is None else phase.t1_ns
    figures = {
        "duration": Figure(
            "duration", max(end_ns - phase.t0_ns, 0) / NS_PER_S, "s", "lower", _LEAST_PHASE_S
        )
    }
    if phase.cpu_s is not None:
        figures["cpu"] = Figure("CPU", phase.cpu_s, "s", "lower", _LEAST_PHASE_S)
    if phase.peak_rss_bytes is not None:
        figures["peak_rss"] = Figure("peak RSS", phase.peak_rss_bytes, "B", "lower", _LEAST_BYTES)
    return figures


def _memory_figures(
    reader: Reader, span: tuple[int, int], peak: Figure | None
) -> dict[str, Figure]:
    before_end = max(span[1] - _TAKEN_DOWN_NS, (span[0] + span[1]) // 2)
    seen = [
        value
        for value in reader.metric("rss_bytes", span[0], before_end, _RSS_STEPS).last
        if value is not None
    ]
    if not seen:
        return {}
    figures = {"end_rss": Figure("RSS at the end", seen[-1], "B", "lower", _LEAST_BYTES)}
    if peak is not None:
        grown = max(peak.value - seen[0], 0.0)
        figures["growth"] = Figure("growth above the start", grown, "B", "lower", _LEAST_BYTES)
    return figures


def _figures_of_phase(key: PhaseKey, phase: Phase) -> dict[str, Figure]:
    figures = {}
    if phase.t1_ns is not None:
        took_s = (phase.t1_ns - phase.t0_ns) / NS_PER_S
        figures[f"phase:{key}.duration"] = Figure(
            f"{key} duration", took_s, "s", "lower", _LEAST_PHASE_S
        )
    if phase.cpu_s is not None:
        figures[f"phase:{key}.cpu"] = Figure(
            f"{key} CPU", phase.cpu_s, "s", "lower", _LEAST_PHASE_S
        )
    if phase.peak_rss_bytes is not None:
        peak = Figure(f"{key} peak RSS", phase.peak_rss_bytes, "B", "lower", _LEAST_BYTES)
        figures[f"phase:{key}.peak_rss"] = peak
    return figures


def _figures_of_calls(calls: Iterable[CallStats]) -> dict[str, Figure]:
    figures = {}
    for call in calls:
        label = f"call {call.name}"
        figures[f"call:{call.name}.first"] = Figure(
            f"{label} first", call.first_ns / NS_PER_S, "s", "lower", _LEAST_CALL_S
        )
        if call.warm_median_ns is not None:
            figures[f"call:{call.name}.warm"] = Figure(
                f"{label} warm", call.warm_median_ns / NS_PER_S, "s", "lower", _LEAST_CALL_S
            )
        if call.ratio is not None:
            figures[f"call:{call.name}.ratio"] = Figure(
                f"{label} first / warm", call.ratio, "", "lower"
            )
        figures[f"call:{call.name}.n"] = Figure(f"{label} count", call.n, "", "neither")
        if call.failed:
            figures[f"call:{call.name}.failed"] = Figure(
                f"{label} failed", call.failed, "", "lower"
            )
    return figures


def _figures_of_counters(reader: Reader, span: tuple[int, int]) -> dict[str, Figure]:
    figures = {}
    for counter in reader.counters(*span):
        figures[f"count:{counter.name}"] = Figure(counter.name, counter.total, "", "neither")
        if counter.per_s is not None:
            figures[f"rate:{counter.name}"] = Figure(
                f"{counter.name} per second", counter.per_s, "/s", "higher"
            )
    return figures


def _pool_figures(reader: Reader, span: tuple[int, int]) -> dict[str, Figure]:
    figures = {}
    for name in reader.metric_names():
        if name.startswith("pool:"):
            high = reader.metric(name, *span, 1, TREE).high[0]
            if high is not None:
                figures[f"{name}.peak"] = Figure(
                    f"{name[5:]} peak", high, "B", "lower", _LEAST_BYTES
                )
    return figures


def _own_cost(reader: Reader) -> dict[str, Figure]:
    """What perftui itself took: it belongs to the honesty of a comparison."""
    status, overhead = reader.status(), reader.overhead()
    length_s = (status.t_end_ns - status.t_start_ns) / NS_PER_S
    figures = {}
    if overhead is not None and length_s > 0:
        share = overhead.cpu_s * 100 / length_s
        figures["own_cpu"] = Figure("perftui's own CPU", share, "%", "neither", 2.0)
    peak = reader.own_peak_rss_bytes()
    if peak is not None:
        figures["own_rss"] = Figure("perftui's own RSS", peak, "B", "neither", _LEAST_BYTES)
    return figures
