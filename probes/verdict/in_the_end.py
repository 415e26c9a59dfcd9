"""How the program ended, tasks that nobody will wake, and what was not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.place import in_words
from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import LEAST_IMPACT, RankedFinding, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.reader import Task
    from perftui.probes.verdict.case import Case

LAST_LINES = 60
UNCAUGHT = 1
"""Exit code of an exception that nobody caught."""
_ASKED = (2, 15)
"""Signals by which somebody tells a program to end."""
WORDS = 120
LEAST_USED_S = 0.1
"""Of CPU: of less there is nothing that stacks would have to explain."""
LEAST_COVERAGE = 0.8
IDLE_CORES = 0.1
"""Tasks that wait for each other matter where the program does nothing else."""
_ASYNC_LOCKS = ("Lock.acquire", "Semaphore.acquire", "Condition.wait", "Event.wait", "Queue.get")


def in_the_end(case: Case) -> Iterator[RankedFinding]:
    """Yield findings about the end, and about what this very verdict did not see."""
    yield from _failed(case)
    yield from _stuck_tasks(case)
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


def _stuck_tasks(case: Case) -> Iterator[RankedFinding]:
    """Tasks that stand at one lock while nothing runs: who was to wake them?"""
    cpu_ns = sum(thread.cpu_ns for thread in case.threads)
    if cpu_ns / NS_PER_S > IDLE_CORES * case.span_s:
        return
    by_wait: dict[tuple[str, str], list[Task]] = {}
    for task in case.reader.tasks(case.t1_ns):
        if task.awaits is not None and task.awaits.endswith(_ASYNC_LOCKS):
            own = [frame for frame in task.frames if "/asyncio/" not in frame[1]]
            place = ""
            if own:
                place = in_words(*own[-1])
            by_wait.setdefault((task.awaits, place), []).append(task)
    for (awaits, place), tasks in sorted(by_wait.items(), key=lambda item: -len(item[1]))[:1]:
        since = min(task.t_ns for task in tasks)
        stood_s = (case.t1_ns - since) / NS_PER_S
        if stood_s < 1.0:
            continue
        many = f"{len(tasks)} tasks wait" if len(tasks) > 1 else "1 task waits"
        names = ", ".join(task.name for task in tasks[:3])
        yield RankedFinding(
            "tasks_stuck",
            f"{many} in {awaits} while nothing runs",
            "warn",
            0.8 * min(stood_s / case.span_s, 1.0),
            since,
            case.t1_ns,
            "Tasks",
            proof.TASKS,
            f"{names}{' and more' if len(tasks) > 3 else ''}, as last seen",
            place,
            seconds=stood_s,
            next_step="find which task has it and does not give it back",
        )


def _unseen(case: Case) -> Iterator[RankedFinding]:
    coverage = case.status.stack_coverage
    if case.status.stack_backend is None or coverage is None or coverage >= LEAST_COVERAGE:
        return
    used_s = sum(case.reader.last(name) or 0.0 for name in ("cpu_user_s", "cpu_system_s"))
    if used_s < LEAST_USED_S:
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
