"""`s`: save what the screen is about, in a format that another tool opens; or the screen itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from perftui.probes.own.folders import expanded
from perftui.tui.session.saving import (
    SCREEN,
    WHOLE,
    Chosen,
    export_words,
    shown_words,
)
from perftui.tui.text.fit import clean, shorten_end, shorten_middle

if TYPE_CHECKING:
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult

WIDTH = 96
_BESIDE_LIST = 7
"""Rows of the frame, the part, the name, the command and a problem."""
_MOST_OFFERS = 16


class Offer(NamedTuple):
    """One line of the list."""

    name: str
    suffix: str
    good_for: str


class Save(NamedTuple):
    """What a person wants."""

    format_name: str
    chosen: Chosen
    path: Path
    force: bool


def offers(recorded: bool) -> list[Offer]:
    """Return what can be saved: every format if there is a recording, and the screen."""
    from perftui.probes.export.formats import FORMATS

    screen = Offer(SCREEN, ".svg", "a picture of the screen, as it is")
    if not recorded:
        return [screen]
    found = []
    for exporter in FORMATS:
        suffix = f"-{exporter.name}" if exporter.kind == "tables" else exporter.suffix
        found.append(Offer(exporter.name, suffix, exporter.good_for))
    return [*found, screen]


class SaveScreen(ModalScreen[Save | None]):
    """The dialog.

    Args:
        recording: Where the session is recorded; None if it is not.
        stem: What a file's name begins with.
        chosen: What of the session is chosen; `WHOLE` if it is all of it.
    """

    CSS = """
    SaveScreen { align: center middle; background: $background 60%; }
    SaveScreen > Vertical {
        width: 96; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        background: $panel; padding: 0 1; border-title-color: $foreground;
    }
    SaveScreen OptionList {
        height: auto; border: none; background: $panel; padding: 0;
    }
    SaveScreen OptionList:focus { border: none; background-tint: $foreground 0%; }
    SaveScreen Horizontal { height: 1; }
    SaveScreen .save--to { width: 7; height: 1; }
    SaveScreen Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $background; }
    SaveScreen Input:focus { border: none; background: $accent 25%; }
    SaveScreen .save--part { height: 1; color: $foreground; margin: 1 0 0 0; }
    SaveScreen .save--words { height: 1; color: $foreground 55%; }
    SaveScreen .save--problem { height: auto; color: $error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("ctrl+r", "part", "range", show=False, priority=True),
        Binding("up", "move(-1)", "up", show=False, priority=True),
        Binding("down", "move(1)", "down", show=False, priority=True),
        Binding("tab,shift+tab", "swap", "name", show=False, priority=True),
        Binding("enter", "save", "save", show=False, priority=True),
    ]

    def __init__(self, recording: Path | None, stem: str, chosen: Chosen) -> None:
        super().__init__()
        self._recording = recording
        self._stem = stem
        self._choices = (chosen, WHOLE) if chosen != WHOLE else (WHOLE,)
        self._offers = offers(recording is not None)
        self._formats = OptionList()
        self._file = Input("", compact=True, select_on_focus=False)
        self._part = Static("", markup=False, classes="save--part")
        self._words = Static("", markup=False, classes="save--words")
        self._problem = Static("", markup=False, classes="save--problem")
        self._replaces: str | None = None
        """The name that was there already: the second enter replaces it."""

    def _inner(self) -> int:
        """Return the cells of a line within the box."""
        return min(WIDTH, self.app.size.width) - 4

    def _option(self, offer: Offer) -> Option:
        names = max(len(each.name) for each in self._offers) + 2
        line = Text(f"{offer.name:<{names}}")
        line.append(shorten_end(offer.good_for, self._inner() - names), style="dim")
        return Option(line, id=offer.name)

    def compose(self) -> ComposeResult:
        """List, part, name, and the command that it comes to."""
        with Vertical() as box:
            box.border_title = "save"
            part = "^r range · " if len(self._choices) > 1 else ""
            box.border_subtitle = f"enter save · ↑↓ format · tab name · {part}esc leave"
            yield self._formats
            yield self._part
            with Horizontal():
                yield Static("to", markup=False, classes="save--to")
                yield self._file
            yield self._words
            yield self._problem

    def on_mount(self) -> None:
        """Begin with the first format."""
        self._formats.add_options([self._option(offer) for offer in self._offers])
        self._formats.highlighted = 0
        self._formats.focus()
        self._take_name()
        if self._recording is None:
            self._problem.update("this session is not recorded: only the screen can be saved")

    def on_resize(self, event: events.Resize) -> None:
        """Leave the name its row, whatever the list takes."""
        most = max(min(event.size.height - _BESIDE_LIST, _MOST_OFFERS), 1)
        self._formats.styles.max_height = most

    def _offer(self) -> Offer:
        return self._offers[self._formats.highlighted or 0]

    def _take_name(self) -> None:
        """Suggest a name for the format."""
        self._file.value = f"{self._stem}{self._offer().suffix}"
        self._file.cursor_position = len(self._file.value)
        self._show()

    def _show(self) -> None:
        """Say what will be saved, and by which command it can be had again."""
        screen = self._offer().name == SCREEN
        chosen = self._choices[0]
        about = chosen.about or "the whole session"
        if len(self._choices) > 1:
            about += f"   (^r: {self._choices[1].about or 'the whole session'})"
        inner = self._inner()
        part = "" if screen else f"of      {shorten_end(clean(about), inner - 8)}"
        self._part.update(part)
        words = ""
        if not screen and self._recording is not None:
            name = self._recording.name.removesuffix(".zip").removesuffix(".perftui")
            words = shown_words(
                export_words(name, self._offer().name, chosen, self._file.value.strip())
            )
        self._words.update(shorten_middle(clean(words), inner))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the command that comes of it."""
        event.stop()
        self._replaces = None
        if self._recording is not None:
            self._problem.update("")
        self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Save in the format that was clicked."""
        event.stop()
        self._take_name()
        self.action_save()

    def action_move(self, step: int) -> None:
        """Choose the format beside, wherever the keys go."""
        if step > 0:
            self._formats.action_cursor_down()
        else:
            self._formats.action_cursor_up()
        self._take_name()

    def action_swap(self) -> None:
        """Go between the list and the name."""
        (self._formats if self._file.has_focus else self._file).focus()

    def action_part(self) -> None:
        """Take the other part: what is chosen, or all."""
        self._choices = (*self._choices[1:], self._choices[0])
        self._show()

    def action_leave(self) -> None:
        """Save nothing."""
        self.dismiss(None)

    def action_save(self) -> None:
        """Answer, unless a file would be replaced without a second enter."""
        name = self._file.value.strip()
        if not name:
            self._problem.update("a name is needed")
            return
        path = expanded(name)
        force = self._replaces == name
        try:
            there = path.exists()
        except (OSError, ValueError):
            self._problem.update("that cannot be the name of a file")
            return
        if there and not force:
            self._replaces = name
            self._problem.update("it is there already: enter replaces it, another name keeps it")
            return
        self.dismiss(Save(self._offer().name, self._choices[0], path, force))
