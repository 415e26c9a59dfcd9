"""The icicle of one thread, root on top: widths are costs, colours are packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

from perftui.probes.colours.frames import frame_ink
from perftui.probes.profile.sums import NOTHING, WEIGHT_INDEX, Amount, MergedTree
from perftui.probes.profile.waiting import WAIT_WORDS
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.draw.strips import READING, Part, edge_style, ground_of, ink_style, line_of
from perftui.tui.widgets.flame.data import Drawn, prepare
from perftui.tui.widgets.flame.detail import FrameDetail, percent, share_error
from perftui.tui.widgets.flame.icicle import IciclePane
from perftui.tui.widgets.flame.layout import Box, lay_out
from perftui.tui.widgets.flame.threads import ThreadChosen, ThreadStrip, pick_thread, thread_strip
from perftui.tui.widgets.flame.words import frame_label, inside, why_empty, why_no_weight

if TYPE_CHECKING:
    from textual import events

    from perftui.probes.spine.reader import ThreadTree
    from perftui.tui.picture.view import View


class Flame(IciclePane):
    """Frames of the chosen thread (else the hottest); hover, click and arrow keys explore them."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._drawn: Drawn | None = None
        self._empty: tuple[str, ...] = (READING,)
        self._merged: MergedTree | None = None
        self._chosen: tuple[int, int] | None = None
        self._faces: dict[tuple[int, int], tuple[int, int, str]] = {}
        """(node, line) -> hue, shade and label, which change less often than widths."""
        self._strip: ThreadStrip | None = None

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
            self.tell()
            return self.words(*self._empty)
        # A frame that has no time in this range lends its zoom to its nearest caller that has.
        top = self._zoom
        while top != ROOT and not drawn.icicle.value.get(top):
            top = drawn.sums.merged.parent(top)
        self._shown_top = top
        self._rows = lay_out(drawn.icicle, top, width)
        share = drawn.icicle.value[top] / drawn.icicle.value[ROOT]
        path = drawn.sums.merged.path(top)
        lines = self.breadcrumb(0, path, f"{percent(share)} of the thread")
        below = self._thread_lines(height - len(lines))
        lines += self.frame_lines(len(lines), height - len(lines) - len(below))
        self.tell()
        return lines + below

    def row_strip(self, row: list[Box], depth: int) -> Strip:
        """Draw one row of frames."""
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
        elif selection.weight == "touched":
            label += f"{format_bytes(whole[4])} touched (page faults) · "
        elif selection.weight == "waiting":
            label += f"{format_seconds(whole[3] / NS_PER_S)} waiting{_kinds(thread)} · "
        elif selection.weight == "cpu":
            label += f"{format_seconds(whole[1] / NS_PER_S)} CPU · "
        label += format_seconds(whole[0] / NS_PER_S)
        if drawn.matches is not None:
            label += f'   filter "{clean(selection.filter)}" {percent(drawn.match_share)}'
        return label

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
        own = Amount(*sums.own.get(node, NOTHING))
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

    def hint(self) -> str:
        """Return what can be done here."""
        return "" if self._drawn is None else "hover or ↑↓←→ a frame · enter zoom · < > thread"

    def parent_of(self, node: int) -> int:
        """Return the calling merged node."""
        return ROOT if self._merged is None else self._merged.parent(node)

    def name_of(self, node: int) -> str:
        """Return the function of a merged node; the root is the thread."""
        if node == ROOT:
            return "" if self._drawn is None else self._drawn.thread.name
        return "" if self._merged is None else self._merged.frame(node).function

    def clicked_beside(self, event: events.Click) -> None:
        """Choose a thread of the line of threads."""
        if self._strip is not None and event.y == self.size.height - 1:
            for cell in self._strip.cells:
                if cell.x0 <= event.x < cell.x1 and cell.thread is not None:
                    self.post_message(ThreadChosen(*cell.thread))


def _kinds(thread: ThreadTree) -> str:
    """Say what a thread waited for most, as far as that is known."""
    kinds = {
        word: sum(getattr(cell, name) for cell in thread.self_by_node.values())
        for name, word in WAIT_WORDS.items()
    }
    told = sorted(((ns, word) for word, ns in kinds.items() if ns), reverse=True)[:3]
    if not told:
        return ", for what is not known"
    return ": " + ", ".join(f"{word} {format_seconds(ns / NS_PER_S)}" for ns, word in told)
