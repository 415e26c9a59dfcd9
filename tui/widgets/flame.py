"""The icicle of one thread, root on top: widths are costs, colours are packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from perftui.probes.calltree import ROOT
from perftui.probes.frame_colours import frame_ink
from perftui.probes.profile import WEIGHT_INDEX, Amount, MergedTree
from perftui.probes.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text import clean, shorten_middle, width_of
from perftui.tui.widgets.detail import FrameDetail, percent, share_error
from perftui.tui.widgets.flame_data import Drawn, prepare
from perftui.tui.widgets.flame_layout import Box, box_at, find_box, lay_out, neighbour
from perftui.tui.widgets.flame_threads import ThreadChosen, ThreadStrip, pick_thread, thread_strip
from perftui.tui.widgets.flame_words import frame_label, inside, why_empty, why_no_weight
from perftui.tui.widgets.strips import (
    LinePane,
    Part,
    edge_style,
    ground_of,
    ink_style,
    line_of,
)

if TYPE_CHECKING:
    from textual import events

    from perftui.tui.view import View

Identity = tuple[int, str]
"""(merged node, kind) of a box: stays the same while the session goes on."""


class Flame(LinePane):
    """Frames of the chosen thread (else the hottest); hover, click and arrow keys explore them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk('up')", "caller", show=False),
        Binding("down", "walk('down')", "callee", show=False),
        Binding("left,ctrl+left", "walk('left')", "sibling", show=False),
        Binding("right,ctrl+right", "walk('right')", "sibling", show=False),
        Binding("enter", "zoom", "zoom", show=False),
        Binding("escape,backspace", "zoom_out", "zoom out", show=False),
    ]

    class Looked(Message):
        """Another frame is looked at; None when there is none."""

        def __init__(self, flame: Flame, frame: FrameDetail | None, hint: str) -> None:
            super().__init__()
            self.flame = flame
            self.frame = frame
            self.hint = hint

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._drawn: Drawn | None = None
        self._empty: tuple[str, ...] = ("waiting for the first picture",)
        self._merged: MergedTree | None = None
        self._chosen: tuple[int, int] | None = None
        self._zoom = ROOT
        self._shown_top = ROOT
        self._focus: Identity | None = None
        self._hover: Identity | None = None
        self._rows: list[list[Box]] = []
        self._faces: dict[tuple[int, int], tuple[int, int, str]] = {}
        """(node, line) -> hue, shade and label, which change less often than widths."""
        self._strip: ThreadStrip | None = None
        self._crumbs: list[tuple[int, int, int]] = []
        """(x0, x1, node) of the breadcrumb's parts."""

    # -- data ------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show another picture; focus and zoom stay on the same frames."""
        if view.same_stacks(self._view):
            return
        self._view = view
        self._take(view)
        self.redraw()

    def _take(self, view: View) -> None:
        self._drawn = None
        by_line = view.selection.by_line
        merged = self._merged
        if merged is None or merged.source is not view.tree or merged.by_line != by_line:
            merged = self._merged = MergedTree(view.tree, by_line=by_line)
            self._zoom, self._focus, self._hover = ROOT, None, None
            self._faces.clear()
        thread = pick_thread(view, self._chosen)
        if thread is None:
            self._empty = why_empty(view)
            return
        self._chosen = (thread.pid, thread.tid)
        self._drawn = prepare(view, thread, merged)
        if self._drawn is None:
            self._empty = why_no_weight(view.selection.weight)

    # -- drawing ---------------------------------------------------------------------------

    def build(self) -> list[Strip]:
        """Return breadcrumb, rows of frames, and the other threads below."""
        drawn = self._drawn
        width, height = self.size
        if drawn is None:
            self._rows, self._strip, self._crumbs = [], None, []
            self._tell()
            return self.words(*self._empty)
        # A frame that has no time in this range lends its zoom to its nearest caller that has.
        top = self._zoom
        while top != ROOT and not drawn.icicle.value.get(top):
            top = drawn.sums.merged.parent(top)
        self._shown_top = top
        self._rows = lay_out(drawn.icicle, top, width)
        lines = self._breadcrumb(top) if top != ROOT else []
        if top == ROOT:
            self._crumbs = []
        below = self._thread_lines(height - len(lines))
        room = self._room = max(height - len(lines) - len(below), 1)
        self.top = max(0, min(self.top, len(self._rows) - room))
        self._first_row_y = len(lines)
        shown = self._rows[self.top : self.top + room]
        for depth, row in enumerate(shown, self.top):
            lines.append(self._row_strip(row, depth))
        if len(self._rows) > self.top + room:
            lines[-1] = self._more_line(len(self._rows) - self.top - room + 1)
        blank = line_of((), width, self.tone("text"))
        lines += [blank] * (height - len(below) - len(lines))
        self._tell()
        return lines + below

    _room = 1
    _first_row_y = 0

    def line_count(self) -> int:
        """Return the depth of the icicle."""
        return len(self._rows)

    def page(self) -> int:
        """Return the rows of frames that are seen."""
        return self._room

    def _more_line(self, hidden: int) -> Strip:
        text = f"  ▼ {hidden} levels deeper: scroll, or zoom in"
        return line_of([(text, self.tone("dim"))], self.size.width, self.tone("text"))

    def _row_strip(self, row: list[Box], depth: int) -> Strip:
        width, blank = self.size.width, self.tone("text")
        dark, ground = self.is_dark, ground_of(blank)
        drawn = self._drawn
        assert drawn is not None
        looked = self._hover or self._focus
        merged, line_at, faces = drawn.sums.merged, drawn.sums.line, self._faces
        segments: list[Segment] = []
        at = 0
        for x0, x1, node, kind, _ in row:
            if x0 > at:
                segments.append(Segment(" " * (x0 - at), blank))
            at = x1
            if depth == 0 and node == ROOT:
                hue, shade, label = -1, 2, self._root_label(drawn)
            else:
                face = (node, line_at.get(node, 0))
                known = faces.get(face)
                if known is None:
                    frame = merged.frame(node)
                    ink = frame_ink(frame.module, frame.file)
                    known = faces[face] = (*ink, frame_label(frame, face[1]))
                hue, shade, label = known
                if kind == "frame":
                    pass
                elif kind == "wait":
                    label = drawn.wait_label(node)
                else:
                    label = "…"
            state = ""
            if looked is not None and looked[0] == node and looked[1] == kind:
                state = "hot"
            elif drawn.matches is not None and node != ROOT:
                state = "match" if node in drawn.matches and kind == "frame" else "faint"
            elif kind != "frame":
                state = "wait"
            style = ink_style(hue, shade, state, dark, ground)
            segments.append(Segment("▏", edge_style(style, ground)))
            segments.append(Segment(inside(label, x1 - x0 - 1), style))
        if at < width:
            segments.append(Segment(" " * (width - at), blank))
        return Strip(segments, width)

    def _root_label(self, drawn: Drawn) -> str:
        thread, selection = drawn.thread, drawn.view.selection
        whole = drawn.sums.total[ROOT]
        many = len({stack.pid for stack in drawn.view.stacks}) > 1
        label = clean(thread.name) + (f"  pid {thread.pid}" if many else "") + "  "
        if selection.weight == "grown":
            label += f"{format_bytes(whole[2])} grown · "
        elif selection.weight == "cpu":
            label += f"{format_seconds(whole[1] / NS_PER_S)} CPU · "
        label += format_seconds(whole[0] / NS_PER_S)
        if drawn.matches is not None:
            label += f'   filter "{clean(selection.filter)}" {percent(drawn.match_share)}'
        return label

    def _breadcrumb(self, top: int) -> list[Strip]:
        drawn = self._drawn
        assert drawn is not None
        merged = drawn.sums.merged
        names = [(ROOT, clean(drawn.thread.name))]
        names += [(node, clean(merged.frame(node).function)) for node in merged.path(top)[:-1]]
        width = self.size.width
        while len(names) > 2 and sum(width_of(name) + 3 for _, name in names) > width - 12:
            del names[1]  # the near callers say more than the far ones
        parts: list[Part] = [(" ", self.tone("dim"))]
        self._crumbs = []
        x = 1
        for node, name in names:
            name = shorten_middle(name, 40)
            self._crumbs.append((x, x + width_of(name), node))
            parts += [(name, self.tone("accent")), (" › ", self.tone("dim"))]
            x += width_of(name) + 3
        share = drawn.icicle.value[top] / drawn.icicle.value[ROOT]
        parts.append((f"{percent(share)} of the thread   esc up", self.tone("dim")))
        return [line_of(parts, width, self.tone("text"))]

    def _thread_lines(self, height: int) -> list[Strip]:
        drawn = self._drawn
        assert drawn is not None
        self._strip = None
        if height < 6:
            return []
        strip = thread_strip(drawn.view, drawn.thread, self.size.width)
        if not strip.cells:
            return []
        self._strip = strip
        width, text, dim = self.size.width, self.tone("text"), self.tone("dim")
        parts: list[Part] = []
        at = 0
        for cell in strip.cells:
            if cell.x0 > at:
                parts.append((" " * (cell.x0 - at), text))
            style = ink_style(-1, 0 if cell.chosen else 2, "", self.is_dark, ground_of(text))
            parts.append(("▏", edge_style(style, ground_of(text))))
            parts.append((inside(cell.label, cell.x1 - cell.x0 - 1), style))
            at = cell.x1
        title = line_of([(" " + strip.title, dim)], width, text)
        threads = line_of(parts, width, text)
        return [title, threads] if height < 9 else [line_of((), width, text), title, threads]

    # -- looking at frames -----------------------------------------------------------------

    def detail(self) -> FrameDetail | None:
        """Return what is known about the frame under the mouse, else about the chosen one."""
        drawn = self._drawn
        looked = self._hover or self._focus
        if drawn is None or looked is None or looked[0] not in drawn.sums.total:
            return None
        node, kind = looked
        sums, weight = drawn.sums, drawn.view.selection.weight
        total = Amount(*sums.total[node])
        share = max(total[WEIGHT_INDEX[weight]], 0) / drawn.icicle.value[ROOT]
        samples = drawn.sums.total[ROOT][0] / NS_PER_S * (drawn.view.status.stack_rate_hz or 0)
        error = share_error(min(share, 1.0), samples)
        own = Amount(*sums.own.get(node, (0, 0, 0)))
        if node == ROOT:
            name, name_pid = drawn.thread.name, f"thread {drawn.thread.tid} of {drawn.thread.pid}"
            torn = sums.torn[0] / NS_PER_S
            note = f"torn {format_seconds(torn)}" if torn > 0 else ""
            return FrameDetail(name, name_pid, 0, own, total, share, error, weight, (), note)
        frame = sums.merged.frame(node)
        lines = tuple(sums.lines(node)[:8])
        line = frame.line if sums.merged.by_line else sums.line.get(node, frame.line)
        note = ""
        if kind == "wait":
            off = format_seconds((own.wall_ns - own.cpu_ns) / NS_PER_S)
            note = f"{drawn.wait_label(node)} {off}"
        elif kind == "rest":
            note = "callees too narrow to draw: zoom in"
        return FrameDetail(
            frame.function, frame.file, line, own, total, share, error, weight, lines, note
        )

    def _tell(self) -> None:
        detail = self.detail()
        hint = "" if self._drawn is None else "hover or ↑↓←→ a frame · enter zoom · < > thread"
        self.post_message(self.Looked(self, detail, hint))

    def _look(self, hover: Identity | None) -> None:
        if hover != self._hover:
            before = self._hover or self._focus
            self._hover = hover
            self._repaint(before, hover or self._focus)

    def _repaint(self, *looked: Identity | None) -> None:
        """Draw the rows of some boxes again without a new layout."""
        if self._drawn is None or not self._lines:
            return
        lines = list(self._lines)
        hidden = len(self._rows) > self.top + self._room
        for identity in looked:
            found = find_box(self._rows, *identity) if identity else None
            if found and 0 <= found[0] - self.top < self._room - (1 if hidden else 0):
                y = self._first_row_y + found[0] - self.top
                lines[y] = self._row_strip(self._rows[found[0]], found[0])
        self.put(lines)
        self._tell()

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
        """Zoom into a frame, out by the breadcrumb, or choose a thread."""
        for x0, x1, node in self._crumbs:
            if event.y == 0 and x0 <= event.x < x1:
                self._zoom_to(node)
                return
        box = self._box_under(event.x, event.y)
        if box is not None:
            self._focus = (box.node, box.kind)
            if box.node == self._shown_top and box.node != ROOT:
                self.action_zoom_out()
            else:
                self._zoom_to(box.node)
        elif self._strip is not None and event.y == self.size.height - 1:
            for cell in self._strip.cells:
                if cell.x0 <= event.x < cell.x1 and cell.thread is not None:
                    self.post_message(ThreadChosen(*cell.thread))

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
        self._focus = (box.node, box.kind)
        if depth < self.top:
            self.top = depth
        elif depth >= self.top + self._room - 1:
            self.top = max(min(depth - self._room + 2, len(self._rows) - self._room), 0)
        self.redraw()

    def action_zoom(self) -> None:
        """Give the chosen frame the whole width."""
        if self._focus is not None:
            self._zoom_to(self._focus[0])

    def action_zoom_out(self) -> None:
        """Go back to the caller; at the root the key is not ours."""
        if self._shown_top == ROOT:
            return
        merged = self._merged
        assert merged is not None
        self._focus = (self._shown_top, "frame")
        self._zoom_to(merged.parent(self._shown_top))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc and backspace to the screen while nothing is zoomed."""
        return not (action == "zoom_out" and self._shown_top == ROOT)

    def reset_zoom(self) -> None:
        """Show the whole thread again, nothing chosen."""
        self._focus = self._hover = None
        self._zoom_to(ROOT)

    def _zoom_to(self, node: int) -> None:
        self._zoom = node
        self._hover = None
        self.top = 0
        self.redraw()

    @property
    def zoomed(self) -> str:
        """Name of the function that takes the whole width, "" for the thread."""
        if self._shown_top == ROOT or self._merged is None:
            return ""
        return self._merged.frame(self._shown_top).function
