"""Leaving while a launched target runs: the one question that is asked."""

from __future__ import annotations

from typing import Literal

from perftui.tui.screens.dialogs.question_screen import QuestionScreen

Answer = Literal["stop", "leave", "stay"]
_CHOICES: tuple[tuple[str, str, str, Answer], ...] = (
    ("s", "stop it", "SIGTERM, and SIGKILL if it does not go", "stop"),
    ("l", "leave it running", "perftui ends, the target goes on", "leave"),
    ("esc", "stay", "", "stay"),
)


class QuitScreen(QuestionScreen[Answer]):
    """Asks what becomes of the target."""

    def __init__(self, who: str) -> None:
        super().__init__("quit", who, "is running", _CHOICES)
