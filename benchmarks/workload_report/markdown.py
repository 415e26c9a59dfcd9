"""Markdown as the report writes it: tables whose columns are aligned in the source too."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Cell = str
_BAR = 48
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def table(header: Sequence[Cell], rows: Sequence[Sequence[Cell]], left: int = 1) -> str:
    """Return a table; the first `left` columns go to the left, the others (numbers) to the right.

    Args:
        header: One cell per column.
        rows: As many cells each.
        left: Columns with names in them.
    """
    cells = [[_escaped(cell) for cell in line] for line in (header, *rows)]
    widths = [max(3, *(len(line[at]) for line in cells)) for at in range(len(header))]
    lines = ["| " + " | ".join(_padded(line, widths, left)) + " |" for line in cells]
    rule = [
        "-" * width if at < left else "-" * (width - 1) + ":" for at, width in enumerate(widths)
    ]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def _padded(line: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    return [
        cell.ljust(width) if at < left else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def commands(lines: Sequence[str]) -> str:
    """Return commands as a code block."""
    return "\n".join(f"    {line}" for line in lines)


def bars(values: Mapping[str, float], write: Callable[[float], str]) -> str:
    """Return a chart as a code block: a bar per value, the longest for the largest."""
    widest = max(map(len, values))
    top = max(values.values()) or 1.0
    lines = []
    for name, value in values.items():
        eighths = round(value / top * _BAR * 8)
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8]
        lines.append(f"    {name.ljust(widest)}  {bar or _EIGHTHS[1]} {write(value)}")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> float:
    """Return the largest value less the smallest, as a share of the median; 0 of a single one."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def percent(share: float) -> str:
    """Return a share as a whole per cent, or one digit below ten."""
    return f"{share:.0%}" if share >= 0.0995 or share == 0 else f"{share:.1%}"


def times(ratio: float) -> str:
    """Return a ratio with two or three digits: 1,234x, 5.6x, 0.78x, 1/90."""
    if ratio >= 9.95:
        return f"{ratio:,.0f}x"
    if ratio < 0.0995:
        return f"1/{1 / ratio:,.0f}"
    return f"{ratio:.1f}x" if ratio >= 0.95 else f"{ratio:.2f}x"


def named(words: Sequence[str]) -> str:
    """Return "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
