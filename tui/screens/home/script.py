"""“Run my script …”: a command line, with files and folders completed as one types."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from perftui.probes.own.folders import expanded
from perftui.tui.text.fit import clean, shorten_end
from perftui.tui.widgets.bars.hinted_input import HintedInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

MOST = 8
"""Completions that are shown."""


def completions(text: str) -> list[str]:
    """Return what the last word of a command line may be: folders and Python files.

    Hidden ones only after a dot. Each is the whole text with the word completed.
    """
    head, blank, word = text.rpartition(" ")
    folder, slash, begin = word.rpartition("/")
    place = expanded(folder or "/") if slash else Path()
    try:
        with os.scandir(place) as items:
            found = sorted(
                (not item.name.endswith(".py"), f"{item.name}/" if item.is_dir() else item.name)
                for item in items
                if item.name.startswith(begin)
                and (begin.startswith(".") or not item.name.startswith("."))
                and (item.is_dir() or item.name.endswith(".py"))
            )
    except OSError:
        return []
    return [f"{head}{blank}{folder}{slash}{name}" for _, name in found]


def common_start(texts: list[str]) -> str:
    """Return what all of them begin with."""
    first, last = min(texts), max(texts)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first if same is None else first[:same]


class AskScript(ModalScreen[tuple[str, ...] | None]):
    """Dismisses with the words of `perftui run`, or None."""

    CSS = """
    AskScript { align: center middle; background: $background 60%; }
    AskScript > Vertical {
        width: 78; max-width: 100%; height: auto; border: round $accent; background: $panel;
        padding: 0 1; border-title-color: $foreground; border-subtitle-color: $dim;
    }
    AskScript Input { height: 1; border: none; padding: 0; background: $background; width: 100%; }
    AskScript Input:focus { border: none; }
    AskScript .script--found { color: $foreground 65%; height: auto; }
    AskScript .script--problem { color: $error; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("tab", "complete", "complete", show=False, priority=True),
    ]

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._input = HintedInput("script.py ARGUMENTS, or -m module", text)
        self._found = Static("", markup=False, classes="script--found")
        self._problem = Static("", markup=False, classes="script--problem")

    def compose(self) -> ComposeResult:
        """What is typed, what it may become, what is wrong."""
        with Vertical() as box:
            box.border_title = "run my script"
            box.border_subtitle = "tab complete · enter run · esc leave"
            yield self._input
            yield self._found
            yield self._problem

    def on_mount(self) -> None:
        """Take the keys."""
        self._input.focus()
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it may become."""
        event.stop()
        self._problem.update("")
        self._show()

    def _show(self) -> None:
        found = completions(self._input.value)
        words = [clean(text.rpartition(" ")[2]) for text in found[:MOST]]
        if len(found) > MOST:
            words.append(f"… {len(found) - MOST} more")
        self._found.update("\n".join(shorten_end(word, 74) for word in words))

    def action_complete(self) -> None:
        """Complete as far as there is no choice."""
        found = completions(self._input.value)
        if found:
            self._input.value = common_start(found)
            self._input.cursor_position = len(self._input.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, if there is such a script."""
        event.stop()
        try:
            words = shlex.split(event.value)
        except ValueError as error:
            self._problem.update(f"{error}".lower())
            return
        if not words:
            self._problem.update("the path of a script, or -m and a module")
        elif words[0].endswith(".py") and not expanded(words[0]).is_file():
            self._problem.update(clean(f"there is no file {words[0]}"))
        else:
            self.dismiss(tuple(words))

    def action_leave(self) -> None:
        """Answer nothing."""
        self.dismiss(None)
