"""Deleting a recording: asked first, because it cannot be undone."""

from __future__ import annotations

from typing import Literal

from perftui.tui.screens.dialogs.question_screen import QuestionScreen

Answer = Literal["delete", "keep"]
_CHOICES: tuple[tuple[str, str, str, Answer], ...] = (
    ("y", "delete it", "the recording cannot be had again", "delete"),
    ("esc", "keep it", "", "keep"),
)


class DeleteScreen(QuestionScreen[Answer]):
    """Asks whether a recording is to be deleted."""

    def __init__(self, name: str) -> None:
        super().__init__("delete", name, "is deleted for good", _CHOICES)
