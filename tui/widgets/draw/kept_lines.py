"""Lines that are made again only where what they are made of is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.strip import Strip


class KeptLines:
    """The lines of the last picture by row, each with what it was made of: one for every row."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[tuple[object, ...], Strip]] = {}

    def line(self, row: int, made_of: tuple[object, ...], make: Callable[[], Strip]) -> Strip:
        """Return the line of a row: the last one if it was made of the same.

        Args:
            row: Which.
            made_of: All that the line depends on.
            make: Makes it.
        """
        kept = self._lines.get(row)
        if kept is not None and kept[0] == made_of:
            return kept[1]
        line = make()
        self._lines[row] = made_of, line
        return line

    def clear(self) -> None:
        """Make all of them again: they would look otherwise."""
        self._lines.clear()
