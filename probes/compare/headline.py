"""The verdict on a comparison in a line, and the reasons in a few more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.comparison import ONE_RUN
from perftui.probes.compare.figures import percent_text, points_text
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.compare.comparison import Comparison, ImportChange
    from perftui.probes.compare.confidence import Verdict
    from perftui.probes.compare.figures import FigureChange

Word = Literal["regressed", "suspect", "ok", "improved", "inconclusive", "no verdict"]

_JUDGED = ("duration", "cpu", "peak_rss", "growth", "imports")
_JUDGED_KINDS = ("rate:", "call:")
_WORST: tuple[Verdict, ...] = ("regressed", "suspect", "inconclusive", "improved", "ok")


class Headline(NamedTuple):
    """See the module."""

    word: Word
    text: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    """Those of the comparison that `text` does not say already."""


def judged(comparison: Comparison) -> list[FigureChange]:
    """Return the figures that the verdict is about."""
    return [
        figure
        for figure in comparison.figures
        if figure.better != "neither"
        and (
            figure.key in _JUDGED
            or (
                figure.key.startswith(_JUDGED_KINDS)
                and not figure.key.endswith((".ratio", ".failed"))
            )
        )
    ]


def headline(comparison: Comparison) -> Headline:
    """Say what the comparison comes to."""
    figures = judged(comparison)
    verdicts = [(figure, figure.verdict()) for figure in figures]
    known = [(figure, verdict) for figure, verdict in verdicts if verdict is not None]
    reasons = tuple(_reasons(comparison))
    if comparison.single or not known:
        text = _single(comparison, figures)
        return Headline("no verdict", text, reasons, _unsaid(comparison, text))
    worst = min((verdict for _, verdict in known), key=_WORST.index)
    if worst == "inconclusive" and any(verdict == "improved" for _, verdict in known):
        worst = "improved"
    about = [figure for figure, verdict in known if verdict == worst]
    told = ", ".join(_told(figure) for figure in about[:4]) if worst != "ok" else ""
    text = told or f"no figure changed by its threshold or more ({len(known)} judged)"
    return Headline(worst, text, reasons, _unsaid(comparison, text))


def _unsaid(comparison: Comparison, text: str) -> tuple[str, ...]:
    return tuple(warning for warning in comparison.warnings if not text.startswith(warning))


def _single(comparison: Comparison, figures: list[FigureChange]) -> str:
    changed = [figure for figure in figures if figure.is_change and figure.change is not None]
    reason = ONE_RUN if max(len(comparison.base), len(comparison.new)) == 1 else "too few runs"
    if not changed:
        return f"{reason}; the figures are alike"
    return f"{reason}; {', '.join(_told(figure) for figure in changed[:4])}"


def _told(figure: FigureChange) -> str:
    text = f"{figure.label} {percent_text(figure.ratio)}"
    interval = figure.relative_interval
    if interval is not None:
        text += f" ({percent_text(interval.low)} to {percent_text(interval.high)})"
    return text


def _reasons(comparison: Comparison) -> list[str]:
    """Name what the change may come from, each in a line."""
    reasons = []
    duration, cpu = comparison.figure("duration"), comparison.figure("cpu")
    if duration and cpu and duration.is_change and cpu.change is not None and not cpu.is_change:
        reasons.append(
            "CPU time is the same: waiting or a busy machine, rather than more or less work"
        )
    rows = comparison.functions.rows
    changed = [row for row in rows if row.word and not row.waited]
    for row in changed[:3]:
        where = f"{row.function} ({row.file.rpartition('/')[2]})"
        sure = {True: "", False: ", no clear change", None: ""}[row.sure]
        reasons.append(
            f"{where} {row.word} {format_seconds(abs(row.seconds))} of its own,"
            f" {points_text(row.share)} points of the time{sure}"
        )
    if not changed and duration is not None and duration.is_change and rows:
        reasons.append("no function stands out: the shares of the time are about the same")
    grown = [row for row in rows if row.memory] if comparison.memory_changed else []
    grown.sort(key=lambda row: -abs(row.bytes))
    reasons += [
        f"memory grown in {row.function} ({row.file.rpartition('/')[2]}):"
        f" {format_bytes(row.base.grown_bytes)} → {format_bytes(row.new.grown_bytes)}"
        f"{', or in what runs beside it: no sample tells' if row.memory_unsure else ''}"
        for row in grown[:2]
    ]
    for words, only in (("new imports", True), ("no longer imported", False)):
        roots = top_imports(comparison, new=only)
        if roots:
            names = ", ".join(row.module for row in roots[:4])
            more = f" and {len(roots) - 4} more" if len(roots) > 4 else ""
            reasons.append(f"{words}: {names}{more}")
    return reasons


def top_imports(comparison: Comparison, *, new: bool) -> list[ImportChange]:
    """Return modules of one side only that no other such module brought along, slowest first."""
    only = [row for row in comparison.imports if (row.base if new else row.new) is None]
    names = {row.module for row in only}
    roots = [row for row in only if row.parent not in names]
    return sorted(roots, key=lambda row: -abs(row.seconds))
