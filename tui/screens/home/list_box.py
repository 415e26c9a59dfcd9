"""One list of the home screen in its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container

from perftui.tui.widgets.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from perftui.tui.screens.home.sources import Source


class ListBox(Container):
    """Shows the rows of a source, and how many there are."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.table = Table(id=source.name)
        super().__init__(self.table, id=f"{source.name}-box", classes="list")
        self.border_title = self.said = source.title
        self.wanted: Hashable | None = None
        """The row that the cursor goes to once it is there."""

    def fill(self, words: list[str]) -> None:
        """Draw the rows that have all the words, and the title."""
        source, table = self.source, self.table
        section = source.section(words)
        if self.wanted in section.keys:
            table.cursor, self.wanted = self.wanted, None
        if table.cursor not in section.keys:
            table.cursor = section.keys[0] if section.keys else None
        table.fill([section], empty=source.empty())
        shown = len(section.keys)
        count = f"{shown}" if shown == source.known else f"{shown} of {source.known}"
        self.border_title = self.said = f"{source.title} · {count}"
