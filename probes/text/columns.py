"""Text in aligned columns, for terminals and tickets. Widths are cells, not characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

GAP = "  "
"""Between two columns."""


def cells_of(text: str) -> int:
    """Return the cells of a terminal that `text` takes; what has no width counts nothing."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth  # its tables take 10 ms, which ASCII need not pay

    return sum(max(wcwidth(char), 0) for char in text)


def widths_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the cells of each column's widest cell. All rows have as many columns."""
    return [max(map(cells_of, column)) for column in zip(*rows, strict=True)]


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    right: Container[int] = (),
    widths: Sequence[int] | None = None,
    indent: str = "",
) -> list[str]:
    """Return a line for each row, its cells padded to the widths of their columns.

    Args:
        rows: All with as many columns.
        right: The columns that are aligned to the right, as numbers are.
        widths: In cells; None takes those of the widest cells.
        indent: Before every line.
    """
    if not rows:
        return []
    sizes = widths_of(rows) if widths is None else widths
    lines = []
    for row in rows:
        padded = []
        for column, (cell, size) in enumerate(zip(row, sizes, strict=True)):
            blank = " " * max(size - cells_of(cell), 0)
            padded.append(blank + cell if column in right else cell + blank)
        lines.append(f"{indent}{GAP.join(padded)}".rstrip())
    return lines
