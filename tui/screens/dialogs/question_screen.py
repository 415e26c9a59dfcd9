"""A screen that asks one question over another one; its answers are a list, and have a key each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from textual.screen import ModalScreen

from perftui.tui.screens.dialogs.question import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from perftui.tui.screens.dialogs.question import Choice

AnswerT = TypeVar("AnswerT", bound=str)
_KEYS = {"esc": "escape"}
"""Textual's names of keys that are written otherwise."""
_OF_THE_LIST = ("up", "down", "enter")


class QuestionScreen(ModalScreen[AnswerT], Generic[AnswerT]):
    """Ends with the answer that was chosen.

    Args:
        head, who, verb, choices: As of `Question`.
    """

    DEFAULT_CSS = """
    QuestionScreen { align: center middle; background: $background 60%; }
    """

    def __init__(self, head: str, who: str, verb: str, choices: Sequence[Choice[AnswerT]]) -> None:
        super().__init__()
        self._question = Question(head, who, verb, choices, self.dismiss)
        self._answers = {_KEYS.get(key, key): answer for key, _, _, answer in choices}

    def compose(self) -> ComposeResult:
        """One box."""
        yield self._question

    def on_key(self, event: events.Key) -> None:
        """Choose by key; only those of the list do anything else."""
        if event.key in self._answers:
            self.dismiss(self._answers[event.key])
        if event.key not in _OF_THE_LIST:
            event.stop()
