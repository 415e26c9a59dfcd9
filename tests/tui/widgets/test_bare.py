"""Lines that go straight into the picture are what Textual would make of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.widget import Widget

from perftui.tui.terminal.capability import AsciiFilter, PlainFilter
from perftui.tui.widgets.draw.bare import Pile, Tray, is_bare
from perftui.tui.widgets.draw.canvas import Canvas, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.filter import LineFilter
    from textual.strip import Strip

INK = Style(color="#ff8800", bold=True)
LINES = [
    strip_of([("short", INK)]),
    strip_of([("wide 日本 and on", None), ("▁▂▃", INK)]),
    strip_of([("x" * 60, INK)]),
]


class Framed(Canvas):
    DEFAULT_CSS = "Framed { border: round red; height: 5; }"


class Drawn(App[None]):
    CSS = "Pile { background: #102030; height: auto; } Canvas { height: 4; background: #203040; }"

    def __init__(self, filters: Sequence[LineFilter] = ()) -> None:
        super().__init__()
        self._more = filters

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._more]

    def compose(self) -> ComposeResult:
        with Tray(), Pile():
            yield Canvas(id="plain")
            yield Framed(id="framed")


def segments(strips: Sequence[Strip]) -> list[list[tuple[str, Style | None]]]:
    return [[(part.text, part.style) for part in strip] for strip in strips]


def by_textual(widget: Widget, crop: Region) -> list[list[tuple[str, Style | None]]]:
    widget._styles_cache.clear()
    return segments(Widget.render_lines(widget, crop))


@pytest.mark.parametrize("filters", [(), (AsciiFilter(), PlainFilter())])
def test_a_canvas_and_a_container_are_drawn_as_textual_does(
    filters: Sequence[LineFilter],
) -> None:
    async def act() -> None:
        app = Drawn(filters)
        async with app.run_test(size=(40, 20)) as pilot:
            canvas = app.query_one("#plain", Canvas)
            for lines in (LINES, LINES[:1], [*LINES[:2], LINES[0]]):
                canvas.put(lines)
                await pilot.pause()
                for crop in (Region(0, 0, 40, 4), Region(3, 1, 9, 2)):
                    drawn = segments(canvas.render_lines(crop))
                    assert drawn == by_textual(canvas, crop)
                    assert drawn == segments(canvas.render_lines(crop)), "the second time, too"
            for container in (*app.query(Tray), *app.query(Pile)):
                crop = Region(0, 0, *container.outer_size)
                assert segments(container.render_lines(crop)) == by_textual(container, crop)

    asyncio.run(act())


def test_another_theme_or_size_is_seen_at_once() -> None:
    async def act() -> None:
        app = Drawn()
        async with app.run_test(size=(40, 20)) as pilot:
            canvas, pile = app.query_one("#plain", Canvas), app.query_one(Pile)
            canvas.put(LINES)
            await pilot.pause()
            crop = Region(0, 0, 40, 4)
            before = segments(canvas.render_lines(crop)), segments(pile.render_lines(crop))
            for widget in (canvas, pile):
                widget.styles.background = "#700000"
            await pilot.pause()
            after = segments(canvas.render_lines(crop)), segments(pile.render_lines(crop))
            assert after[0] != before[0]
            assert after[1] != before[1]
            assert after == (by_textual(canvas, crop), by_textual(pile, crop))
            await pilot.resize_terminal(30, 18)
            crop = Region(0, 0, 30, 4)
            assert segments(canvas.render_lines(crop)) == by_textual(canvas, crop)

    asyncio.run(act())


def test_what_has_a_border_is_left_to_textual() -> None:
    async def act() -> None:
        app = Drawn()
        async with app.run_test(size=(40, 20)) as pilot:
            framed, plain = app.query_one("#framed", Canvas), app.query_one("#plain", Canvas)
            framed.put(LINES)
            plain.put(LINES)
            await pilot.pause()
            assert is_bare(plain)
            assert not is_bare(framed)
            assert segments(framed.render_lines(Region(0, 0, 40, 5)))[0][0][0].startswith("╭")
            plain.styles.opacity = 0.5
            await pilot.pause()
            crop = Region(0, 0, 40, 4)
            assert segments(plain.render_lines(crop)) == by_textual(plain, crop)

    asyncio.run(act())
