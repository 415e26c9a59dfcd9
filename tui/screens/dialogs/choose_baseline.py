"""`d`: choose a recording, and compare this session with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.worker import get_current_worker

from perftui.tui.text.fit import clean, shorten_end
from perftui.tui.widgets.tables.home_lists import recording_section
from perftui.tui.widgets.tables.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from perftui.probes.recording.shelf.shelf import Entry


class ChooseBaseline(ModalScreen["Path | None"]):
    """The recordings that can be a baseline; dismisses with the path of one, or None.

    Args:
        title: What this session runs: recordings of the same come first.
        own: The recording that is open, which is no baseline for itself.
    """

    CSS = """
    ChooseBaseline { align: center middle; background: $background 60%; }
    ChooseBaseline > Vertical {
        width: 110; max-width: 100%; height: 20; max-height: 100%; background: $panel;
        border: round $accent; border-title-color: $foreground; border-subtitle-color: $dim;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,d", "leave", "leave", show=False),
    ]

    def __init__(self, title: str, own: Path | None = None) -> None:
        super().__init__()
        self._title = title
        self._own = own
        self._entries: list[Entry] = []
        self._table = Table(id="baselines")

    def compose(self) -> ComposeResult:
        """One list."""
        with Vertical() as box:
            box.border_title = f"compare with · {shorten_end(clean(self._title), 60)}"
            box.border_subtitle = "enter compare · esc leave"
            yield self._table

    def on_mount(self) -> None:
        """Take the keys, and look at the shelf."""
        self._table.fill([], empty=("looking …",))
        self._table.focus()
        self._look()

    @work(thread=True, exclusive=True)
    def _look(self) -> None:
        from perftui.probes.recording.shelf.shelf import entries

        found = baselines(entries(), self._title, self._own)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take, found)

    def _take(self, found: list[Entry]) -> None:
        self._entries = found
        section = recording_section(found, ())
        self._table.cursor = section.keys[0] if section.keys else None
        empty = ("there is no other recording to compare with", "every `perftui run` makes one")
        self._table.fill([section], empty=empty)

    def on_table_activated(self, event: Table.Activated) -> None:
        """Answer with the chosen one."""
        event.stop()
        entry = next((e for e in self._entries if str(e.path) == event.key), None)
        self.dismiss(None if entry is None else entry.path)

    def action_leave(self) -> None:
        """Answer nothing."""
        self.dismiss(None)


def baselines(entries: list[Entry], title: str, own: Path | None) -> list[Entry]:
    """Return what can be a baseline: whole recordings, those of the same program first."""
    kept = [
        entry
        for entry in entries
        if entry.state in ("closed", "interrupted") and (own is None or entry.path != own)
    ]
    return sorted(kept, key=lambda entry: (entry.title != title, -entry.wall_ns))


def name_of(path: Path) -> str:
    """Return what a person calls a recording."""
    return path.name.removesuffix(".zip").removesuffix(".perftui")
