"""What is done only after a question: the dialog first, then what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from textual.screen import Screen

    from perftui.tui.screens.dialogs.question_screen import QuestionScreen


def ask_first(
    screen: Screen[Any],
    question: QuestionScreen[Any],
    orders: Mapping[str, Callable[[], Awaitable[object]]],
) -> None:
    """Ask over a screen, then do what the answer stands for; one that has no order does nothing."""

    async def answered(answer: str | None) -> None:
        order = None if answer is None else orders.get(answer)
        if order is not None:
            await order()

    screen.app.push_screen(question, answered)
