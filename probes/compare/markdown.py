"""A comparison as a comment on a pull request: the verdict, what changed, the rest folded.

Names come from the programs: they stand in code, where nothing in them is markup, links or
mentions anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import (
    amount_text,
    change_text,
    percent_text,
    points_text,
    signed,
)
from perftui.probes.compare.headline import headline, top_imports
from perftui.probes.export.report.markdown import LIMIT_BYTES, code, prose
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.compare.comparison import Comparison
    from perftui.probes.compare.facts import RunFacts
    from perftui.probes.compare.figures import FigureChange
    from perftui.probes.compare.functions import FunctionChange
    from perftui.probes.compare.rules import Judged

_SIGNS = {
    "regressed": "🔴",
    "suspect": "🟠",
    "inconclusive": "⚪",
    "ok": "🟢",
    "improved": "🟢",
    "no verdict": "⚪",
}
_OUTCOMES = {"broken": "🔴", "suspect": "🟠", "inconclusive": "⚪", "fine": "🟢"}
_SIZES = (60, 20, 8, 3)
"""Rows of each table; the largest that fits is taken."""

_Cells = tuple[str, ...]


def as_markdown(comparison: Comparison, judged: Sequence[Judged] = ()) -> str:
    """Return the comparison as GitHub-flavoured Markdown of less than 65,000 bytes."""
    text = ""
    for most in _SIZES:
        text = "\n".join(_document(comparison, judged, most))
        if len(text.encode()) < LIMIT_BYTES:
            break
    return text


def _document(comparison: Comparison, judged: Sequence[Judged], most: int) -> list[str]:
    told = headline(comparison)
    only = "" if comparison.phase is None else f", phase {code(str(comparison.phase))}"
    base, new = (_names(side) for side in (comparison.base, comparison.new))
    lines = [
        f"### perftui: {base} → {new}{only}",
        "",
        f"{_SIGNS[told.word]} **{told.word}**: {prose(told.text, 500)}",
        "",
        *(f"- {prose(reason, 300)}" for reason in told.reasons),
        *(f"- ⚠ {prose(warning, 300)}" for warning in told.warnings[:20]),
    ]
    if judged:
        lines += ["", "| rule | |", "|---|---|"]
        lines += [
            f"| {_OUTCOMES[each.outcome]} {each.outcome} | {prose(each.text, 200)} |"
            for each in judged[:most]
        ]
    figures = [f for f in comparison.figures if f.is_change and not f.key.startswith("phase:")]
    lines += _table(
        ("", "base", "new", "change", "", ""), [_figure(f) for f in figures[:most]], "lrrrrl"
    )
    changed = [row for row in comparison.functions.rows if row.word]
    lines += _table(
        ("function", "where", "share", "own time", "change", ""),
        [_function(row) for row in changed[: min(most, 12)]],
        "llrrrl",
    )
    same = [f for f in comparison.figures if not f.is_change and not f.key.startswith("phase:")]
    lines += _folded(f"Unchanged figures ({len(same)})", [_figure(f) for f in same[:most]])
    lines += _folded(
        f"Phases ({len(comparison.phases)})",
        [
            _figure(figure)
            for row in comparison.phases[:most]
            for figure in (row.duration, row.cpu, row.peak_rss)
            if figure is not None
        ],
    )
    lines += _folded("More functions", [_function(row) for row in changed[12:most]], functions=True)
    lines += _imports(comparison, most)
    lines += _alerts(comparison)
    return lines


def _names(runs: Sequence[RunFacts]) -> str:
    names = ", ".join(code(run.name, 60) for run in runs[:6])
    return f"{names} and {len(runs) - 6} more" if len(runs) > 6 else names


def _figure(figure: FigureChange) -> _Cells:
    verdict = figure.verdict()
    interval = figure.relative_interval
    word = {"worse": "worse", "better": "better"}.get(figure.direction, "")
    if verdict is not None and interval is not None:
        word = f"{verdict} ({percent_text(interval.low)} to {percent_text(interval.high)})"
    return (
        prose(figure.label, 80),
        amount_text(figure.base, figure.unit),
        amount_text(figure.new, figure.unit),
        change_text(figure),
        f"**{percent_text(figure.ratio)}**" if figure.is_change and figure.ratio else "",
        word,
    )


def _function(row: FunctionChange) -> _Cells:
    words = [{"new": "new", "vanished": "gone", "both": ""}[row.state]]
    words.append("waited: CPU time is the same" if row.waited else "")
    words.append("no clear change" if row.sure is False else "")
    place = row.file.replace("\\", "/").rpartition("/")[2]
    return (
        code(row.function),
        code(f"{place}:{row.line}", 60) if place else "",
        f"{row.base.self_share * 100:.1f} % → {row.new.self_share * 100:.1f} %",
        f"{format_seconds(row.base.self_s)} → {format_seconds(row.new.self_s)}",
        f"**{points_text(row.share)}** pt",
        ", ".join(word for word in words if word),
    )


def _imports(comparison: Comparison, most: int) -> list[str]:
    rows: list[_Cells] = []
    for word, new in (("new", True), ("gone", False)):
        for row in top_imports(comparison, new=new)[:most]:
            side = row.new or row.base
            rss = side.rss_bytes if side is not None else None
            rows.append(
                (
                    word,
                    code(row.module),
                    signed(format_seconds(abs(row.seconds)), row.seconds),
                    "" if not rss else format_bytes(rss),
                )
            )
    both = [row for row in comparison.imports if row.base and row.new and row.is_change]
    rows += [
        (
            "slower" if row.self_seconds > 0 else "faster",
            code(row.module),
            signed(format_seconds(abs(row.self_seconds)), row.self_seconds),
            "",
        )
        for row in both[:most]
    ]
    table = _table(("import", "module", "time", "RSS"), rows, "llrr")
    return _details(f"Imports ({len(rows)})", table) if rows else []


def _alerts(comparison: Comparison) -> list[str]:
    rows = [
        (prose(row.kind, 60), str(row.base), str(row.new), prose(row.message, 200))
        for row in comparison.alerts
    ]
    table = _table(("alert", "base", "new", ""), rows, "lrrl")
    return _details(f"Alerts ({len(rows)})", table) if rows else []


def _folded(title: str, rows: Sequence[_Cells], *, functions: bool = False) -> list[str]:
    head = (
        ("function", "where", "share", "own time", "change", "")
        if functions
        else ("", "base", "new", "change", "", "")
    )
    return _details(title, _table(head, rows, "llrrrl" if functions else "lrrrrl")) if rows else []


def _details(title: str, lines: Iterable[str]) -> list[str]:
    return ["", f"<details><summary>{title}</summary>", *lines, "", "</details>"]


def _table(head: _Cells, rows: Sequence[_Cells], sides: str) -> list[str]:
    """Return a table after a blank line; nothing without rows."""
    if not rows:
        return []
    marks = tuple("---:" if side == "r" else ":---" for side in sides)
    return ["", *("| " + " | ".join(row) + " |" for row in (head, marks, *rows))]
