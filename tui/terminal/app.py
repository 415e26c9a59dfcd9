"""What every screen of perftui has in common: themes, plain terminals, and the way out."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events
from textual._compositor import ChopsUpdate
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType

from perftui.tui.terminal.capability import AsciiFilter, PlainFilter, speaks_utf8
from perftui.tui.terminal.keys import KeyPassed, KeysInOrder
from perftui.tui.terminal.settings import (
    Settings,
    read_settings,
    settings_file,
    write_settings,
)
from perftui.tui.terminal.sixteen import SixteenColours
from perftui.tui.terminal.theme import DARK, LIGHT, THEMES, variable_defaults
from perftui.tui.terminal.tight_update import TightUpdate
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.screen import Screen
    from textual.theme import Theme

    from perftui.tui.terminal.ending import Ending
    from perftui.tui.terminal.panels import Panels

R = TypeVar("R")


class TerminalApp(App[R]):
    """An application that suits the terminal it runs in and never shows a traceback."""

    TITLE = "perftui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "back to the shell", show=False)
    ]

    def __init__(self, *, ascii_only: bool | None = None) -> None:
        super().__init__()
        plain: list[LineFilter] = []
        self.ascii_only = ascii_only if ascii_only is not None else not speaks_utf8()
        """Only ASCII characters may reach the terminal."""
        if self.ascii_only:
            plain.append(AsciiFilter())
        if self.no_color:
            plain.append(PlainFilter())
        self._plain = plain
        self._sixteen = SixteenColours()
        """One for good: lines are kept as long as they go through the same filters."""
        self.last_words: str | None = None
        """What to print on stderr once the terminal is back, None if all went well."""
        self.ending: Ending | None = None
        """The signals that close this application, if it is run with any."""
        self._keys = KeysInOrder(self, super().on_event)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self.settings = Settings()
        self._worn = self.theme
        self._settings_file: Path | None = None
        """Where choices are remembered; None: nowhere."""

    def take_settings(self) -> None:
        """Begin as the person left it last time, and remember what is chosen from now on."""
        self._settings_file = settings_file()
        self.settings = read_settings(self._settings_file, self.available_themes)
        if self.settings.theme is not None:
            self.theme = self.settings.theme
        self._worn = self.theme

    def remember(self, panels: Panels) -> str:
        """Keep a choice of charts for the next start; returns what went wrong, or ""."""
        self.settings = self.settings._replace(panels=panels)
        return write_settings(self._settings_file, self.theme, panels)

    def _theme_worn(self, _: Theme) -> None:
        """Keep a theme that was chosen."""
        if self._settings_file is not None and self.theme != self._worn:
            self._worn = self.theme
            self.remember(self.settings.panels)

    def on_mount(self) -> None:
        """Leave in order when we are asked to by a signal, or were before we came up."""
        self.theme_changed_signal.subscribe(self, self._theme_worn)
        self.app_resume_signal.subscribe(self, lambda _: self.redraw_all())
        if self.ending is not None:
            loop = asyncio.get_running_loop()

            def leave() -> None:
                with suppress(RuntimeError):  # the loop is closed: we have left
                    loop.call_soon_threadsafe(self.exit)

            self.ending.tell(leave)

    async def on_event(self, event: events.Event) -> None:
        """Take keys one after the other; all else as it comes."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._keys.press(event)
        else:
            await super().on_event(event)

    async def on_key_passed(self, message: KeyPassed) -> None:
        """Let the next key go its way."""
        message.stop()
        await self._keys.passed(message)

    def get_driver_class(self) -> type[Driver]:
        """Return the driver of this terminal; Textual's own wakes ten times a second."""
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":  # another system's, or one that was asked for
            return driver
        from perftui.tui.terminal.patient_input import PatientDriver

        return PatientDriver

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what brings a line down to what this terminal can show."""
        if self.no_color:  # ours takes the colours out; Textual's would turn them grey
            return self._plain
        few = [self._sixteen] if self._has_few_colours else []
        return [*super().get_line_filters(), *few, *self._plain]

    @property
    def _has_few_colours(self) -> bool:
        """Whether the terminal has sixteen colours; a picture without one has all."""
        return not self.is_headless and self.console.color_system in ("standard", "windows")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our colours for themes that do not know them."""
        return variable_defaults(self.current_theme.dark)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Send no more to the terminal than has changed."""
        if type(renderable) is ChopsUpdate:
            renderable = TightUpdate.of(renderable)
        super()._display(screen, renderable)

    def _handle_exception(self, error: Exception) -> None:
        """Leave with one line; a traceback is for those who ask for it."""
        if self.is_headless or os.environ.get("PERFTUI_DEBUG"):
            super()._handle_exception(error)
            return
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        where = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        self.last_words = (
            f"perftui: the screen failed and was closed ({where}). The target was not touched."
            " PERFTUI_DEBUG=1 shows where."
        )
        self.exit(return_code=1)

    def redraw_all(self) -> None:
        """Draw every cell: another program has had the terminal (ctrl+z), and left its own."""
        self.screen.refresh()

    def send(self, sequence: str) -> None:
        """Write a sequence that draws nothing (a bell, a notification) between two pictures."""
        if self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    def tell_last_words(self) -> bool:
        """Print what went wrong; True if something did."""
        if self.last_words is not None:
            tell(self.last_words)
        return self.last_words is not None

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer our two themes, and all others."""
        for theme in (DARK, LIGHT):
            yield SystemCommand(
                f"Theme: {theme.name}", "change the colours", lambda t=theme.name: self._wear(t)
            )
        yield SystemCommand("Theme …", "all themes", self.action_change_theme)

    def _wear(self, theme: str) -> None:
        self.theme = theme
