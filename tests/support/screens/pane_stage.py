"""A bare app that shows one pane, and a way to read what it shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import App, ComposeResult

from perftui.tui.terminal.theme import THEMES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.message import Message
    from textual.pilot import Pilot
    from textual.widget import Widget


class Stage(App[None]):
    """Shows one widget; keeps the messages that reach the app."""

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "perftui-dark"

    def heard_of(self, kind: type[Message]) -> list[Message]:
        """Return the messages of a kind; one that bubbles is heard at every widget it passes."""
        return [message for message in self.heard if isinstance(message, kind)]


def text_of(widget: Widget) -> str:
    """Return what a widget of lines shows, as plain text."""
    lines = [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
    return "\n".join(lines)


def on_stage(
    pane: Widget,
    play: Callable[[Stage, Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = (120, 30),
) -> Stage:
    """Run an app with one pane and play a scene on it."""
    stage = Stage(pane)

    async def run() -> None:
        async with stage.run_test(size=size, message_hook=stage.heard.append) as pilot:
            await pilot.pause()
            await play(stage, pilot)

    asyncio.run(run())
    return stage
