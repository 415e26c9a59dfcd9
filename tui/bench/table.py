"""A bench as text: the verdict first, then a line for each figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.text.columns import aligned
from perftui.scenarios.bench.bench import ended_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.scenarios.bench.answer import BenchAnswer, BenchRow
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.gate import Gate
    from perftui.scenarios.bench.keep import KeptRecording
    from perftui.scenarios.bench.series import LabSeries
    from perftui.tui.bench.report import BenchReport

_QUIET = ("count:", "reference", "pool:")
"""Figures that every run has alike, and those of single allocators: only in JSON, unless they are
judged (`--threshold pool:malloc.peak=10%`)."""


def bench_text(report: BenchReport) -> str:
    """Return the whole of it."""
    bench, found = report.bench, report.found
    lines = [f"{bench.plan.new.title}: {_runs(bench)}"]
    if bench.told_base:
        lines.append(f"against {bench.told_base}")
    lines += [f"  ! {warning}" for warning in bench.warnings]
    if bench.told_cold:
        lines.append(f"cold page cache: {bench.told_cold}")
    lines.append("")
    if report.calibrated:
        lines += ["what this machine differs by from itself, now kept for later verdicts", ""]
    else:
        lines += _verdict(report)
    lines += figure_lines(bench, found, calibrated=report.calibrated)
    lines += failure_lines(bench)
    lines += kept_lines(report.kept, several=len(bench.sides) > 1)
    return "\n".join(lines).rstrip()


def _verdict(report: BenchReport) -> list[str]:
    """Return the verdict and its reasons, and what became of the budget."""
    lines = []
    if report.found.verdict is not None:
        lines += [f"verdict: {report.found.verdict}"]
        lines += [f"  {reason}" for reason in (*report.found.reasons, *report.drift)]
        lines.append("")
    for line in report.budget:
        lines.append(f"budget {line.outcome}  {line.text()}")
    lines += report.diagnosis
    if report.budget or report.diagnosis:
        lines.append("")
    return lines


def kept_lines(kept: Sequence[KeptRecording], *, several: bool) -> list[str]:
    """Return where the recordings are.

    Args:
        kept: Which.
        several: There are several sides, or releases: say which.
    """
    from pathlib import Path

    from perftui.probes.recording.shelf.shelf import name_of
    from perftui.probes.text.shell_words import shell_word

    lines = []
    for each in kept:
        name = name_of(Path(each.path))
        side = f"{each.side} " if several else ""
        run = f"run {each.number}" if each.number else "warm-up"
        why = f" ({each.why})" if each.why else ""
        lines.append(f"kept {side}{run}{why}: perftui open {shell_word(name or each.path)}")
    return ["", *lines] if lines else []


def figure_lines(bench: Bench, found: BenchAnswer, *, calibrated: bool) -> list[str]:
    """Return the table of figures."""
    if calibrated:
        return _noise_lines(found)
    compared = found.verdict is not None
    head = ["figure", *(("base", "new", "change") if compared else ("median",)), "95 %"]
    head += ["threshold", "verdict"] if compared else []
    rows = [head]
    rows += [_line(row, compared) for row in found.rows if _is_shown(row, bench.plan.gate)]
    lines = aligned(rows, right=range(1, 4 if compared else 3))
    lines += ["", *_states(bench.new)]
    if compared:
        lines.append(
            f"an alarm goes by intervals of {(1 - found.level) * 100:.2f} %: one false in 100 "
            "comparisons, over all figures"
        )
    return lines


def _is_shown(row: BenchRow, gate: Gate) -> bool:
    return not row.key.startswith(_QUIET) or gate.own.get(row.key) is not None


def _noise_lines(found: BenchAnswer) -> list[str]:
    rows = [["figure", "noise"]]
    rows += [
        [row.figure.label, f"±{percent_text(row.change.noise).removeprefix('+')}"]
        for row in found.rows
        if row.change is not None and not row.key.startswith(_QUIET)
    ]
    return aligned(rows, right=[1])


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
    if row.threshold is not None and row.floor:
        threshold += f", noise ±{row.floor * 100:.1f} %"
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
