"""`perftui doctor`: what works here, what does not, why, and what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from perftui.tui.errors import UserError
from perftui.tui.text.words import say

if TYPE_CHECKING:
    import argparse

    from perftui.probes.doctor.checks import Check

_GLYPHS = {"ok": "✓", "warn": "!", "fail": "✗", "info": "·"}
_ASCII = {"ok": "+", "warn": "!", "fail": "x", "info": "-"}
_WIDEST = 120


def add_parser(commands: Any) -> None:
    """Add `doctor` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="what works here, what does not, and what to do",
        description="Check this installation, or whether process PID can be watched.",
    )
    parser.add_argument("pid", nargs="?", metavar="PID", help="check this process instead")
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")
    parser.add_argument(
        "--report",
        action="store_true",
        help="as Markdown for a bug report: no secret, no name of yours in it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the checks; 1 if one fails."""
    if args.json and args.report:
        raise UserError("--json or --report, not both")
    groups = _machine_groups() if args.pid is None else {"process": _process(args.pid)}
    checks = [check for group in groups.values() for check in group]
    if args.json:
        listed = [
            {"group": name, **check._asdict()} for name, group in groups.items() for check in group
        ]
        failed = sum(check.status == "fail" for check in checks)
        say(json.dumps({"schema": 1, "ok": not failed, "checks": listed}, indent=2))
    elif args.report:
        from perftui.tui.text.bug_report import bug_report

        say(bug_report(groups, os.environ))
    else:
        _say_all(groups)
    return 1 if any(check.status == "fail" for check in checks) else 0


def _machine_groups() -> dict[str, list[Check]]:
    from perftui.probes.doctor.agent import check_agent
    from perftui.probes.doctor.checks import check_installation
    from perftui.probes.doctor.limits import check_limits
    from perftui.probes.doctor.machine import check_machine, check_terminal
    from perftui.probes.doctor.surroundings import check_surroundings

    return {
        "installation": [*check_installation(), *check_agent()],
        "machine": [*check_surroundings(), *check_machine(), *check_limits()],
        "terminal": check_terminal(),
    }


def _process(text: str) -> list[Check]:
    from perftui.probes.doctor.process import NoSuchProcess, check_process

    if not text.isdecimal() or not 0 < int(text) < 1 << 31:
        raise UserError(f"{text!r} is not a process number; `perftui list processes` shows some")
    try:
        return check_process(int(text))
    except NoSuchProcess as error:
        raise UserError(f"{error}; `perftui list processes` shows the Python ones") from None


def _say_all(groups: dict[str, list[Check]]) -> None:
    from perftui.tui.text.fit import clean

    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    glyphs = _GLYPHS if utf8 else _ASCII
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    checks = [check for group in groups.values() for check in group]
    name_width = max(len(check.name) for check in checks)
    for title, group in groups.items():
        say(title.upper())
        for check in group:
            head = f"  {glyphs[check.status]} {check.status:<4}  {check.name:<{name_width}}  "
            _print_block(head, clean(check.found), width)
            blank = " " * len(head)
            if check.follows:
                _print_block(blank, f"so: {clean(check.follows)}", width)
            if check.remedy and check.status != "ok":
                # Not wrapped: it is there to be copied.
                say(f"{blank}do: {clean(check.remedy)}")
        say("")
    say(_verdict(checks))


def _print_block(head: str, text: str, width: int) -> None:
    blank = " " * len(head)
    lines = textwrap.wrap(
        text,
        max(width, len(head) + 20),
        initial_indent=head,
        subsequent_indent=blank,
        break_on_hyphens=False,
        break_long_words=False,
    )
    say("\n".join(lines) if lines else head.rstrip())


def _verdict(checks: list[Check]) -> str:
    failed = [check.name for check in checks if check.status == "fail"]
    warned = [check.name for check in checks if check.status == "warn"]
    if failed:
        return f"fails: {', '.join(failed)}"
    if warned:
        return f"works; could be better: {', '.join(warned)}"
    return "all works"
