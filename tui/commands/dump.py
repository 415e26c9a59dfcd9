"""`perftui dump`: where the threads of a running process stand, and what it holds, now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.tui.errors import UserError
from perftui.tui.text.words import say

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add `dump` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "dump",
        help="stacks, waits, memory and asyncio tasks of a process, now",
        description="Say where the threads of a process and of what it has started stand, what "
        "they wait for, what memory it has, and its asyncio tasks (Python 3.14 and later). It is "
        "not stopped.",
    )
    parser.add_argument("pid", metavar="PID", help="the process; perftui list processes")
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from perftui.probes.dump.moment import as_json
    from perftui.probes.dump.take import take
    from perftui.probes.machine.own_proc import proc_problem
    from perftui.probes.process.face import ProcessGone
    from perftui.tui.commands.options import process_id
    from perftui.tui.text.dump import dump_text

    pid = process_id(args.pid)
    if problem := proc_problem():
        raise UserError(problem)
    try:
        moment = take(pid)
    except ProcessGone as error:
        raise UserError(
            f"there is no process {pid}; `perftui list processes` shows the Python ones"
        ) from error
    say(json.dumps(as_json(moment), indent=2, allow_nan=False) if args.json else dump_text(moment))
    return 0
