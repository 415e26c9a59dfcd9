"""The Threads tab: a track for each group of threads over the time axis, and all threads below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from perftui.probes.profile.tracks import NO_TIME
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_middle, width_of
from perftui.tui.widgets.charts.axis_place import axis_left
from perftui.tui.widgets.charts.track_line import (
    LOOKS,
    UNEXPLAINED,
    cell_of,
    figures,
    first_columns,
    height_of,
    place_of_group,
    states_seen,
    step_text,
    summed,
)
from perftui.tui.widgets.draw.bare import Pile
from perftui.tui.widgets.draw.strips import READING, LinePane, Part, line_of, spread
from perftui.tui.widgets.panes.threads import ThreadsPane

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.strip import Strip

    from perftui.probes.profile.tracks import ThreadTrack, Tracks
    from perftui.probes.spine.reader import Thread
    from perftui.tui.picture.view import View

LEAST_TABLE = 6
"""Rows of the table that the tracks leave, if they are many."""
_TOLD_SHARE = 0.02
"""Of a core: CPU that nobody accounts for is told from here on."""


class TrackList(LinePane):
    """Two lines a group: who they are and what they cost, and the track. Enter opens its flame."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("pageup", "move_page(-1)", "page up", show=False),
        Binding("pagedown", "move_page(1)", "page down", show=False),
        Binding("enter", "choose", "flame", show=False),
    ]

    HINTS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("↑↓", "tracks", "focused.move(1)"),
        ("enter", "flame", "focused.choose"),
    )
    """Key, what it does, and its action: named below while the keys are here."""

    class Chosen(Message):
        """A person wants the flame of a group: its name, and (pid, tid) of its threads."""

        def __init__(self, name: str, threads: frozenset[tuple[int, int]]) -> None:
            super().__init__()
            self.name = name
            self.threads = threads

    class Left(Message):
        """The cursor went below the last track."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._tracks: Tracks | None = None
        self._rows: list[ThreadTrack | None] = []
        """None: CPU that nobody accounts for."""
        self._threads: dict[tuple[int, int], Thread] = {}
        self.cursor: tuple[str, bool] | None = None
        """Pattern of the chosen group, and whether it runs Python."""

    # -- data ------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show another picture."""
        before, self._view = self._view, view
        if (
            before is not None
            and before.tracks is view.tracks
            and before.selection == view.selection
            and before.threads == view.threads
        ):
            return
        self._tracks = view.tracks
        self._threads = {(row.pid, row.tid): row for row in view.threads}
        wanted = view.selection.filter.lower()
        self._rows = []
        if view.tracks is not None:
            self._rows += [t for t in view.tracks.tracks if wanted in t.group.name.lower()]
            if self._unexplained_share() >= _TOLD_SHARE:
                self._rows.append(None)
        self.top = max(0, min(self.top, self.line_count() - self.page()))
        self.redraw()

    @property
    def unread(self) -> bool:
        """Whether there has been no picture with tracks yet."""
        return self._tracks is None

    @property
    def wanted_height(self) -> int:
        """Rows that all of it takes."""
        return 1 + 2 * len(self._rows)

    def line_count(self) -> int:
        """Return the lines of all tracks, two each."""
        return 2 * len(self._rows)

    def page(self) -> int:
        """Return the lines below the legend."""
        return max(self.size.height - 1, 1)

    def _unexplained_share(self) -> float:
        """Return what nobody accounts for in the range, as a share of a core."""
        tracks, view = self._tracks, self._view
        if tracks is None or view is None:
            return 0.0
        covered = [tracks.unexplained[n] for n in first_columns(tracks, view.range)]
        known = [gap for gap in covered if gap is not None]
        return sum(known) / (len(known) * tracks.step_ns) if known else 0.0

    # -- drawing ---------------------------------------------------------------------------

    def build(self) -> list[Strip]:
        """Return legend and tracks."""
        view, tracks, width = self._view, self._tracks, self.size.width
        if view is None:
            return []  # the table below says that it is being read
        if tracks is None:
            return self.words(READING)
        if not self._rows:
            return []
        self.top -= self.top % 2
        lines = [self._legend(tracks, width)]
        first = self.top // 2
        for row in self._rows[first : first + (self.size.height + 1) // 2]:
            lines += self._row(view, tracks, row, width)
        return lines

    def _legend(self, tracks: Tracks, width: int) -> Strip:
        paint, dim = paint_of(self.app), self.tone("dim")
        base = self.rich_style
        left: list[Part] = [(" ", dim)]
        for name in states_seen(tracks):
            look = LOOKS[name]
            left += [
                (look.glyph, base + paint.named(look.colour)),
                (f" {look.word}  ", dim),
            ]
        last = min(self.top // 2 + max(self.page() // 2, 1), len(self._rows))
        shown = f"{self.top // 2 + 1}–{last}"
        seen = f" · {shown} of {len(self._rows)}" if self.line_count() > self.page() else ""
        right: list[Part] = [(f"a cell {step_text(tracks.step_ns)}{seen} ", dim)]
        return spread(left, right, width, self.tone("text"))

    def _row(self, view: View, tracks: Tracks, row: ThreadTrack | None, width: int) -> list[Strip]:
        chosen = row is not None and (row.group.pattern, row.group.python) == self.cursor
        ground = "row" if chosen else ""
        text, dim = self.tone("text", ground), self.tone("dim", ground)
        parts: list[Part] = [("▌" if chosen else " ", self.tone("accent", ground))]
        if row is None:
            share = 100 * self._unexplained_share()
            said = f"CPU that no sampled stack explains   {share:.0f} %"
            parts += [(said, self.tone("warm", ground)), ("   of one core", dim)]
        else:
            parts += self._title(view, tracks, row, width, ground)
        left, cells = self._place(width, len(tracks.unexplained))
        band: list[Part] = [("▌" if chosen else " ", self.tone("accent", ground))]
        band.append((" " * (left - 1), text))
        band += self._band(view, tracks, row, cells, ground)
        return [line_of(parts, width, text), line_of(band, width, text)]

    def _title(
        self, view: View, tracks: Tracks, track: ThreadTrack, width: int, ground: str
    ) -> list[Part]:
        group = track.group
        inside = first_columns(tracks, view.range)
        states = summed(track.cells[n] for n in inside)
        range_ns = max(len(inside) * tracks.step_ns, 1)
        said = figures(states, range_ns) if states != NO_TIME else "not in this range"
        members = [self._threads[key] for key in group.threads if key in self._threads]
        where = clean(place_of_group(members, view.stacks))
        count = f" ×{len(group.threads)}" if len(group.threads) > 1 else ""
        room = max(width - width_of(said) - width_of(count) - 8, 8)
        name = shorten_middle(clean(group.name), min(room, 48)) + count
        dim = self.tone("dim", ground)
        strong = self.tone("strong" if group.python else "text", ground)
        busy = states.cpu_ns >= 0.01 * range_ns
        return [
            (name, strong),
            (f"   {said}", self.tone("cool", ground) if busy else dim),
            (f"   {where}" if where else "", dim),
        ]

    def _place(self, width: int, columns: int) -> tuple[int, int]:
        """Return where the time axis begins and its cells: those of the charts above."""
        left = axis_left(width, columns)
        return (2, max(width - 3, 1)) if left is None else (left, columns)

    def _band(
        self, view: View, tracks: Tracks, row: ThreadTrack | None, cells: int, ground: str
    ) -> list[Part]:
        paint, columns = paint_of(self.app), len(tracks.unexplained)
        base = self.tone("text", ground)
        cursor = self._cursor_cell(view, tracks, cells)
        styles = {"": base}
        parts: list[Part] = []
        for cell in range(cells):
            column = cell * columns // cells
            if row is None:
                gap = tracks.unexplained[column]
                char = height_of(gap, tracks.step_ns) if gap else " "
                colour = UNEXPLAINED if gap else ""
            else:
                char, state = cell_of(row.cells[column], tracks.step_ns)
                colour = LOOKS[state].colour if state else ""
            if cell == cursor:
                char, colour = "┃", "bright"
            style = styles.get(colour)
            if style is None:
                style = styles[colour] = base + paint.named(colour)
            if parts and parts[-1][1] is style:
                parts[-1] = (parts[-1][0] + char, style)
            else:
                parts.append((char, style))
        return parts

    @staticmethod
    def _cursor_cell(view: View, tracks: Tracks, cells: int) -> int | None:
        at = view.selection.cursor_ns
        if at is None or not tracks.axis[0] <= at <= tracks.axis[1]:
            return None
        length = max(tracks.axis[1] - tracks.axis[0], 1)
        return min((at - tracks.axis[0]) * cells // length, cells - 1)

    # -- keys and mouse --------------------------------------------------------------------

    def _index(self) -> int | None:
        for index, row in enumerate(self._rows):
            if row is not None and (row.group.pattern, row.group.python) == self.cursor:
                return index
        return None

    def _go(self, index: int) -> None:
        known = [n for n, row in enumerate(self._rows) if row is not None]
        if not known:
            return
        index = min(max(index, known[0]), known[-1])
        row = self._rows[index]
        if row is not None:
            self.cursor = (row.group.pattern, row.group.python)
        page = max(self.page() // 2, 1)
        first = max(min(self.top // 2, index), index - page + 1)
        self.top = max(0, 2 * first)
        self.redraw()

    def action_move(self, step: int) -> None:
        """Go to another track; beyond the last one the threads follow."""
        here = self._index()
        last = sum(1 for row in self._rows if row is not None) - 1
        if here is not None and here + step > last:
            self.post_message(self.Left())
            return
        self._go(self.top // 2 if here is None else here + step)

    def action_move_page(self, pages: int) -> None:
        """Go on by a page."""
        here = self._index()
        self._go((0 if here is None else here) + pages * max(self.page() // 2, 1))

    def action_choose(self) -> None:
        """Show the flame of the chosen group."""
        here = self._index()
        row = None if here is None else self._rows[here]
        if row is not None:
            self._open(row)

    def _open(self, track: ThreadTrack) -> None:
        group = track.group
        if group.python and any(key in self._threads for key in group.threads):
            self.post_message(self.Chosen(group.title, frozenset(group.threads)))

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return the tracks that are seen."""
        first = self.top // 2
        return [(0, 1 + 2 * n) for n, row in enumerate(self._rows[first:]) if row is not None]

    def on_click(self, event: events.Click) -> None:
        """Choose a track, and show its flame."""
        index = (event.y - 1 + self.top) // 2
        if event.y < 1 or not 0 <= index < len(self._rows):
            return
        event.stop()
        row = self._rows[index]
        if row is not None:
            self._go(index)
            self._open(row)


class _ThreadTable(ThreadsPane):
    """All threads; above the first row the tracks follow."""

    class Left(Message):
        """The cursor went above the first row."""

    def action_move(self, step: int) -> None:
        """Move by rows."""
        if step < 0 and self._cursor_line() in (None, 0):
            self.post_message(self.Left())
        else:
            super().action_move(step)


class TracksPane(Pile):
    """Tracks, and the table of all threads in the rows that they leave."""

    DEFAULT_CSS = """
    TracksPane { height: 1fr; width: 1fr; }
    TracksPane TrackList { height: 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.tracks = TrackList()
        self.table = _ThreadTable()

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.tracks
        yield self.table

    def show(self, view: View) -> None:
        """Show another picture."""
        self.tracks.show(view)
        self.table.show(view)
        self._share()

    def on_resize(self, event: events.Resize) -> None:
        """Share the height."""
        self._share()

    def _share(self) -> None:
        height = self.size.height
        wanted = self.tracks.wanted_height
        rows = min(wanted, max(height - LEAST_TABLE, min(height, 3)))
        rows -= 1 - rows % 2 if rows < wanted else 0  # no half a track
        # Never hidden before the first picture: the keys would go elsewhere.
        shown = rows > 1 or self.tracks.unread
        if self.tracks.display != shown:
            self.tracks.display = shown
        rows = max(rows, 2)
        if shown and (self.tracks.styles.height is None or self.tracks.styles.height.value != rows):
            self.tracks.styles.height = rows

    def on_track_list_left(self, message: TrackList.Left) -> None:
        """Go on in the table."""
        message.stop()
        self.table.focus()
        self.table.action_move(1)

    def on__thread_table_left(self, message: _ThreadTable.Left) -> None:
        """Go back to the tracks."""
        message.stop()
        if self.tracks.display:
            self.tracks.focus()
