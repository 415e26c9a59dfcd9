"""The icicle of one thread or of some as one, root on top: widths are costs, colours packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.colours.frames import frame_ink
from perftui.probes.profile.bursts import brief_bursts
from perftui.probes.profile.folding import hottest_of_yours
from perftui.probes.profile.inverted import InvertedNodes
from perftui.probes.profile.sums import WEIGHT_INDEX, Amount, MergedTree
from perftui.probes.profile.waiting import WAIT_WORDS
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.picture.selection import Selection
from perftui.tui.text.fit import clean
from perftui.tui.widgets.draw.strips import READING, Part, edge_style, ground_of, ink_style, line_of
from perftui.tui.widgets.flame.certainty import by_whom
from perftui.tui.widgets.flame.data import Drawn, is_hit, prepare
from perftui.tui.widgets.flame.detail import FrameDetail, percent, share_error
from perftui.tui.widgets.flame.icicle import IciclePane
from perftui.tui.widgets.flame.layout import Box, first_of, lay_out
from perftui.tui.widgets.flame.row import FrameFace, row_of
from perftui.tui.widgets.flame.threads import (
    ThreadStrip,
    as_one,
    chosen_of,
    pick_threads,
    thread_strip,
)
from perftui.tui.widgets.flame.words import inside, why_empty, why_no_weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.strip import Strip

    from perftui.probes.profile.folding import Fold
    from perftui.probes.spine.reader import ThreadTree
    from perftui.tui.picture.view import View

LEAST_ROWS = 7
"""With fewer there is no line of other threads."""
_FACES = 20_000
"""Labels that are kept."""


class Flame(IciclePane):
    """Frames of the chosen thread (else the hottest); hover, click and arrow keys explore them."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._drawn: Drawn | None = None
        self._empty: tuple[str, ...] = (READING,)
        self._merged: MergedTree | None = None
        self._chosen: tuple[int, int] | None = None
        self._faces: dict[tuple[int, int, Fold | None], tuple[int, int, str]] = {}
        """(node, line, fold) -> hue, shade and label, which change less often than widths."""
        self._cells = 0
        """The width that the rows were laid out for."""
        self._strip: ThreadStrip | None = None
        self._members: frozenset[tuple[int, int]] = frozenset()
        """(pid, tid) of the threads that are shown as one."""
        self._opened: set[int] = set()
        """Where folds were entered that were opened one by one."""
        self._inverted = InvertedNodes()
        self._wants_match = False
        """There is another filter: its first match is to be selected."""
        self._sought: tuple[str, str] | None = None
        """(function, file) that is to be selected rather than others that the filter finds."""

    # -- data ------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show another picture; focus and zoom stay on the same frames."""
        if view.same_stacks(self._view) and not self._wants_match:
            return
        before = self._view.selection if self._view is not None else Selection()
        self._view = view
        selection = view.selection
        if selection.unfold != before.unfold:
            self._opened.clear()
        if selection.inverted != before.inverted:
            self._zoom, self._focus, self._hover = ROOT, None, None
        self._take(view)
        if selection.filter != before.filter or selection.inverted != before.inverted:
            self._wants_match = bool(selection.filter)
        self.redraw()

    def seek(self, function: str, file: str) -> None:
        """Select where a function is called, once a picture comes whose filter finds it."""
        self._sought = (function, file)
        self._wants_match = True

    def _take(self, view: View) -> None:
        self._drawn = None
        selection = view.selection
        merged = self._merged
        if merged is None or merged.source is not view.tree or merged.by_line != selection.by_line:
            merged = self._merged = MergedTree(view.tree, by_line=selection.by_line)
            self._inverted = InvertedNodes()
            self._zoom, self._focus, self._hover = ROOT, None, None
            self._opened.clear()
            self._faces.clear()
        threads = pick_threads(view, self._chosen, self._hit(view))
        if not threads:
            self._empty = why_empty(view)
            return
        self._chosen = (threads[0].pid, threads[0].tid)
        self._members = frozenset((thread.pid, thread.tid) for thread in threads)
        self._drawn = prepare(
            view,
            as_one(view, threads),
            merged,
            fold=not selection.unfold,
            opened=self._opened,
            inverted=self._inverted if selection.inverted else None,
        )
        if self._drawn is None:
            self._empty = why_no_weight(selection.weight)

    @staticmethod
    def _hit(view: View) -> Callable[[ThreadTree], bool] | None:
        """Return what tells whether a thread runs what the filter looks for."""
        wanted = view.selection.filter.lower()
        if not wanted:
            return None
        tree = view.tree
        known: dict[int, bool] = {ROOT: False}

        def hit(node: int) -> bool:
            steps = []
            while node not in known:
                steps.append(node)
                node = tree.parent(node)
            found = known[node]
            for step in reversed(steps):
                found = known[step] = found or is_hit(tree.frame(step), wanted)
            return found

        return lambda thread: any(hit(node) for node in thread.self_by_node)

    # -- drawing ---------------------------------------------------------------------------

    def build(self) -> list[Strip]:
        """Return breadcrumb, rows of frames, and the other threads below."""
        drawn = self._drawn
        width, height = self.size
        self._cells = width
        if drawn is None:
            self._rows, self._strip, self._crumbs = [], None, []
            self.tell()
            return self.words(*self._empty)
        # A frame that has no time in this range lends its zoom to its nearest caller that has.
        top = self._zoom
        while top != ROOT and not drawn.icicle.value.get(top):
            top = drawn.parent(top)
        self._shown_top = top
        self._rows = lay_out(drawn.icicle, top, width)
        if self._wants_match and drawn.matches is not None:
            top = self._go_to_match(drawn, drawn.matches)
        share = drawn.icicle.value[top] / drawn.icicle.value[ROOT]
        whole = "thread" if len(self._members) < 2 else "threads"
        lines = self.breadcrumb(0, drawn.path(top), f"{percent(share)} of the {whole}")
        below = self._thread_lines(height - len(lines))
        lines += self.frame_lines(len(lines), height - len(lines) - len(below))
        self.tell()
        return self.with_hover(lines + below)

    def _go_to_match(self, drawn: Drawn, matches: frozenset[int]) -> int:
        """Select the first match, zoomed to if it is too narrow; returns what is on top."""
        self._wants_match = False
        if self._sought is not None:
            exact = frozenset(n for n in matches if drawn.frame(n)[:2] == self._sought)
            matches, self._sought = exact or matches, None
        found = first_of(self._rows, matches)
        if found is None and matches:
            value = drawn.icicle.value
            widest = max(matches, key=lambda node: (value.get(node, 0.0), -node))
            if value.get(widest):
                self._zoom = self._shown_top = drawn.parent(widest)
                self._rows = lay_out(drawn.icicle, self._shown_top, self._cells)
                found = first_of(self._rows, matches)
                if found is None:
                    self._zoom = self._shown_top = widest
                    self._rows = lay_out(drawn.icicle, widest, self._cells)
                    found = 0, self._rows[0][0]
        if found is not None:
            self.choose(*found)
        return self._shown_top

    def row_strip(self, row: list[Box], depth: int) -> Strip:
        """Draw one row of frames."""
        faces, width, dark = [self._face(box, depth) for box in row], self._cells, self.is_dark
        blank = self.tone("text")
        made_of = (faces, width)
        return self._kept.line(depth, made_of, lambda: row_of(faces, width, blank, dark=dark))

    def _face(self, box: Box, depth: int) -> FrameFace:
        """Return what a box looks like."""
        x0, x1, node, kind, _ = box
        drawn, faces = self._drawn, self._faces
        assert drawn is not None
        if depth == 0 and node == ROOT:
            hue, shade, label = -1, 2, self._root_label(drawn)
        else:
            key = (drawn.upright(node), drawn.line(node), drawn.tree.folds.get(node))
            known = faces.get(key)
            if known is None:
                frame = drawn.frame(node)
                ink = frame_ink(frame.module, frame.file)
                known = faces[key] = (*ink, drawn.label(node))
                if len(faces) > _FACES:
                    faces.pop(next(iter(faces)))
            hue, shade, label = known
            if kind == "wait":
                label = drawn.wait_label(node)
            elif kind != "frame":
                label = "…"
        looked = self._hover or self._focus
        state = ""
        if looked is not None and looked[0] == node and looked[1] == kind:
            state = "hot"
        elif drawn.matches is not None and node != ROOT:
            state = "match" if node in drawn.matches and kind == "frame" else "faint"
        elif kind != "frame":
            state = "wait"
        return FrameFace(x0, x1, hue, shade, label, state)

    def _root_label(self, drawn: Drawn) -> str:
        thread, selection = drawn.thread, drawn.view.selection
        whole = drawn.tree.total[ROOT]
        many = len({stack.pid for stack in drawn.view.stacks}) > 1
        label = clean(thread.name) + (f"  pid {thread.pid}" if many else "") + "  "
        if selection.weight == "grown":
            label += f"{format_bytes(whole[2])} grown{by_whom(thread)} · "
        elif selection.weight == "touched":
            label += f"{format_bytes(whole[4])} touched (page faults){by_whom(thread)} · "
        elif selection.weight == "waiting":
            label += f"{format_seconds(whole[3] / NS_PER_S)} waiting{_kinds(thread)} · "
        elif selection.weight == "cpu":
            words = brief_bursts([thread], drawn.view.status.stack_rate_hz).words
            label += f"{format_seconds(whole[1] / NS_PER_S)} CPU · "
            label += f"{words} · " if words else ""
        label += format_seconds(whole[0] / NS_PER_S)
        if selection.inverted:
            label += "   upside down: what ran, its callers below"
        if drawn.matches is not None:
            label += f'   filter "{clean(selection.filter)}" {percent(drawn.match_share)}'
        return label

    def _thread_lines(self, height: int) -> list[Strip]:
        drawn = self._drawn
        assert drawn is not None
        self._strip = None
        if height < LEAST_ROWS - 1:
            return []
        width = self._cells
        strip = thread_strip(drawn.view, self._members, width)
        if not strip.cells:
            return []
        self._strip = strip
        return [self._kept.line(-1, (strip, width), lambda: self._thread_line(strip, width))]

    def _thread_line(self, strip: ThreadStrip, width: int) -> Strip:
        text, dim = self.tone("text"), self.tone("dim")
        parts: list[Part] = [(f" {strip.title} ", dim)]
        at = len(strip.title) + 2
        for cell in strip.cells:
            if cell.x0 > at:
                parts.append((" " * (cell.x0 - at), text))
            style = ink_style(-1, 2, "", self.is_dark, ground_of(text))
            parts.append(("▏", edge_style(style, ground_of(text))))
            parts.append((inside(cell.label, cell.x1 - cell.x0 - 1), style))
            at = cell.x1
        return line_of(parts, width, text)

    # -- looking at frames -----------------------------------------------------------------

    def detail(self) -> FrameDetail | None:
        """Return what is known about the frame under the mouse, else about the chosen one."""
        looked = self._hover or self._focus
        return None if looked is None else self._told(*looked)

    def hottest(self) -> FrameDetail | None:
        """Return what is known of the program's own function that spent most."""
        drawn = self._drawn
        if drawn is None or drawn.inverted is not None:
            return None  # upside down, what is hottest stands first
        index = WEIGHT_INDEX[drawn.view.selection.weight]
        node = hottest_of_yours(drawn.tree, drawn.frame, index)
        told = None if node == ROOT else self._told(node, "frame")
        return None if told is None else told._replace(note="hottest of your code")

    @property
    def needed(self) -> int:
        """Rows that all levels of the flame take, and what stands above and below them."""
        others = int(self._strip is not None) + int(bool(self._crumbs))
        return max(len(self._rows) + others, LEAST_ROWS) if self._rows else 0

    def _told(self, node: int, kind: str) -> FrameDetail | None:
        drawn = self._drawn
        if drawn is None or node not in drawn.tree.total:
            return None
        sums, weight = drawn.sums, drawn.view.selection.weight
        total = Amount(*drawn.tree.total[node])
        share = max(total[WEIGHT_INDEX[weight]], 0) / drawn.icicle.value[ROOT]
        samples = drawn.tree.total[ROOT][0] / NS_PER_S * (drawn.view.status.stack_rate_hz or 0)
        error = share_error(min(share, 1.0), samples)
        if weight == "cpu":
            bursts = brief_bursts([drawn.thread], drawn.view.status.stack_rate_hz)
            error = bursts.error(min(share, 1.0)) if bursts.looks else None
        own = drawn.own(node)
        if node == ROOT:
            name, name_pid = drawn.thread.name, f"thread {drawn.thread.tid} of {drawn.thread.pid}"
            if len(self._members) > 1:
                name_pid = f"{len(self._members)} threads"
            torn = sums.torn[0] / NS_PER_S
            note = f"torn {format_seconds(torn)}" if torn > 0 else ""
            return FrameDetail(name, name_pid, 0, own, total, share, error, weight, (), note)
        frame, fold = drawn.frame(node), drawn.fold(node)
        name = self.name_of(node)
        lines = tuple(sums.lines(drawn.upright(node))[:8]) if fold is None else ()
        note = ""
        if kind == "wait":
            off = format_seconds((own.wall_ns - own.cpu_ns) / NS_PER_S)
            note = f"{drawn.wait_label(node)} {off}"
        elif kind == "rest":
            note = "callees too narrow to draw: zoom in"
        elif fold is not None and drawn.inverted is None:
            note = "enter opens"
        if drawn.inverted is not None:
            lines = ()  # of a caller they would be about all that it called
        line = drawn.line(node)
        return FrameDetail(name, frame.file, line, own, total, share, error, weight, lines, note)

    def hint(self) -> str:
        """Return what can be done here."""
        return (
            ""
            if self._drawn is None
            else "hover or ↑↓←→ a frame · enter zoom · u unfold · < > thread"
        )

    def parent_of(self, node: int) -> int:
        """Return the node above."""
        return ROOT if self._drawn is None else self._drawn.parent(node)

    def name_of(self, node: int) -> str:
        """Return the function of a node; the root is the thread."""
        drawn = self._drawn
        if drawn is None:
            return ""
        if node == ROOT:
            return drawn.thread.name
        fold = drawn.fold(node)
        return drawn.name(node) if fold is None else f"▸ {fold.words}"

    def zoom_to(self, node: int) -> None:
        """Give a node the whole width; a fold is opened instead."""
        drawn = self._drawn
        if drawn is None or drawn.fold(node) is None or drawn.inverted is not None:
            super().zoom_to(node)
            return
        self._opened.add(node)
        self._hover, self._focus = None, (node, "frame")
        self._take(drawn.view)
        self.redraw()

    def clicked_beside(self, event: events.Click) -> None:
        """Choose a thread of the line of threads."""
        if self._strip is not None and event.y == self.size.height - 1:
            for cell in self._strip.cells:
                if cell.x0 <= event.x < cell.x1 and cell.threads:
                    self.post_message(chosen_of(cell))


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
