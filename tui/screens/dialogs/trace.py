"""tracemalloc in the program: asked first, because it costs while it is on."""

from __future__ import annotations

from typing import Literal

from perftui.tui.screens.dialogs.question_screen import QuestionScreen

Answer = Literal["10", "60", "no"]
"""Seconds, or not at all."""
_CHOICES: tuple[tuple[str, str, str, Answer], ...] = (
    ("y", "trace for 10 s", "up to 20 times slower", "10"),
    ("m", "trace for 60 s", "ends early if too much comes", "60"),
    ("esc", "leave it as it is", "", "no"),
)


class TraceScreen(QuestionScreen[Answer]):
    """Asks whether the program is to trace its allocations, and for how long."""

    def __init__(self) -> None:
        super().__init__("trace", "the program", "traces its allocations", _CHOICES)
