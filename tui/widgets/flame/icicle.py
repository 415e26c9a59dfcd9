"""Walking about in an icicle: hover, click, arrow keys and zoom, whatever its boxes are about.

What the nodes are, what a row looks like and what is known of a frame is said by the subclass;
node 0 is the root, and boxes come from `layout.lay_out`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.message import Message

from perftui.probes.spine.calltree import ROOT
from perftui.tui.text.fit import clean, shorten_middle, width_of
from perftui.tui.widgets.draw.strips import LinePane, Part, line_of
from perftui.tui.widgets.flame.detail import headline
from perftui.tui.widgets.flame.layout import Box, box_at, find_box, neighbour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.strip import Strip

    from perftui.tui.widgets.flame.detail import FrameDetail

_JUMP_CELLS = 8
"""Frames of so many cells get a label in jump mode."""
Identity = tuple[int, str]
"""(node, kind) of a box: stays the same while the session goes on."""


class IciclePane(LinePane):
    """Rows of boxes with a focus and a zoom; subclasses fill `_rows` in `build`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk('up')", "caller", show=False),
        Binding("down", "walk('down')", "callee", show=False),
        Binding("left,ctrl+left", "walk('left')", "sibling", show=False),
        Binding("right,ctrl+right", "walk('right')", "sibling", show=False),
        Binding("enter", "zoom", "zoom", show=False),
        Binding("escape,backspace", "zoom_out", "zoom out", show=False),
    ]

    HINTS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("↑↓", "frames", "focused.walk('down')"),
        ("enter", "zoom", "focused.zoom"),
    )
    """Key, what it does, and its action: named below while the keys are here."""

    class Looked(Message):
        """Another frame is looked at; None when there is none."""

        def __init__(self, pane: IciclePane, frame: FrameDetail | None, hint: str) -> None:
            super().__init__()
            self.pane = pane
            self.frame = frame
            self.hint = hint

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zoom = ROOT
        self._shown_top = ROOT
        self._focus: Identity | None = None
        self._hover: Identity | None = None
        self._rows: list[list[Box]] = []
        self._room = 1
        self._first_row_y = 0
        self._crumbs: list[tuple[int, int, int]] = []
        """(x0, x1, node) of the breadcrumb's parts."""
        self._crumbs_y = 0
        self._sighted: tuple[Identity | None, int] | None = None
        """The chosen frame and the rows when it was last looked after that it is seen."""
        self.listener: Callable[[IciclePane.Looked], None] | None = None
        """Is told which frame is looked at instead of everybody, in the middle of drawing."""
        self.tells_hover = False
        """Whether the last line tells of the frame under the mouse while none is chosen."""

    # -- what subclasses say ---------------------------------------------------------------

    def parent_of(self, node: int) -> int:
        """Return the caller of a node; the root's is the root."""
        raise NotImplementedError

    def name_of(self, node: int) -> str:
        """Return a few words for a node, the root included."""
        raise NotImplementedError

    def row_strip(self, row: list[Box], depth: int) -> Strip:
        """Draw one row of boxes."""
        raise NotImplementedError

    def detail(self) -> FrameDetail | None:
        """Return what is known about the frame under the mouse, else about the chosen one."""
        raise NotImplementedError

    def hint(self) -> str:
        """Return what to say while no frame is looked at."""
        raise NotImplementedError

    def clicked_beside(self, event: events.Click) -> None:
        """Answer a click that met no frame."""

    # -- drawing ---------------------------------------------------------------------------

    def line_count(self) -> int:
        """Return the depth of the icicle."""
        return len(self._rows)

    def page(self) -> int:
        """Return the rows of frames that are seen."""
        return self._room

    def frame_lines(self, first_y: int, room: int) -> list[Strip]:
        """Draw the rows that are seen, from line `first_y` of the pane: exactly `room` lines."""
        room = self._room = max(room, 1)
        self._first_row_y = first_y
        self._keep_in_sight()
        self.top = max(0, min(self.top, len(self._rows) - room))
        shown = self._rows[self.top : self.top + room]
        lines = [self.row_strip(row, depth) for depth, row in enumerate(shown, self.top)]
        hidden = len(self._rows) - self.top - room
        width, blank = self.size.width, self.tone("text")
        if hidden > 0:
            text = f"  ▼ {hidden + 1} levels deeper: scroll, or zoom in"
            lines[-1] = line_of([(text, self.tone("dim"))], width, blank)
        return lines + [line_of((), width, blank)] * (room - len(lines))

    def _keep_in_sight(self) -> None:
        """Scroll to the chosen frame if there is another, or another room."""
        before, self._sighted = self._sighted, (self._focus, self._room)
        if self._focus is None or before == self._sighted:
            return
        found = find_box(self._rows, *self._focus)
        if found is None:
            return
        depth = found[0]
        if depth < self.top:
            self.top = depth
        elif depth >= self.top + self._room - 1:
            self.top = max(min(depth - self._room + 2, len(self._rows) - self._room), 0)

    def with_hover(self, lines: list[Strip]) -> list[Strip]:
        """Lay what is known of the frame under the mouse over the last of some lines.

        Only where nothing else tells it: a pane that came and went with the mouse would move
        what is under the mouse.
        """
        frame = self.detail() if self.tells_hover and self._hover and not self._focus else None
        if frame is None or not lines:
            return lines
        blank = self.tone("text")
        return [*lines[:-1], line_of(headline(self, frame), self.size.width, blank)]

    def breadcrumb(self, y: int, path: Sequence[int], words: str) -> list[Strip]:
        """Draw the way from the root to the zoomed frame, the last of `path`; none at the root."""
        self._crumbs = []
        self._crumbs_y = y
        if not path:
            return []
        names = [(node, clean(self.name_of(node))) for node in (ROOT, *path[:-1])]
        width = self.size.width
        while len(names) > 2 and sum(width_of(name) + 3 for _, name in names) > width - 12:
            del names[1]  # the near callers say more than the far ones
        parts: list[Part] = [(" ", self.tone("dim"))]
        x = 1
        for node, name in names:
            name = shorten_middle(name, 40)
            self._crumbs.append((x, x + width_of(name), node))
            parts += [(name, self.tone("accent")), (" › ", self.tone("dim"))]
            x += width_of(name) + 3
        parts.append((f"{words}   esc up", self.tone("dim")))
        return [line_of(parts, width, self.tone("text"))]

    def is_hot(self, box: Box) -> bool:
        """Tell whether a box is the one looked at."""
        return (self._hover or self._focus) == (box.node, box.kind)

    # -- looking at frames -----------------------------------------------------------------

    def tell(self) -> None:
        """Say which frame is looked at."""
        looked = self.Looked(self, self.detail(), self.hint())
        if self.listener is None:
            self.post_message(looked)
        else:
            self.listener(looked)

    def _look(self, hover: Identity | None) -> None:
        if hover != self._hover:
            before = self._hover or self._focus
            self._hover = hover
            self._repaint(before, hover or self._focus)

    def _repaint(self, *looked: Identity | None) -> None:
        """Draw the rows of some boxes again without a new layout."""
        if not self._rows or not self._lines:
            return
        if self.tells_hover and not self._focus:
            self.redraw()  # the last line comes or goes
            return
        lines = list(self._lines)
        hidden = len(self._rows) > self.top + self._room
        for identity in looked:
            found = find_box(self._rows, *identity) if identity else None
            if found and 0 <= found[0] - self.top < self._room - (1 if hidden else 0):
                y = self._first_row_y + found[0] - self.top
                lines[y] = self.row_strip(self._rows[found[0]], found[0])
        self.put(lines)
        self.tell()

    def _box_under(self, x: int, y: int) -> Box | None:
        row = y - self._first_row_y
        return box_at(self._rows, self.top + row, x) if 0 <= row < self._room else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Look at the frame under the mouse."""
        box = self._box_under(event.x, event.y)
        self._look((box.node, box.kind) if box else None)

    def on_leave(self) -> None:
        """Go back to the chosen frame."""
        self._look(None)

    def on_click(self, event: events.Click) -> None:
        """Zoom into a frame, or out by the breadcrumb."""
        for x0, x1, node in self._crumbs:
            if event.y == self._crumbs_y and x0 <= event.x < x1:
                self.zoom_to(node)
                return
        box = self._box_under(event.x, event.y)
        if box is None:
            self.clicked_beside(event)
            return
        self._focus = (box.node, box.kind)
        if box.node == self._shown_top and box.node != ROOT:
            self.action_zoom_out()
        else:
            self.zoom_to(box.node)

    def action_walk(self, move: Literal["up", "down", "left", "right"]) -> None:
        """Go to the caller, the widest callee or a sibling."""
        if not self._rows:
            return
        here = find_box(self._rows, *self._focus) if self._focus else None
        target = neighbour(self._rows, *here, move) if here else (0, self._rows[0][0])
        if target is None:
            return
        depth, box = target
        self._hover = None
        self.choose(depth, box)
        self.redraw()

    def choose(self, depth: int, box: Box) -> None:
        """Select a box, and bring it in sight with the next drawing."""
        self._focus = (box.node, box.kind)
        self._sighted = None

    def action_zoom(self) -> None:
        """Give the chosen frame the whole width."""
        if self._focus is not None:
            self.zoom_to(self._focus[0])

    def action_zoom_out(self) -> None:
        """Go back to the caller; at the root let go of the frame, then the key is not ours."""
        if self._shown_top == ROOT:
            self._focus = None
            self.redraw()
            return
        self._focus = (self._shown_top, "frame")
        self.zoom_to(self.parent_of(self._shown_top))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc and backspace to the screen while nothing is zoomed or chosen."""
        nothing = self._shown_top == ROOT and self._focus is None
        return not (action == "zoom_out" and nothing)

    def zoom_to(self, node: int) -> None:
        """Give a node the whole width."""
        self._zoom = node
        self._hover = None
        self.top = 0
        self.redraw()

    @property
    def has_choice(self) -> bool:
        """Whether a frame was chosen."""
        return self._focus is not None

    @property
    def zoomed(self) -> str:
        """Name of the function that takes the whole width, "" for everything."""
        return "" if self._shown_top == ROOT else self.name_of(self._shown_top)

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return the frames that are seen and wide enough to be read."""
        shown = self._rows[self.top : self.top + self._room]
        return [
            (box.x0, self._first_row_y + y)
            for y, row in enumerate(shown)
            for box in row
            if box.x1 - box.x0 >= _JUMP_CELLS
        ]
