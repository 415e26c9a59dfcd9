"""`perftui` alone: the home screen, what is chosen there, and back home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.errors import UserError
from perftui.tui.parser import build_parser
from perftui.tui.text.words import has_screen

if TYPE_CHECKING:
    from collections.abc import Hashable

    from perftui.tui.screens.home.choice import HomeChoice, ListName


def can_show_home() -> bool:
    """Tell whether there is a terminal for it."""
    return has_screen()


def run_home() -> int:
    """Show the home screen until the person leaves it.

    Returns:
        0: what was chosen there had its own screen, and its own words at the end.
    """
    from perftui.tui.app import choose_at_home

    message = ""
    current: ListName = "scenarios"
    places: dict[ListName, Hashable] = {}
    while (choice := choose_at_home(message, current, places)) is not None:
        message, current = carry_out(choice), choice.list
    return 0


def carry_out(choice: HomeChoice) -> str:
    """Do what was chosen; returns a line on how it went, for the home screen."""
    said = f"perftui {choice.kind} {' '.join(choice.words)}"
    parser = build_parser()
    words = [choice.kind] if choice.kind == "run" else [choice.kind, *choice.words]
    args = parser.parse_args(words)
    if choice.kind == "run":
        args.words = list(choice.words)
    try:
        code = args.run(args)
    except UserError as error:
        return str(error)
    except KeyboardInterrupt:
        code = 130
    if choice.kind != "run":
        return ""
    return f"back from {said}" + (f": exit code {code}" if code else "")
