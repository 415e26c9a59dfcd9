"""One picture of a comparison: what the person chose, and what the two sides say about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.comparison import compare
from perftui.probes.compare.facts import numbered_phases
from perftui.probes.compare.functions import function_changes
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.comparison import ComparedRun, Comparison, PhaseChange
    from perftui.probes.compare.facts import PhaseKey, RunFacts
    from perftui.probes.profile.sums import WeightName
    from perftui.probes.spine.reader import Phase, Reader

Alignment = Literal["phase only", "phase", "start"]
ALIGNMENTS: tuple[Alignment, ...] = ("phase only", "phase", "start")
WEIGHTS: tuple[WeightName, ...] = ("wall", "cpu", "grown")


@dataclass(frozen=True, slots=True)
class CompareChoice:
    """What the person chose to look at."""

    phase: PhaseKey | None = None
    alignment: Alignment = "phase only"
    """How the time axes lie over each other while a phase is chosen."""
    weight: WeightName = "wall"
    thread: str = ""
    """Name of the threads that flame and functions are about; "" for all."""
    filter: str = ""

    def with_(self, **changes: object) -> CompareChoice:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


class SideLine(NamedTuple):
    """The timelines of one side over the common axis, one value per column."""

    name: str
    zero_ns: int
    """The moment of its own clock that is 0 on the axis."""
    span: tuple[int, int]
    """The whole run."""
    rss: tuple[float | None, ...]
    cpu: tuple[float | None, ...]
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class CompareView:
    """One picture."""

    choice: CompareChoice
    comparison: Comparison
    phases: tuple[PhaseChange, ...]
    """Of the whole runs, whatever is chosen."""
    threads: tuple[str, ...]
    """Names of threads that can be chosen."""
    axis_s: tuple[float, float]
    """Seconds from 0, where both sides are aligned."""
    base: SideLine
    new: SideLine
    chosen_s: tuple[float, float] | None
    """The chosen phase on the axis, the longer of both; None without one or if it is all."""


class Timelines(NamedTuple):
    """The part of a picture that depends on the width of the terminal."""

    axis_s: tuple[float, float]
    base: SideLine
    new: SideLine
    chosen_s: tuple[float, float] | None


def take_comparison(
    base: Sequence[ComparedRun],
    new: Sequence[ComparedRun],
    choice: CompareChoice,
    known: Comparison | None = None,
    *,
    test: bool = True,
) -> Comparison:
    """Compare as the person chose.

    Args:
        base: Runs of the one side.
        new: Runs of the other.
        choice: Phase and threads.
        known: The comparison of the same phase with all threads, if there is one.
        test: Look for the noise within single runs, which takes a while for long ones.
    """
    comparison = known or compare(base, new, choice.phase, test=test)
    if not choice.thread:
        return comparison
    narrowed = {id(run): _of_thread(run, choice.thread) for run in _runs(comparison)}
    pair = comparison.pair
    return replace(
        comparison,
        functions=function_changes(
            [narrowed[id(run)] for run in comparison.base],
            [narrowed[id(run)] for run in comparison.new],
            (narrowed[id(pair[0])], narrowed[id(pair[1])]),
            test=test,
        ),
    )


def _runs(comparison: Comparison) -> tuple[RunFacts, ...]:
    return (*comparison.base, *comparison.new)


def _of_thread(run: RunFacts, name: str) -> RunFacts:
    return replace(run, stacks=tuple(stack for stack in run.stacks if stack.name == name))


def thread_names(comparison: Comparison) -> tuple[str, ...]:
    """Return the names of threads of both sides, those with most time first."""
    sums: dict[str, int] = {}
    for run in comparison.pair:
        for stack in run.stacks:
            sums[stack.name] = sums.get(stack.name, 0) + stack.wall_ns
    return tuple(sorted(sums, key=lambda name: (-sums[name], name)))


def take_timelines(comparison: Comparison, choice: CompareChoice, columns: int) -> Timelines:
    """Ask both sides for their timelines over one axis."""
    spans = [_whole(run.reader) for run in comparison.pair]
    chosen = [run.span for run in comparison.pair]
    by_phase = choice.phase is not None and choice.alignment != "start"
    zeros = [span[0] for span in (chosen if by_phase else spans)]
    shown = chosen if choice.phase is not None and choice.alignment == "phase only" else spans
    first = min(span[0] - zero for span, zero in zip(shown, zeros, strict=True))
    last = max(span[1] - zero for span, zero in zip(shown, zeros, strict=True))
    last = max(last, first + NS_PER_S // 10)
    sides = [
        _side(run, span, zero, (first, last), max(columns, 1))
        for run, span, zero in zip(comparison.pair, spans, zeros, strict=True)
    ]
    marked = None
    if choice.phase is not None and choice.alignment != "phase only":
        marked = (
            min(span[0] - zero for span, zero in zip(chosen, zeros, strict=True)) / NS_PER_S,
            max(span[1] - zero for span, zero in zip(chosen, zeros, strict=True)) / NS_PER_S,
        )
    return Timelines((first / NS_PER_S, last / NS_PER_S), sides[0], sides[1], marked)


def _whole(reader: Reader) -> tuple[int, int]:
    status = reader.status()
    return status.t_start_ns, max(status.t_end_ns, status.t_start_ns + 1)


def _side(
    run: RunFacts, span: tuple[int, int], zero: int, axis: tuple[int, int], columns: int
) -> SideLine:
    reader = run.reader
    t0, t1 = zero + axis[0], zero + axis[1]
    rss = reader.metric("rss_bytes", t0, t1, columns)
    cpu = reader.metric("cpu_percent", t0, t1, columns)
    return SideLine(
        run.name,
        zero,
        span,
        _inside(rss.high, span, (t0, t1)),
        _inside(cpu.high, span, (t0, t1)),
        tuple(numbered_phases(reader.phases(*span)).values()),
    )


def _inside(
    values: Sequence[float | None], span: tuple[int, int], axis: tuple[int, int]
) -> tuple[float | None, ...]:
    """Take out what lies outside of the run: a coarse step may reach beyond its end."""
    step = (axis[1] - axis[0]) / max(len(values), 1)
    return tuple(
        value if span[0] <= axis[0] + (n + 1) * step and axis[0] + n * step < span[1] else None
        for n, value in enumerate(values)
    )
