"""Sixteen colours, a zoomed axis, a low rate: what must not be mistaken for something else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from support.screens.pane_views import S, make_view
from textual.color import Color as ThemeColor

from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.selection import Selection
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.terminal.sixteen import SixteenColours, in_sixteen
from perftui.tui.terminal.theme import DARK_COLOURS, LIGHT_COLOURS, make_paint
from perftui.tui.widgets.bars.header import stacks_pieces
from perftui.tui.widgets.charts.time_axis import axis_line

if TYPE_CHECKING:
    from perftui.probes.spine.reader import Status

RED, BRIGHT_RED, YELLOW, BRIGHT_YELLOW = 1, 9, 3, 11
PAINT = make_paint(
    {**DARK_COLOURS, "foreground": "#cdd4dc", "background": "#0d1117", "panel": "#0"}
)


@pytest.mark.parametrize("colours", [DARK_COLOURS, LIGHT_COLOURS])
def test_only_what_is_bad_is_red_at_sixteen_colours(colours: dict[str, str]) -> None:
    numbers = {}
    for name, colour in colours.items():
        style = in_sixteen(Style(color=colour))
        assert style.color is not None
        numbers[name] = style.color.downgrade(ColorSystem.STANDARD).number
    shown = {name for name, number in numbers.items() if number in (RED, BRIGHT_RED)}
    assert shown == {"bad"}
    assert numbers["memory"] == YELLOW
    inks = ("memory", "cpu", "rows", "teal", "violet", "bad")
    assert len({numbers[name] for name in inks}) == len(inks)


def test_colours_of_others_and_attributes_stay() -> None:
    assert in_sixteen(Style(color="#123456", bold=True)) == Style(color="#123456", bold=True)
    line = [Segment("a", Style(color=DARK_COLOURS["memory"], bold=True)), Segment("b")]
    told = SixteenColours().apply(line, ThemeColor.parse("black"))
    assert told[0].style == Style(color=Color.from_ansi(YELLOW), bold=True)
    assert told[1] == Segment("b")


@pytest.mark.parametrize(("system", "taken"), [("standard", True), ("256", False)])
def test_a_terminal_of_sixteen_colours_gets_them(
    monkeypatch: pytest.MonkeyPatch, system: str, taken: bool
) -> None:
    monkeypatch.setenv("TEXTUAL_COLOR_SYSTEM", system)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", system)
    filters = TerminalApp[None](ascii_only=False).get_line_filters()
    assert any(isinstance(each, SixteenColours) for each in filters) is taken


def test_a_zoomed_axis_says_so() -> None:
    whole = make_view()
    axis = AxisMap(*whole.axis, 9, 60)
    assert "zoom" not in axis_line(whole, axis, 80, PAINT).text
    span = (whole.axis[0] + S, whole.axis[0] + 3 * S)
    zoomed = replace(whole, selection=Selection(axis=span), axis=span)
    line = axis_line(zoomed, AxisMap(*span, 9, 60), 80, PAINT).text
    assert line.startswith(" zoomed ")


@pytest.mark.parametrize(
    ("rate", "asked", "low"),
    [(99.0, 100.0, False), (75.0, 100.0, False), (11.0, 100.0, True), (9.8, 10.0, False),
     (11.0, None, False), (None, 100.0, False)],
)  # fmt: skip
def test_a_low_rate_stands_out_with_what_was_asked_for(
    rate: float | None, asked: float | None, low: bool
) -> None:
    status: Status = make_view().status._replace(
        stack_backend="own sampler", stack_rate_hz=rate, stack_asked_hz=asked
    )
    pieces = stacks_pieces(status, PAINT)
    assert any(style == PAINT.warn for _, style in pieces) is low
    text = "".join(text for text, _ in pieces)
    assert text.startswith("own")
    assert ("11 of 100 Hz" in text) is low
