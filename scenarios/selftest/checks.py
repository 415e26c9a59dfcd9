"""What each program must show, and how far off it may be.

Every bound is wide enough for what a sampler at 100 Hz and a reading every 50 ms can know of a
program of a few seconds, and narrow enough that a wrong rule does not fit: spreading CPU evenly
over stacks gives the poll loop's work a quarter of its CPU, counting pages once for each process
gives the forked family four times its memory.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.memory.growth import CANNOT_TELL
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.selftest.trial import Trial

_NS = 1e9


class Tried(NamedTuple):
    """One answer held against the truth."""

    expected: str
    measured: str
    error: str
    """How far off, in the unit that fits; "" where an answer is right or wrong."""
    ok: bool


class KnownAnswer(NamedTuple):
    """A program, and what is asked of perftui about it."""

    program: str
    """Its file, without the ending."""
    asked: str
    takes_s: float
    """About how long it runs."""
    check: Callable[[Trial], Tried]


def _relative(measured: float, truth: float, bound: float, words: Callable[[float], str]) -> Tried:
    off = measured / truth - 1
    return Tried(words(truth), words(measured), f"{off:+.1%}", abs(off) <= bound)


def _split(trial: Trial) -> Tried:
    seventy = trial.weights("seventy").cpu_ns
    both = seventy + trial.weights("thirty").cpu_ns
    share, truth = (seventy / both if both else 0.0), trial.truth["share"]
    points = 100 * (share - truth)
    return Tried(f"{truth:.1%}", f"{share:.1%}", f"{points:+.1f} points", abs(points) <= 2)


def _poll(trial: Trial) -> Tried:
    # What going to sleep and waking cost is the work's too: less than 0.5 ms each time.
    cpu_s = trial.weights("work").cpu_ns / _NS
    return _relative(cpu_s, trial.truth["cpu_s"], 0.1, format_seconds)


def _worker(trial: Trial) -> Tried:
    truth = trial.truth
    expected = f"{truth['function']} in {truth['thread']}"
    rows = trial.summary["memory"]["growth"]
    if not rows:
        return Tried(expected, "nothing", "", ok=False)
    row = rows[0]
    off = row["grown_bytes"] / truth["bytes"] - 1
    right = (row["function"], row["thread"]) == (truth["function"], truth["thread"])
    return Tried(
        f"{expected} {format_bytes(truth['bytes'])}",
        f"{row['function']} in {row['thread']} {format_bytes(row['grown_bytes'])}",
        f"{off:+.1%}",
        right and abs(off) <= 0.25,  # RSS is the whole process's, and shared out
    )


def _interleaved(trial: Trial) -> Tried:
    memory, truth = trial.summary["memory"], trial.truth
    keeps = truth["keeps"]
    named = [("keeps", row["function"]) for row in memory["keepers"][:1]]
    named += [("rose in", row["function"]) for row in memory["rises"][:1]]
    for row in memory["growth"][:1]:
        # One thread's faults between two samples: it may say that it cannot tell.
        if row["confidence"] != CANNOT_TELL:
            named.append(("rose in", row["function"]))
    said = ", ".join(f"{how} {function}" for how, function in named) or "nothing"
    ok = bool(named) and all(function == keeps for _, function in named)
    return Tried(f"keeps {keeps}", said, "", ok)


def _deep(trial: Trial) -> Tried:
    cpu_s = trial.weights("burn").cpu_ns / _NS
    return _relative(cpu_s, trial.truth["cpu_s"], 0.05, format_seconds)


def _leak(trial: Trial) -> Tried:
    function = trial.truth["function"]
    told = [alert for alert in trial.alarms() if alert["kind"] == "mem_growth"]
    if not told:
        return Tried(f"mem_growth in {function}", "no alert", "", ok=False)
    said = f"{told[0].get('code', '')} {told[0]['evidence']}"
    named = function if re.search(rf"\b{function}\b", said) else "no function of it"
    after_s = told[0]["t_detect_s"]
    return Tried(
        f"mem_growth in {function}",
        f"mem_growth in {named} after {format_seconds(after_s)}",
        "",
        named == function,
    )


def _flat(trial: Trial) -> Tried:
    said = [alert["kind"] for alert in trial.alarms() if alert["kind"] != "cpu_contention"]
    return Tried("no alert", ", ".join(said) or "no alert", "", not said)


def _cold(trial: Trial) -> Tried:
    call = trial.summary["calls"].get("fetch")
    if call is None or call["n"] != 20:
        return Tried("20 calls", "none" if call is None else f"{call['n']} calls", "", ok=False)
    answer = _relative(call["first_s"], trial.truth["first_s"], 0.03, format_seconds)
    warm = _relative(call["warm_median_s"], trial.truth["warm_s"], 0.1, format_seconds)
    return Tried(
        f"{answer.expected}, warm {warm.expected}",
        f"{answer.measured}, warm {warm.measured}",
        answer.error,
        answer.ok and warm.ok,
    )


def _lock(trial: Trial) -> Tried:
    lock_s = trial.weights("want").lock_ns / _NS
    return _relative(lock_s, trial.truth["waited_s"], 0.1, format_seconds)


def _io(trial: Trial) -> Tried:
    io_s = trial.weights("receive").io_ns / _NS
    return _relative(io_s, trial.truth["waited_s"], 0.1, format_seconds)


def _peak(trial: Trial) -> Tried:
    peak = trial.summary["peak_rss_bytes"]
    return _relative(peak, trial.truth["peak_bytes"], 0.05, format_bytes)


def _imports(trial: Trial) -> Tried:
    rows = {row["module"]: row for row in trial.summary["imports"]["modules"]}
    parent, child = rows.get("slow_parent"), rows.get("slow_child")
    truth = trial.truth
    expected = f"{format_seconds(truth['parent_s'])}, of it {format_seconds(truth['child_s'])}"
    if parent is None or child is None or child["parent"] != "slow_parent":
        return Tried(expected, "not such a tree", "", ok=False)
    answer = _relative(parent["cumulative_s"], truth["parent_s"], 0.05, format_seconds)
    inner = _relative(child["cumulative_s"], truth["child_s"], 0.05, format_seconds)
    said = f"{answer.measured}, of it {inner.measured}"
    return Tried(expected, said, answer.error, answer.ok and inner.ok)


def _hot(trial: Trial) -> Tried:
    function = trial.truth["function"]
    hottest = trial.most_cpu()
    cpu_s = trial.weights(function).cpu_ns / _NS
    answer = _relative(cpu_s, trial.truth["cpu_s"], 0.1, format_seconds)
    return Tried(
        f"{function} {answer.expected}",
        f"{hottest} {answer.measured}",
        answer.error,
        answer.ok and hottest == function,
    )


def _task(trial: Trial) -> Tried:
    truth = trial.truth
    expected = f"{truth['task']} in {truth['function']}"
    for task in trial.summary["tasks"]:
        functions = [frame["function"] for frame in task["frames"]]
        if task["name"] == truth["task"] and truth["function"] in functions:
            return Tried(expected, expected, "", ok=True)
    names = [task["name"] for task in trial.summary["tasks"]]
    return Tried(expected, ", ".join(names) or "no task", "", ok=False)


QUESTIONS = (
    KnownAnswer("split", "CPU of two functions, 70 to 30", 4, _split),
    KnownAnswer("poll_loop", "CPU of work in a loop that sleeps", 4, _poll),
    KnownAnswer("deep_recursion", "CPU below 2,000 calls", 3, _deep),
    KnownAnswer("twelve_workers", "the hot one of twelve processes", 4, _hot),
    KnownAnswer("worker_thread", "which thread's function keeps memory", 4, _worker),
    KnownAnswer("interleaved", "who keeps, of three that take turns", 5, _interleaved),
    KnownAnswer("planted_leak", "a leak", 20, _leak),
    KnownAnswer("flat_stream", "memory that comes and goes", 15, _flat),
    KnownAnswer("spike", "the peak of 0.2 s", 2.2, _peak),
    KnownAnswer("forked_pages", "memory that five processes share", 3, _peak),
    KnownAnswer("cold_call", "a cold first call", 0.6, _cold),
    KnownAnswer("import_tree", "a slow import in a slow import", 0.3, _imports),
    KnownAnswer("lock_wait", "waiting for a lock", 3, _lock),
    KnownAnswer("io_wait", "waiting for a pipe", 3, _io),
    KnownAnswer("stuck_task", "what a task of asyncio waits for", 3, _task),
)
"""The selftest, in the order of its table."""
