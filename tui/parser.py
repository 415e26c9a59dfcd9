"""The parser of the command line: one module of `commands` for each command."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from perftui.tui.errors import USAGE_ERROR
from perftui.tui.text.words import say, tell

if TYPE_CHECKING:
    from typing import Any

    from _typeshed import SupportsWrite

COMMANDS = (
    "run",
    "attach",
    "record",
    "watch",
    "open",
    "demo",
    "dump",
    "list",
    "summary",
    "explain",
    "query",
    "export",
    "compare",
    "bench",
    "sweep",
    "matrix",
    "history",
    "detect",
    "doctor",
    "selftest",
    "pack",
    "upload",
    "merge",
    "mcp",
)
_ELSEWHERE = ("record", "upload")
_LAB = ("bench", "sweep", "matrix", "history")
_WHOLE = ("pack", "merge")


class Parser(argparse.ArgumentParser):
    """Errors in one line, without the usage that hides them; options by their whole names.

    An abbreviation means something else as soon as another option begins like it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Leave with one line."""
        line = " ".join(message.split())
        self.exit(USAGE_ERROR, f"{self.prog}: {line}; see {self.prog} --help\n")

    def takes_value(self, word: str) -> bool:
        """Tell whether the next word belongs to `word`, by the options that were added."""
        action = self._option_string_actions.get(word)
        return action is not None and action.nargs != 0

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        (tell if file is sys.stderr else say)(message or "", end="")


def module_of(command: str) -> Any:
    """Return the module of a command."""
    rooms = {"elsewhere": _ELSEWHERE, "lab": _LAB, "whole": _WHOLE}
    room = next((f"{room}." for room, commands in rooms.items() if command in commands), "")
    return import_module(f"perftui.tui.commands.{room}{command}")


def build_parser(first: str | None = None) -> argparse.ArgumentParser:
    """Return the parser.

    Args:
        first: The first word of the command line: a command needs no other one's options.
    """
    parser = Parser(
        prog="perftui",
        description="Watch a Python program live: CPU, memory, Python stacks, imports and phases.",
        epilog="Keys and details: the ? key on the screen, and COMMAND --help.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name in (first,) if first in COMMANDS else COMMANDS:
        module_of(name).add_parser(commands)
    return parser
