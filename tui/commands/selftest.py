"""`perftui selftest`: programs with known answers, run under the real tool and checked."""

from __future__ import annotations

import json
import platform
import sys
import time
from typing import TYPE_CHECKING, Any

from perftui.tui.errors import UserError
from perftui.tui.text.words import say, tell

INCONCLUSIVE = 3

if TYPE_CHECKING:
    import argparse

    from perftui.scenarios.selftest.lanes import Asked


def add_parser(commands: Any) -> None:
    """Add `selftest` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "selftest",
        help="programs with known answers, measured and checked",
        description="Run programs that know their own answers under perftui on this machine, and "
        "hold what it says against what they say. Takes under a minute; leaves nothing behind. "
        "Exit code 1 if an answer is wrong or missing, 3 if the machine was too full to judge one.",
    )
    parser.add_argument(
        "programs", nargs="*", metavar="PROGRAM", help="only these; default: all of the table"
    )
    parser.add_argument("--json", action="store_true", help="as JSON (schema 1) on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, show the answers as they come, and say how many are right.

    Returns:
        1 if an answer is wrong or missing, else 3 if one could not be judged, else 0.
    """
    from perftui.scenarios.selftest.checks import QUESTIONS
    from perftui.scenarios.selftest.lanes import ask_all, lane_count

    known = {question.program: question for question in QUESTIONS}
    for name in args.programs:
        if name not in known:
            raise UserError(f"no such program: {name!r}; there are {', '.join(known)}")
    asked = [question for question in QUESTIONS if question.program in (args.programs or known)]
    began = time.monotonic()
    results = []
    for result in ask_all(asked, lane_count()):
        results.append(result)
        tell(f"perftui: {len(results)} of {len(asked)}: {result.question.asked}: {_word(result)}")
    results.sort(key=lambda result: asked.index(result.question))
    took_s = time.monotonic() - began
    if args.json:
        say(json.dumps(_document(results, took_s), indent=2))
    else:
        _say_table(results, took_s)
    if not all(result.ok for result in results if result.judged):
        return 1
    return 0 if all(result.judged for result in results) else INCONCLUSIVE


def _word(result: Asked) -> str:
    if result.ok:
        return "ok"
    if not result.judged:
        return "not judged"
    return "WRONG" if result.answer else "no answer"


def _why(result: Asked) -> str:
    """Return why there is no verdict; "" if there is one."""
    if result.judged:
        return result.why
    share = f"{result.cpu_waiting:.0%}"
    full = f"the machine was full: somebody waited for a CPU {share} of the time"
    return f"{result.why}; {full}" if result.why else full


def _document(results: list[Asked], took_s: float) -> dict[str, Any]:
    from perftui import __version__

    return {
        "schema": 1,
        "ok": all(result.ok for result in results),
        "perftui": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "took_s": took_s,
        "answers": [
            {
                "program": result.question.program,
                "asked": result.question.asked,
                "ok": result.ok,
                "judged": result.judged,
                "expected": result.answer.expected if result.answer else None,
                "measured": result.answer.measured if result.answer else None,
                "error": (result.answer.error or None) if result.answer else None,
                "why": _why(result) or None,
            }
            for result in results
        ],
    }


def _say_table(results: list[Asked], took_s: float) -> None:
    from perftui.probes.text.columns import aligned
    from perftui.probes.text.units import format_seconds
    from perftui.tui.text.fit import clean

    rows = [("", "asked", "the program says", "perftui says", "off")]
    for result in results:
        answer = result.answer
        mark = _word(result)
        if answer is None:
            rows.append((mark, result.question.asked, "", clean(result.why)[:60], ""))
        else:
            known, measured = clean(answer.expected), clean(answer.measured)
            rows.append((mark, result.question.asked, known, measured, answer.error))
    say("\n".join(aligned(rows, right=[4])))
    for result in results:
        if not result.judged:
            say(f"not judged: {result.question.asked}: {clean(_why(result))}")
    right = sum(result.ok for result in results)
    say(
        f"{right} of {len(results)} right in {format_seconds(took_s)}, Python "
        f"{platform.python_version()} on {sys.platform}"
    )
