"""A bench as text: the verdict first, then a line for each figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.text.columns import aligned
from perftui.scenarios.bench.bench import ended_text

if TYPE_CHECKING:
    from perftui.scenarios.bench.answer import BenchAnswer, BenchRow
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.series import LabSeries

_QUIET = ("count:", "reference")
"""Figures that every run has alike: only in JSON."""


def bench_text(bench: Bench, found: BenchAnswer) -> str:
    """Return the whole of it."""
    lines = [f"{bench.plan.new.title}: {_runs(bench)}", ""]
    lines += verdict_lines(found)
    lines += figure_lines(bench, found)
    lines += failure_lines(bench)
    return "\n".join(lines).rstrip()


def verdict_lines(found: BenchAnswer) -> list[str]:
    """Return the verdict and its reasons, nothing without a base."""
    if found.verdict is None:
        return []
    return [f"verdict: {found.verdict}", *(f"  {reason}" for reason in found.reasons), ""]


def figure_lines(bench: Bench, found: BenchAnswer) -> list[str]:
    """Return the table of figures."""
    compared = found.verdict is not None
    head = ["figure", *(("base", "new", "change") if compared else ("median",)), "95 %"]
    head += ["threshold", "verdict"] if compared else []
    rows = [head]
    rows += [_line(row, compared) for row in found.rows if not row.key.startswith(_QUIET)]
    lines = aligned(rows, right=range(1, 4 if compared else 3))
    lines += ["", *_states(bench.new)]
    if compared:
        sure = percent_text(1 - found.level).removeprefix("+")
        lines.append(
            f"an alarm goes by intervals of {sure}: one false in 100 comparisons, over all figures"
        )
    return lines


def _line(row: BenchRow, compared: bool) -> list[str]:
    new = amount_text(row.new_median, row.figure.unit)
    if not compared:
        spread = ""
        if row.spread is not None:
            low, high = (amount_text(end, row.figure.unit) for end in row.spread)
            spread = low if low == high else f"{low} to {high}"
        return [row.figure.label, new, spread]
    base = amount_text(row.base_median, row.figure.unit) if row.base else "–"
    between = ""
    if row.change is not None:
        between = " to ".join(percent_text(end) for end in row.change.interval)
    threshold = "" if row.threshold is None else f"{row.threshold * 100:g} %"
    return [
        row.figure.label, base, new, percent_text(row.ratio), between, threshold,
        row.verdict or "",
    ]  # fmt: skip


def _runs(bench: Bench) -> str:
    done, failed = len(bench.new.done), len(bench.new.failed)
    text = f"{done} fresh process{'es' if done != 1 else ''}"
    if len(bench.sides) > 1:
        text += " a side, in turns"
        failed += len(bench.base.failed)
    if bench.plan.new.kept:
        text += f", {bench.calls} call{'s' if bench.calls != 1 else ''} in each"
    if failed:
        text += f"; {failed} failed"
    ended = ended_text(bench)
    return f"{text}; {ended}" if ended else text


def _states(series: LabSeries) -> list[str]:
    """Return a line that says whether the calls become steady, nothing where nobody calls."""
    states = [run.steady.state for run in series.done if len(run.calls_s) > 1]
    if not states:
        return []
    counted = ", ".join(
        f"{state} ({states.count(state)} of {len(states)})" if len(set(states)) > 1 else state
        for state in sorted(set(states), key=states.count, reverse=True)
    )
    return [f"calls after the first: {counted}"]


def failure_lines(bench: Bench) -> list[str]:
    """Return a line for each run that failed."""
    lines = []
    for side in bench.sides:
        for run in side.failed:
            which = "warm-up" if run.number == 0 else f"run {run.number}"
            of = "" if len(bench.sides) == 1 else f" of the {side.side}"
            lines.append(f"{which}{of} failed: {run.why}")
    return lines
