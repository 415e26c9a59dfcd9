"""The Heat tab: when within each second the program was busy. Short stalls and bursts that a
curve averages away are dark or bright spots here. The time axis is that of the charts: where it
has no cell for each second, a column stands for some of them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.message import Message

from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.terminal.theme import paint_of
from perftui.tui.widgets.charts.axis_place import axis_left
from perftui.tui.widgets.charts.heat_map import LEVELS, UNKNOWN, HeatMap, heat_map
from perftui.tui.widgets.charts.time_axis import moment_text, ticks_of
from perftui.tui.widgets.draw.strips import READING, LinePane, Part, ground_of, line_of, spread

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from perftui.probes.spine.reader import Buckets
    from perftui.tui.picture.view import View

LEFT = 2
"""Cells left of the map where the charts' axis does not fit."""
_SHADES = " ░░░▒▒▒▒▓▓▓▓████"
"""A level without colour."""


class HeatPane(LinePane):
    """One column a second or some, rows are parts of it; drag, or enter twice, selects a range."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "walk(-1,0)", "a second back", show=False),
        Binding("right", "walk(1,0)", "a second on", show=False),
        Binding("up", "walk(0,-1)", "back", show=False),
        Binding("down", "walk(0,1)", "on", show=False),
        Binding("enter", "pin", "range from here", show=False),
        Binding("escape", "unpin", "no range", show=False),
    ]

    HINTS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("↑↓←→", "walk", "focused.walk(1,0)"),
        ("enter", "range", "focused.pin"),
    )
    """Key, what it does, and its action: named below while the keys are here."""

    class RangeChosen(Message):
        """A range was selected."""

        def __init__(self, t0_ns: int, t1_ns: int) -> None:
            super().__init__()
            self.t0_ns, self.t1_ns = t0_ns, t1_ns

    class MomentChosen(Message):
        """A moment was clicked or walked to."""

        def __init__(self, t_ns: int) -> None:
            super().__init__()
            self.t_ns = t_ns

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._map: HeatMap | None = None
        self._axis_map = AxisMap(0, 1, LEFT, 1)
        self._periods: list[int | None] = []
        """Of each cell of the axis: the column of the map that is shown there."""
        self._cursor_ns: int | None = None
        self._pinned_ns: int | None = None
        """Where a range begins that is being selected with the keys."""
        self._pressed_ns: int | None = None
        self._dragged = False
        self._inks: list[Style] = []
        self._pairs: dict[tuple[int, int, bool], Style] = {}

    # -- data ------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show another picture."""
        self._view = view
        self._cursor_ns = view.selection.cursor_ns
        self.redraw()

    def line_count(self) -> int:
        """Return the lines that are there: it never scrolls."""
        return self.size.height

    # -- drawing ---------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """Mix the colours anew."""
        super().notify_style_update()
        self._inks, self._pairs = [], {}

    def build(self) -> list[Strip]:
        """Return head, map and time axis."""
        view, (width, height) = self._view, self.size
        buckets = None if view is None else view.heat
        if view is None or buckets is None or height < 3 or width < LEFT + 10:
            self._map = None
            return self.words(READING)
        if not any(value is not None for value in buckets.last):
            self._map = None
            return self.words("no CPU was measured here yet")
        made = self._map = self._placed(view, buckets, height - 2, width)
        lines = [self._head(made, width)]
        lines += [self._row(view, made, line, width) for line in range(made.rows // 2)]
        lines.append(self._axis(view, width))
        return lines

    def _placed(self, view: View, buckets: Buckets, lines: int, width: int) -> HeatMap:
        """Make the map, and give each cell of the axis its period."""
        made = heat_map(buckets, lines)
        (t0_ns, t1_ns), columns = view.axis, len(view.cpu.last)
        left = axis_left(width, columns)
        if left is None:
            left, columns = LEFT, width - LEFT - 1
        self._axis_map = AxisMap(t0_ns, t1_ns, left, columns)
        moments = (t0_ns + (2 * n + 1) * (t1_ns - t0_ns) // (2 * columns) for n in range(columns))
        places = map(made.place, moments)
        self._periods = [None if place is None else place[0] for place in places]
        return made

    def _head(self, made: HeatMap, width: int) -> Strip:
        dim = self.tone("dim")
        period, part = (format_seconds(ns / NS_PER_S) for ns in (made.period_ns, made.part_ns))
        what = "second" if made.period_ns == NS_PER_S else period
        left: list[Part] = [
            (f" CPU within each {what}", self.tone("strong")),
            (f"  a row is {part} of it", dim),
        ]
        if made.period_ns > NS_PER_S:
            left.append((", its highest reading · zoom in for shorter ones", dim))
        if self._pinned_ns is not None:
            left.append(("  enter ends the range · esc drops it", self.tone("accent")))
        inks = self._levels()
        right: list[Part] = [("0 ", dim)]
        right += [(_SHADES[level] if self._plain else " ", inks[level]) for level in range(LEVELS)]
        right.append((f" {made.top:.0f} % ", dim))
        return spread(left, right, width, self.tone("text"))

    def _row(self, view: View, made: HeatMap, line: int, width: int) -> Strip:
        dim = self.tone("dim")
        label = ""
        if line == 0:
            label = "0"
        elif line * 4 == made.rows:
            label = format_seconds(made.period_ns / 2 / NS_PER_S)
        left = self._axis_map.left
        parts: list[Part] = [(label.rjust(left - 2)[: left - 2] + "  ", dim)]
        cursor = None if self._cursor_ns is None else made.place(self._cursor_ns)
        chosen, plain = self._chosen(view), self._plain
        upper, lower = 2 * line, 2 * line + 1
        for column, run in groupby(self._periods):
            cells = len(list(run))
            if column is None:
                parts.append((" " * cells, dim))
                continue
            levels = made.levels[column]
            inside = chosen is None or _within(chosen, made.moment(column, upper), made.part_ns * 2)
            if cursor is not None and cursor[0] == column and cursor[1] // 2 == line:
                style = self._pair(levels[upper], levels[lower], inside)
                mark = "◆".center(cells)[:cells]
                ink = paint_of(self.app).bright
                parts.append((mark, Style(color=ink.color, bgcolor=style.bgcolor, bold=True)))
                continue
            text = _glyph(levels[upper], levels[lower], plain=plain) * cells
            parts.append((text, self._pair(levels[upper], levels[lower], inside)))
        return line_of(_joined(parts), width, self.tone("text"))

    def _axis(self, view: View, width: int) -> Strip:
        text = [" "] * width
        for at, label in ticks_of(view, self._axis_map):
            if at + len(label) <= width:
                text[at : at + len(label)] = label
        parts: list[Part] = [("".join(text), self.tone("dim"))]
        if self._cursor_ns is not None:
            said = f" ◆ {moment_text(view.seconds(self._cursor_ns))} "
            parts = [("".join(text)[: width - len(said)], self.tone("dim"))]
            parts.append((said, self.tone("accent")))
        return line_of(parts, width, self.tone("text"))

    def _chosen(self, view: View) -> tuple[int, int] | None:
        """Return the range that stands out: chosen, or being chosen."""
        start = self._pressed_ns if self._dragged else self._pinned_ns
        if start is not None and self._cursor_ns is not None and self._map is not None:
            return self._span(start, self._cursor_ns, self._map)
        return view.selection.range

    @staticmethod
    def _span(one_ns: int, other_ns: int, made: HeatMap) -> tuple[int, int]:
        """Return the range between two parts, both included."""
        return min(one_ns, other_ns), max(one_ns, other_ns) + made.part_ns

    # -- colours ---------------------------------------------------------------------------

    @property
    def _plain(self) -> bool:
        """Whether levels must be told by their characters."""
        app = self.app
        return app.no_color or (isinstance(app, TerminalApp) and app.ascii_only)

    def _levels(self) -> list[Style]:
        """Return a background for every level: from hardly there to the colour of CPU."""
        if not self._inks:
            paint = paint_of(self.app)
            ground = Color.parse(ground_of(self.tone("text")))
            soft, full, bright = (
                _colour(style, ground) for style in (paint.cpu_soft, paint.cpu, paint.bright)
            )
            colours = [ground.blend(soft, 0.28)]
            half = (LEVELS - 1) * 2 // 3
            colours += [ground.blend(soft, 0.4).blend(full, n / half) for n in range(1, half + 1)]
            rest = LEVELS - 1 - half
            colours += [full.blend(bright, 0.62 * n / rest) for n in range(1, rest + 1)]
            self._inks = [
                Style(color=colour.hex if self._plain else None, bgcolor=colour.hex)
                for colour in colours
            ]
            if self._plain:
                self._inks = [self.tone("text")] * LEVELS
        return self._inks

    def _pair(self, upper: int, lower: int, inside: bool) -> Style:
        key = (upper, lower, inside)
        found = self._pairs.get(key)
        if found is None:
            ground = ground_of(self.tone("text"))
            inks = self._levels()
            if self._plain:
                found = self.tone("text" if inside else "dim")
            else:
                above, below = (
                    ground if level == UNKNOWN else _dimmed(inks[level], ground, inside)
                    for level in (upper, lower)
                )
                found = Style(color=above, bgcolor=below)
            self._pairs[key] = found
        return found

    # -- keys and mouse --------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc to the screen while no range is being selected."""
        return not (action == "unpin" and self._pinned_ns is None)

    def action_walk(self, periods: int, rows: int) -> None:
        """Move the cursor by columns and rows."""
        made, view = self._map, self._view
        if made is None or view is None:
            return
        at = self._cursor_ns
        if at is None:
            at = made.moment(made.periods - 1, 0)
        else:
            at += periods * made.period_ns + rows * made.part_ns
        end = view.selection.paused_at_ns or view.status.t_end_ns
        self._cursor_ns = min(max(at, view.status.t_start_ns), end)
        self.post_message(self.MomentChosen(self._cursor_ns))
        self.redraw()

    def action_pin(self) -> None:
        """Begin a range at the cursor, or end it there."""
        if self._map is None or self._cursor_ns is None:
            return
        if self._pinned_ns is None:
            self._pinned_ns = self._cursor_ns
            self.redraw()
            return
        chosen = self._span(self._pinned_ns, self._cursor_ns, self._map)
        self._pinned_ns = None
        self.post_message(self.RangeChosen(*chosen))

    def action_unpin(self) -> None:
        """Forget the range that was begun."""
        self._pinned_ns = None
        self.redraw()

    def _moment(self, event: events.MouseEvent) -> int | None:
        made = self._map
        if made is None:
            return None
        cell = min(max(int(event.x) - self._axis_map.left, 0), len(self._periods) - 1)
        near = sorted(range(len(self._periods)), key=lambda n: abs(n - cell))
        column = next((c for c in map(self._periods.__getitem__, near) if c is not None), 0)
        return made.moment(column, 2 * int(event.y - 1))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a drag, or a click."""
        self._pressed_ns = self._moment(event) if event.button == 1 else None
        self._dragged = False
        if self._pressed_ns is not None:
            self.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow a drag."""
        if self._pressed_ns is None:
            return
        at = self._moment(event)
        if at is not None and (at != self._pressed_ns or self._dragged):
            self._dragged = True
            self._cursor_ns = at
            self.redraw()
        event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a drag, or a click."""
        if self._pressed_ns is None:
            return
        self.release_mouse()
        pressed, self._pressed_ns = self._pressed_ns, None
        at = self._moment(event)
        if self._dragged and at is not None and self._map is not None:
            self.post_message(self.RangeChosen(*self._span(pressed, at, self._map)))
        else:
            self.post_message(self.MomentChosen(pressed))
        self._dragged = False
        event.stop()


def _glyph(upper: int, lower: int, *, plain: bool) -> str:
    if plain:
        known = [level for level in (upper, lower) if level != UNKNOWN]
        return _SHADES[sum(known) // len(known)] if known else " "
    return " " if upper == lower else "▀"


def _within(chosen: tuple[int, int], t_ns: int, length_ns: int) -> bool:
    return t_ns < chosen[1] and t_ns + length_ns > chosen[0]


def _dimmed(ink: Style, ground: str, inside: bool) -> str:
    colour = ground_of(ink)
    return colour if inside else Color.parse(ground).blend(Color.parse(colour), 0.45).hex


def _colour(style: Style, fallback: Color) -> Color:
    """Return the ink of a style as a colour that can be mixed."""
    if style.color is None or style.color.triplet is None:
        return fallback
    return Color.parse(style.color.triplet.hex)


def _joined(parts: list[Part]) -> list[Part]:
    """Join neighbours of one style: less to send."""
    joined: list[Part] = []
    for text, style in parts:
        if joined and joined[-1][1] is style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined
