"""A history as text: what changed, a chart of each figure that is asked for, the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.text.columns import aligned
from perftui.tui.history.chart import ASCII, UNICODE, chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from perftui.scenarios.history.change_points import ChangePoint
    from perftui.scenarios.history.history import BenchHistory, FigureHistory

_HEIGHT = 7
_MOST_ROWS = 20
_UNITS = ("_seconds", "_bytes", "_per_sec")


def history_text(
    history: BenchHistory, figures: Sequence[FigureHistory], *, width: int, ascii_only: bool
) -> str:
    """Return the whole of it.

    Args:
        history: Of a key.
        figures: Those that are drawn.
        width: Cells of a line.
        ascii_only: Where nothing else can be shown.
    """
    n = len(history.points)
    lines = [f"{history.key}: {n} result{'s' if n != 1 else ''}{_left_out(history)}", ""]
    changes = [line for figure in history.figures for line in change_lines(history, figure)]
    lines += changes or ["no judged figure has changed for good"]
    signs = ASCII if ascii_only else UNICODE
    for figure in figures:
        lines += ["", f"{label_of(figure.key)}{_lately(figure)}"]
        lines += chart(
            figure.medians,
            [change.at for change in figure.changes],
            lambda value, unit=figure.unit: amount_text(value, unit),  # type: ignore[misc]
            width=width,
            height=_HEIGHT,
            signs=signs,
        )
    return "\n".join([*lines, "", *result_lines(history, figures)])


def change_lines(history: BenchHistory, figure: FigureHistory) -> list[str]:
    """Return a line for each change of a figure: when, at which commit, by how much."""
    return [_change(history, figure, change) for change in figure.changes]


def label_of(key: str) -> str:
    """Return what a figure of a baseline file is called: "peak rss" of "peak_rss_bytes"."""
    for unit in _UNITS:
        key = key.removesuffix(unit)
    return key.replace("_", " ")


def _change(history: BenchHistory, figure: FigureHistory, change: ChangePoint) -> str:
    point, before = history.points[change.at], history.points[max(change.at - 1, 0)]
    low, high = (percent_text(end) for end in change.change.interval)
    commits = f"commit {point.commit_words}, before {before.commit_words}"
    return (
        f"{label_of(figure.key)} {percent_text(change.change.ratio)} since {_when(point.created)} "
        f"({commits}; 95 %: {low} to {high})"
    )


def _lately(figure: FigureHistory) -> str:
    lately = figure.lately
    if lately is None:
        return ""
    ratio, n = lately
    return f": {percent_text(ratio)} in {n} results"


def result_lines(history: BenchHistory, figures: Sequence[FigureHistory]) -> list[str]:
    """Return a line for each of the newest results."""
    if not history.points:
        return []
    begins = {change.at for figure in figures for change in figure.changes}
    rows = [["result", "commit", "Python", *(label_of(figure.key) for figure in figures), ""]]
    first = max(len(history.points) - _MOST_ROWS, 0)
    for index, point in enumerate(history.points[first:], first):
        values = [_amount(figure, index) for figure in figures]
        mark = "changed here" if index in begins else ""
        rows.append([_when(point.created), point.commit_words, point.python or "–", *values, mark])
    lines = aligned(rows, right=range(3, 3 + len(figures)))
    return lines if first == 0 else [*lines, f"and {first} before"]


def _amount(figure: FigureHistory, index: int) -> str:
    value = figure.medians[index]
    unit: Any = figure.unit
    return "–" if value is None else amount_text(value, unit)


def _when(created: str) -> str:
    return created.replace("T", " ").removesuffix("Z")[:16] or "–"


def _left_out(history: BenchHistory) -> str:
    words = []
    if history.other_machines:
        words.append(f"{history.other_machines} of another machine left out")
    if history.unreadable:
        words.append(f"{history.unreadable} that cannot be read")
    return f" ({'; '.join(words)})" if words else ""
