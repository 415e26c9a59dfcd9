"""Giving memory back: asked first, because finalizers of the program run then."""

from __future__ import annotations

from typing import Literal

from perftui.tui.screens.dialogs.question_screen import QuestionScreen

Answer = Literal["yes", "no"]
_CHOICES: tuple[tuple[str, str, str, Answer], ...] = (
    ("y", "release", "gc.collect, Arrow release_unused, malloc_trim", "yes"),
    ("esc", "leave it as it is", "", "no"),
)


class ReleaseScreen(QuestionScreen[Answer]):
    """Asks whether the program is to give back what it does not use."""

    def __init__(self) -> None:
        super().__init__("release", "the program", "gives back unused memory", _CHOICES)
