"""A comparison as text for a terminal: what changed first, what did not in one line."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from perftui.probes.compare.figures import (
    amount_text,
    change_text,
    percent_text,
    points_text,
    signed,
)
from perftui.probes.compare.headline import headline, top_imports
from perftui.probes.text.columns import aligned, widths_of
from perftui.probes.text.units import format_bytes, format_seconds
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from perftui.probes.compare.comparison import Comparison, ImportChange
    from perftui.probes.compare.facts import RunFacts
    from perftui.probes.compare.figures import FigureChange
    from perftui.probes.compare.functions import FunctionChange
    from perftui.probes.compare.rules import Judged

_ROWS = 10
_Rows = list[tuple[str, ...]]
_OWN_SECTION = ("phase:", "call:")
_METRICS = "metrics"


def compare_text(
    comparison: Comparison, judged: Sequence[Judged] = (), width: int | None = None
) -> str:
    """Return the comparison as lines of text, without a newline at the end.

    Args:
        comparison: What to tell.
        judged: What became of the rules.
        width: Cells of the terminal; None cuts nothing.
    """
    lines = _head(comparison, width)
    sections = (
        (_METRICS, _metrics(comparison), _unchanged(comparison)),
        ("phases", _phases(comparison), ""),
        ("functions: own time, share of the sampled time", *_functions(comparison)),
        ("memory grown in (an estimate)", _memory(comparison), ""),
        ("imports", *_imports(comparison)),
        ("calls", _calls(comparison), ""),
        ("alerts", _alerts(comparison), ""),
    )
    for title, rows, note in sections:
        if rows or note:
            numbers = range(1, 5) if title is _METRICS else ()
            lines += ["", title, *_aligned(rows, width, numbers)]
        if note:
            lines += _wrapped(f"  {note}", width, "    ")
    if judged:
        lines += ["", "rules", *(f"  {each.outcome}: {clean(each.text)}" for each in judged)]
    return "\n".join(line if width is None else shorten_end(line, width) for line in lines)


def _head(comparison: Comparison, width: int | None) -> list[str]:
    told = headline(comparison)
    only = "" if comparison.phase is None else f"   only phase {clean(str(comparison.phase))}"
    lines = [
        f"base  {_side(comparison.base)}{only}",
        f"new   {_side(comparison.new)}",
        "",
        *_wrapped(clean(f"{told.word}: {told.text}"), width, "  "),
    ]
    for text in (*told.reasons, *(f"! {warning}" for warning in told.warnings)):
        lines += _wrapped(f"  {clean(text)}", width, "    ")
    return lines


def _wrapped(text: str, width: int | None, indent: str) -> list[str]:
    """Break a sentence where the terminal ends."""
    if width is None or width_of(text) <= width:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _side(runs: Sequence[RunFacts]) -> str:
    names = ", ".join(clean(run.name) for run in runs)
    lengths = [run.duration_s for run in runs]
    low, high = format_seconds(min(lengths)), format_seconds(max(lengths))
    return f"{names}  ({low})" if low == high else f"{names}  ({low} to {high})"


def _metrics(comparison: Comparison) -> _Rows:
    rows = [
        figure
        for figure in comparison.figures
        if figure.is_change and not figure.key.startswith(_OWN_SECTION)
    ]
    return [_metric_row(figure) for figure in rows]


def _metric_row(figure: FigureChange) -> tuple[str, ...]:
    word = {"worse": "worse", "better": "better", "neutral": "", "none": ""}[figure.direction]
    if figure.base is None or figure.new is None:
        word = "new" if figure.base is None else "gone"
    verdict = figure.verdict()
    if verdict is not None:
        low, high = (percent_text(end) for end in figure.relative_interval or (0, 0))
        word = f"{verdict}  ({low} to {high})"
    return (
        clean(figure.label),
        amount_text(figure.base, figure.unit),
        amount_text(figure.new, figure.unit),
        change_text(figure),
        percent_text(figure.ratio),
        word,
    )


def _unchanged(comparison: Comparison) -> str:
    same = [
        f"{clean(figure.label)} {amount_text(figure.new, figure.unit)}"
        for figure in comparison.figures
        if not figure.is_change and not figure.key.startswith(_OWN_SECTION)
    ]
    return f"unchanged: {', '.join(same)}" if same else ""


def _phases(comparison: Comparison) -> _Rows:
    rows: _Rows = []
    for phase in comparison.phases[:40]:
        if not (phase.in_base and phase.in_new):
            side = "new only" if phase.in_new else "base only"
            rows.append((clean(str(phase.key)), side, "", "", "", ""))
            continue
        rows.append(
            (
                clean(str(phase.key)),
                _both(phase.duration),
                percent_text(phase.duration.ratio) if phase.duration else "",
                f"CPU {_both(phase.cpu)}" if phase.cpu else "",
                f"peak {_both(phase.peak_rss)}" if phase.peak_rss else "",
                percent_text(phase.peak_rss.ratio)
                if phase.peak_rss and phase.peak_rss.is_change
                else "",
            )
        )
    return rows


def _both(figure: FigureChange | None) -> str:
    if figure is None:
        return ""
    return f"{amount_text(figure.base, figure.unit)} → {amount_text(figure.new, figure.unit)}"


def _functions(comparison: Comparison) -> tuple[_Rows, str]:
    functions = comparison.functions
    changed = [row for row in functions.rows if row.word]
    rows = [_function_row(row) for row in changed[:_ROWS]]
    others = len(functions.rows) - len(changed[:_ROWS])
    notes = []
    if len(changed) > _ROWS:
        notes.append(f"{len(changed) - _ROWS} more changed")
    if others and functions.rows:
        label = "other" if others == 1 else "others"
        notes.append(f"{others} {label}: no clear change" if rows else "no function stands out")
    if functions.basis == "blocks":
        notes.append("tested against the noise within each run, not between runs")
    elif functions.basis == "nothing" and functions.rows and min(functions.blocks, default=0) < 8:
        notes.append("too short to test within a run (needs 80 s)")
    return rows, "; ".join(notes)


def _function_row(row: FunctionChange) -> tuple[str, ...]:
    mark = {"new": "new", "vanished": "gone", "both": ""}[row.state]
    doubt = "waited: CPU time is the same" if row.waited else ""
    if row.sure is not None:
        doubt = ", ".join(word for word in ("" if row.sure else "no clear change", doubt) if word)
    return (
        f"{points_text(row.share)} pt",
        f"{_percent(row.base.self_share)} → {_percent(row.new.self_share)}",
        signed(format_seconds(abs(row.seconds)), row.seconds),
        f"{row.base.self_per_s:.2f} → {row.new.self_per_s:.2f} s/s",
        clean(row.function),
        f"{clean(row.file).rpartition('/')[2]}:{row.line}",
        mark,
        doubt,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _memory(comparison: Comparison) -> _Rows:
    if not comparison.memory_changed:
        return []
    changed = [row for row in comparison.functions.rows if row.memory]
    changed.sort(key=lambda row: -abs(row.bytes))
    return [
        (
            signed(format_bytes(abs(row.bytes)), row.bytes),
            f"{format_bytes(row.base.grown_bytes)} → {format_bytes(row.new.grown_bytes)}",
            clean(row.function),
            f"{clean(row.file).rpartition('/')[2]}:{row.line}",
            "cannot tell" if row.memory_unsure else "",
        )
        for row in changed[:_ROWS]
    ]


def _imports(comparison: Comparison) -> tuple[_Rows, str]:
    rows: _Rows = []
    for word, new in (("new", True), ("gone", False)):
        roots = top_imports(comparison, new=new)
        rows += [_import_row(row, word) for row in roots[:_ROWS]]
        if len(roots) > _ROWS:
            rows.append((word, f"{len(roots) - _ROWS} more", "", "", ""))
    both = [row for row in comparison.imports if row.base and row.new]
    slower = [row for row in both if row.is_change]
    rows += [
        _import_row(row, "slower" if row.self_seconds > 0 else "faster") for row in slower[:_ROWS]
    ]
    same = len(both) - len(slower)
    return rows, f"unchanged: {same} {'module' if same == 1 else 'modules'}" if same else ""


def _import_row(row: ImportChange, word: str) -> tuple[str, ...]:
    base, new = row.base, row.new
    rss = (new.rss_bytes or 0 if new else 0) - (base.rss_bytes or 0 if base else 0)
    both = (
        ""
        if base is None or new is None
        else f"{format_seconds(base.cumulative_s)} → {format_seconds(new.cumulative_s)}"
    )
    return (
        word,
        clean(row.module),
        signed(format_seconds(abs(row.seconds)), row.seconds),
        f"self {signed(format_seconds(abs(row.self_seconds)), row.self_seconds)}",
        f"RSS {signed(format_bytes(abs(rss)), rss)}" if abs(rss) >= 1e5 else "",
        both,
    )


def _calls(comparison: Comparison) -> _Rows:
    base, new = (run.calls for run in comparison.pair)
    rows: _Rows = []
    for name in list({**base, **new})[:40]:
        figures = [comparison.figure(f"call:{name}.{part}") for part in ("n", "first", "warm")]
        count, first, warm = figures
        rows.append(
            (
                clean(name),
                f"n {_both(count)}" if count and count.is_change else f"n {_one(count)}",
                f"first {_both(first)}",
                percent_text(first.ratio) if first else "",
                f"warm {_both(warm)}" if warm else "",
                percent_text(warm.ratio) if warm else "",
            )
        )
    return rows


def _one(figure: FigureChange | None) -> str:
    return "" if figure is None else amount_text(figure.new, figure.unit)


def _alerts(comparison: Comparison) -> _Rows:
    rows: _Rows = []
    for row in comparison.alerts:
        word = "new" if not row.base else "gone" if not row.new else f"{row.base} → {row.new}"
        if row.base == row.new:
            word = f"{row.new} on both sides"
        rows.append((clean(row.kind), word, clean(row.message)))
    return rows


def _aligned(rows: _Rows, width: int | None, right: Container[int] = ()) -> list[str]:
    """Put rows in columns; the widest texts lose their middle where the terminal is narrow.

    Args:
        rows: Cells.
        width: Of the terminal; None cuts nothing.
        right: Columns that end where the others begin.
    """
    if not rows:
        return []
    columns = max(len(row) for row in rows)
    rows = [(*row, *("",) * (columns - len(row))) for row in rows]
    widths = widths_of(rows)
    while width is not None and sum(widths) + 2 * columns + 2 > width and max(widths) > 16:
        widths[widths.index(max(widths))] -= 1
    kept = [n for n in range(columns) if widths[n]]
    return aligned(
        [[shorten_middle(row[n], widths[n]) for n in kept] for row in rows],
        right=[at for at, n in enumerate(kept) if n in right],
        widths=[widths[n] for n in kept],
        indent="  ",
    )
