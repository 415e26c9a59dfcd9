"""Choosing a running Python process to attach to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import get_current_worker

from perftui.probes.text.units import format_bytes, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from perftui.probes.process.running import PythonProcess

_EVERY_S = 2.0
_COLUMNS = (
    Column("pid", 8, right=True, tone="accent"),
    Column("CPU", 7, right=True, tone="cool"),
    Column("RSS", 9, right=True, tone="warm"),
    Column("age", 12, right=True, rank=2, tone="dim"),
    Column("python", 8, rank=3, tone="dim"),
    Column("user", 10, rank=4, tone="dim"),
    Column("command"),
)


class PickerScreen(Screen[int | None]):
    """Dismisses with the pid that was chosen, or None."""

    DEFAULT_CSS = """
    PickerScreen { background: $background; }
    PickerScreen Input {
        height: 3; border: round $panel; background: $background; padding: 0 1;
    }
    PickerScreen Input:focus { border: round $accent; }
    PickerScreen Table { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q", "leave", "leave", priority=True),
        Binding("down", "move(1)", "down", show=False, priority=True),
        Binding("up", "move(-1)", "up", show=False, priority=True),
        Binding("pagedown", "move(10)", "page down", show=False, priority=True),
        Binding("pageup", "move(-10)", "page up", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: list[PythonProcess] | None = None
        self._shown: list[PythonProcess] = []
        self._input = Input(placeholder="type to filter by command, user or pid")
        self._table = Table(id="processes")

    def compose(self) -> ComposeResult:
        """Yield the filter above the table."""
        self._input.border_title = "attach to a Python process"
        self._input.border_subtitle = "↑↓ choose · enter attach · esc leave"
        yield self._input
        yield self._table

    def on_mount(self) -> None:
        """Look at once, then every two seconds."""
        self._input.focus()
        self._fill()
        self._look()
        self.set_interval(_EVERY_S, self._look)

    @work(thread=True, exclusive=True)
    def _look(self) -> None:
        from perftui.probes.process.running import python_processes

        found = python_processes()
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take, found)

    def _take(self, found: list[PythonProcess]) -> None:
        self._found = found
        self._fill()

    def on_input_changed(self) -> None:
        """Filter as one types."""
        self._fill()

    def _fill(self) -> None:
        words = self._input.value.lower().split()
        self._shown = [
            process
            for process in self._found or ()
            if all(word in _haystack(process) for word in words)
        ]
        keys = [process.pid for process in self._shown]
        if self._table.cursor not in keys:
            self._table.cursor = keys[0] if keys else None
        empty: tuple[str, ...] = ("looking …",)
        if self._found is not None:
            empty = (
                ("no process matches the filter",)
                if self._found
                else (
                    "no Python process is running that you may see",
                    "start one, or run a program with: perftui run script.py",
                )
            )
        head = (f"{len(keys)} of {len(self._found or ())}", "running Python processes")
        section = Section(_COLUMNS, keys, lambda at: _row(self._shown[at]))
        self._table.fill([section], head=head, empty=empty)

    def on_input_submitted(self) -> None:
        """Attach to the one under the cursor."""
        if isinstance(self._table.cursor, int):
            self.dismiss(self._table.cursor)

    def on_table_activated(self, event: Table.Activated) -> None:
        """Attach to the one that was clicked."""
        if isinstance(event.key, int):
            self.dismiss(event.key)

    def action_move(self, rows: int) -> None:
        """Move the table's cursor while the filter keeps the keys."""
        self._table.action_move(rows)

    def action_leave(self) -> None:
        """Leave without choosing."""
        self.dismiss(None)


def _haystack(process: PythonProcess) -> str:
    return f"{process.pid} {process.user or ''} {' '.join(process.argv)}".lower()


def _row(process: PythonProcess) -> Row:
    return Row(
        (
            str(process.pid),
            f"{process.cpu_percent:.0f} %",
            format_bytes(process.rss_bytes),
            format_seconds(process.age_s),
            process.python or "?",
            process.user or "?",
            clean(" ".join(process.argv)),
        )
    )
