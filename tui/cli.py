"""The command line: parses, and hands over to one module of `commands`.

Nothing heavy is imported before it is known that it is needed: `--help` costs no psutil, no
textual, no pyarrow. Every error that a person can cause becomes one line and exit code 2.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "run",
    "attach",
    "open",
    "demo",
    "list",
    "summary",
    "query",
    "export",
    "compare",
    "sweep",
    "detect",
    "doctor",
    "pack",
)
USAGE_ERROR = 2


class UserError(Exception):
    """Something that a person can put right; the message is one line that says how."""


class _Parser(argparse.ArgumentParser):
    """Errors in one line, without the usage that hides them."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    parser = _Parser(
        prog="perftui",
        description="Watch a Python program live: CPU, memory, Python stacks, imports and phases.",
        epilog="Keys and details: the ? key on the screen, and COMMAND --help.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name in COMMANDS:
        import_module(f"perftui.tui.commands.{name}").add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = build_parser()
    words = list(sys.argv[1:] if argv is None else argv)
    target: list[str] = []
    if words[:1] == ["run"]:
        from perftui.tui.commands.run import split_words

        own, target = split_words(words[1:])
        words = ["run", *own]
    args = parser.parse_args(words)
    if target:
        args.words = target
    if args.version:
        from perftui import __version__

        print(f"perftui {__version__}")
        return 0
    if args.command is None:
        from perftui.tui.commands.home import can_show_home, run_home

        if not can_show_home():
            parser.print_help()
            return 0
        args.run = lambda _: run_home()
    try:
        code: int = args.run(args)
    except UserError as error:
        print(f"perftui: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone; there is nobody left to tell
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        # A full disk behind stdout, a folder that cannot be read: no traceback for that.
        print(f"perftui: {error.strerror or error}", file=sys.stderr)
        return USAGE_ERROR
    return code
