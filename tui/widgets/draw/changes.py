"""What of a line has to be painted again: the stretches of columns in which two lines differ."""

from __future__ import annotations

from itertools import repeat, zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.segment import Segment
    from rich.style import Style
    from textual.strip import Strip

JOIN_CELLS = 8
"""Unchanged stretches shorter than this are painted again: a jump costs about as much."""


def changed_columns(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Return the stretches of columns [start, end) in which two lines differ."""
    if old is new:
        return []
    before, after = list(old), list(new)
    if _chars(before) != old.cell_length or _chars(after) != new.cell_length:
        return _joined(_differing_cells(old, new))
    column = _drop_equal_ends(before, after, same_width=old.cell_length == new.cell_length)
    if not before and not after:
        return []
    return _joined(_differing(before, after, column))


def _chars(segments: Iterable[Segment]) -> int:
    """Return how many characters there are: of as many cells each takes one."""
    return len("".join([text for text, _, _ in segments]))


def _joined(columns: Iterable[int]) -> list[tuple[int, int]]:
    """Put columns, in order, together to stretches."""
    spans: list[tuple[int, int]] = []
    start = end = -JOIN_CELLS
    for column in columns:
        if column - end >= JOIN_CELLS:
            if end > start:
                spans.append((start, end))
            start = column
        end = column + 1
    if end > start:
        spans.append((start, end))
    return spans


def _drop_equal_ends(old: list[Segment], new: list[Segment], *, same_width: bool) -> int:
    """Take off the segments in which two lines begin alike, and end alike if they are as wide;
    return the column where they differ first. Mostly a few cells of a line are others; every
    character takes one."""
    equal = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        equal += 1
    column = _chars(old[:equal])
    del old[:equal], new[:equal]
    if same_width:
        equal = 0
        for one, other in zip(old[::-1], new[::-1], strict=False):
            if one != other:
                break
            equal += 1
        del old[len(old) - equal :], new[len(new) - equal :]
    return column


def _differing(old: Sequence[Segment], new: Sequence[Segment], column: int) -> list[int]:
    """Return the columns that differ, in order; every character takes one cell.

    Goes from border to border of either line's segments: a chart that grew by a column has two
    long runs with another border between them, and nothing to compare cell by cell.
    """
    columns: list[int] = []
    was, now = _runs(old), _runs(new)
    before, was_style = was.pop()
    after, now_style = now.pop()
    while before and after:
        cells = min(len(before), len(after))
        one, other = before[:cells], after[:cells]
        if was_style is not now_style and was_style != now_style:
            columns += range(column, column + cells)
        elif one != other:
            columns += [
                at
                for at, (char, another) in enumerate(zip(one, other, strict=True), column)
                if char != another
            ]
        column += cells
        before, after = before[cells:], after[cells:]
        if not before:
            before, was_style = was.pop()
        if not after:
            after, now_style = now.pop()
    rest = "".join([before or after, *[text for text, _ in (was or now)]])
    columns += range(column, column + len(rest))
    return columns


def _runs(segments: Sequence[Segment]) -> list[tuple[str, Style | None]]:
    """Return text and style of each segment, the first one last, on one without text."""
    return [("", None), *[(text, style) for text, style, _ in segments[::-1] if text]]


def _differing_cells(old: Strip, new: Strip) -> list[int]:
    """Return the columns that differ, where characters may be wide or have no width at all."""
    pairs = enumerate(zip_longest(_cells(old), _cells(new)))
    return [column for column, (one, other) in pairs if one != other]


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """Return what stands in each cell; both cells of a wide character hold it."""
    cells: list[tuple[str, Style | None]] = []
    for segment in strip:
        text, style = segment.text, segment.style
        if len(text) == segment.cell_length:
            cells.extend(zip(text, repeat(style)))
            continue
        for char in text:
            width = cell_len(char)
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + char, style)
            cells.extend([(char, style)] * width)
    return cells
