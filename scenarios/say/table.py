"""Tables as scenarios print them: aligned columns, plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.columns import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below a header: the first column to the left, the others to the right."""
    print("\n".join(table_lines(header, rows)))


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of `print_table`."""
    return aligned([header, *rows], right=range(1, len(header)))
