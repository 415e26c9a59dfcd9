"""The Tasks tab: what every task of asyncio waits for, and through which of its coroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perftui.tui.text.fit import clean
from perftui.tui.text.summary import task_place
from perftui.tui.widgets.charts.time_axis import moment_text
from perftui.tui.widgets.draw.bare import Tray
from perftui.tui.widgets.draw.strips import LinePane, Part, line_of
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual import events
    from textual.app import ComposeResult
    from textual.strip import Strip

    from perftui.probes.spine.reader import Task
    from perftui.tui.picture.view import View

_COLUMNS = (
    Column("task", 22),
    Column("where"),
    Column("awaits", 26, rank=1, tone="warm"),
)
_SIDE_BY_SIDE = 120
"""From this width on the stack stands beside the tasks, else below."""
_STACK_ROWS = 8


class TasksPane(Tray):
    """Tasks as they stood at the end of the range; the coroutines of the chosen one."""

    DEFAULT_CSS = """
    TasksPane { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.stack = TaskStack()
        self.tasks = _Tasks()
        self._tasks: dict[Hashable, Task] = {}
        self._at: dict[Task, str] = {}
        """When each was listed."""

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.tasks
        yield self.stack

    def show(self, view: View) -> None:
        """Show another picture."""
        wanted = view.selection.filter.lower()
        rows = [task for task in view.tasks if wanted in _text_of(task)]
        self._at = {task: moment_text(view.seconds(task.t_ns)) for task in rows}
        self._tasks = {(task.pid, n, task.name): task for n, task in enumerate(rows)}
        keys = list(self._tasks)
        self.tasks.fill(
            [Section(_COLUMNS, keys, lambda n: _row(rows[n]))], empty=_why_empty(view, bool(wanted))
        )
        self.stack.display = bool(rows)
        if rows and self.tasks.cursor not in self._tasks:
            self.tasks.choose(keys[0])
        self._tell()

    def on_table_moved(self, message: Table.Moved) -> None:
        """Show the coroutines of another task."""
        message.stop()
        self._tell()

    def _tell(self) -> None:
        task = self._tasks.get(self.tasks.cursor)
        self.stack.tell(task, "" if task is None else self._at[task])

    def on_resize(self, event: events.Resize) -> None:
        """Put the parts beside each other, or one below the other."""
        beside = event.size.width >= _SIDE_BY_SIDE
        self.styles.layout = "horizontal" if beside else "vertical"
        self.tasks.styles.width = "3fr" if beside else "1fr"
        self.stack.styles.width = "2fr" if beside else "1fr"
        self.stack.styles.height = "1fr" if beside else min(_STACK_ROWS, event.size.height // 2)


class _Tasks(Table):
    opens: ClassVar[bool] = False


class TaskStack(LinePane, can_focus=False):
    """The coroutine of a task, what that awaits below it, and so on."""

    DEFAULT_CSS = """
    TaskStack { background: $panel; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chosen: Task | None = None
        self._at = ""

    def tell(self, task: Task | None, at: str = "") -> None:
        """Show a task, and when it was seen like that."""
        self._chosen, self._at = task, at
        self.redraw()

    def line_count(self) -> int:
        """Return the lines there are."""
        return 0 if self._chosen is None else len(self._chosen.frames) + 1

    def build(self) -> list[Strip]:
        """Return a line per coroutine; those of asyncio itself are dim."""
        task, width, blank = self._chosen, self.size.width, self.tone("text")
        if task is None:
            return []
        lines = []
        for depth, (function, file, line) in enumerate(task.frames):
            tone = self.tone("dim" if "/asyncio/" in file else "text")
            place = f"{file.rpartition('/')[2]}:{line}" if file else "compiled"
            parts: list[Part] = [(f" {'  ' * min(depth, 10)}{clean(function)}  ", tone)]
            parts.append((clean(place), self.tone("dim")))
            lines.append(line_of(parts, width, blank))
        said = "runs, or may run" if task.awaits is None else f"awaits {task.awaits}"
        parts = [(f" {clean(said)}", self.tone("warm"))]
        if self._at:
            parts.append((f"  listed at {self._at}", self.tone("dim")))
        lines.append(line_of(parts, width, blank))
        return lines


def _row(task: Task) -> Row:
    frames = [dict(zip(("function", "file", "line"), frame, strict=True)) for frame in task.frames]
    return Row((task.name, task_place(frames), task.awaits or "runs, or may run"))


def _text_of(task: Task) -> str:
    places = " ".join(f"{function} {file}" for function, file, _ in task.frames)
    return f"{task.name} {places} {task.awaits or ''}".lower()


def _why_empty(view: View, filtered: bool) -> tuple[str, ...]:
    if view.tasks and filtered:
        return (f'no task holds "{clean(view.selection.filter)}"', "esc clears the filter")
    if view.has_tasks:
        return ("no task of asyncio was there at this moment", "esc clears the range")
    return (
        "no tasks of asyncio were seen",
        "they are listed once a second in programs that perftui launches, and when asked (^p)",
    )
