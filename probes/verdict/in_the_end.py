"""How the program ended, and what was not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import LEAST_IMPACT, RankedFinding, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case

LAST_LINES = 60
UNCAUGHT = 1
"""Exit code of an exception that nobody caught."""
_ASKED = (2, 15)
"""Signals by which somebody tells a program to end."""
WORDS = 120
LEAST_USED_S, LEAST_USED_SHARE = 0.1, 0.05
"""Of CPU, and of a core: of less there is nothing that stacks would have to explain."""
LEAST_COVERAGE = 0.8


def in_the_end(case: Case) -> Iterator[RankedFinding]:
    """Yield findings about the end, and about what this very verdict did not see."""
    yield from _failed(case)
    yield from _unseen(case)


def _failed(case: Case) -> Iterator[RankedFinding]:
    status = case.status
    if not status.exit_code and status.signal is None:
        return
    how = f"ended by signal {status.signal}"
    if status.signal is None:
        how = f"ended with exit code {status.exit_code}"
    asked = status.signal in _ASKED or status.exit_code in [128 + number for number in _ASKED]
    lines = case.reader.log_lines(case.t0_ns, case.t1_ns, LAST_LINES)
    said = _last_error([line.text for line in lines if line.stream == "stderr"])
    yield RankedFinding(
        "failed",
        f"{how}: {said}" if said else how,
        "info" if asked else "critical",
        _impact(said, status.exit_code, asked=asked),
        max(case.t1_ns - NS_PER_S, case.t0_ns),
        case.t1_ns,
        "Log",
        proof.LAST_WORDS if said else proof.ENDS,
        "its last traceback" if said else "no traceback is in the log",
    )


def _impact(said: str, exit_code: int | None, *, asked: bool) -> float:
    """An exit code of a program's own choice says less than what it did."""
    if asked:
        return LEAST_IMPACT
    return 3.0 if said or exit_code in (None, UNCAUGHT) else 0.4


def _last_error(lines: list[str]) -> str:
    """Return the line of an exception that ended the program: the one below a traceback."""
    for at in range(len(lines) - 1, -1, -1):
        # A progress bar may stand before it, in the same line.
        if lines[at].endswith("Traceback (most recent call last):"):
            for line in lines[at + 1 :]:
                if line and not line[0].isspace():
                    return line[:WORDS]
    return ""


def _unseen(case: Case) -> Iterator[RankedFinding]:
    coverage = case.status.stack_coverage
    if case.status.stack_backend is None or coverage is None or coverage >= LEAST_COVERAGE:
        return
    used_s = sum(case.reader.last(name) or 0.0 for name in ("cpu_user_s", "cpu_system_s"))
    if used_s < max(LEAST_USED_S, LEAST_USED_SHARE * case.span_s):
        return
    yield RankedFinding(
        "unseen",
        f"stacks explain only {percent(coverage)} of the CPU: shares may be wrong",
        "info",
        LEAST_IMPACT,
        case.t0_ns,
        case.t1_ns,
        "Threads",
        proof.COVERAGE,
        f"stacks by {case.status.stack_backend}",
        next_step="perftui doctor says what keeps stacks from being read",
    )
