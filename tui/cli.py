"""The command line: parses, and hands over to one module of `commands`.

Nothing heavy is imported before it is known that it is needed: `--help` costs no psutil, no
textual, no pyarrow. Every error that a person can cause becomes one line and exit code 2.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perftui.probes.own.child_status import keep_child_statuses
from perftui.tui.errors import USAGE_ERROR, UserError
from perftui.tui.parser import COMMANDS, build_parser, module_of
from perftui.tui.text.words import begin, say, settle, tell

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, whatever becomes of our words."""
    begin()
    keep_child_statuses()
    try:
        code = _main(sys.argv[1:] if argv is None else argv)
    except SystemExit as leave:
        if isinstance(leave.code, str):
            tell(leave.code)
        known = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
        raise SystemExit(settle(known)) from None
    _say_where_things_are()
    return settle(code)


def _say_where_things_are() -> None:
    folders = sys.modules.get("perftui.probes.own.folders")  # whoever kept something has loaded it
    note = None if folders is None else folders.fallback_note()
    if note is not None:
        tell(f"perftui: {note}")


def _main(argv: Sequence[str]) -> int:
    words = list(argv)
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        from perftui.tui.meant import advice_on

        tell(f"perftui: {advice_on(words)}")
        return USAGE_ERROR
    parser = build_parser(words[0] if words else None)
    target: list[str] = []
    if words[:1] in (["run"], ["bench"], ["record"]):
        own, target = module_of(words[0]).split_words(words[1:])
        words = [words[0], *own]
    args = parser.parse_args(words)
    if target:
        args.words = target
    if args.version:
        from perftui import __version__

        say(f"perftui {__version__}")
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
        tell(f"perftui: {error}")
        return USAGE_ERROR
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        tell("perftui: there is not enough memory for this")
        return USAGE_ERROR
    except OSError as error:
        # A full disk, a folder that cannot be read: no traceback for that.
        where = "" if error.filename is None else f"{str(error.filename)[:200]!r}: "
        tell(f"perftui: {where}{error.strerror or error}")
        return USAGE_ERROR
    return code
