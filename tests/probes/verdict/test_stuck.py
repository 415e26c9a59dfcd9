"""Programs that stand still, of which the truth is known."""

from __future__ import annotations

import json
import threading

import pytest
from support.told import LIBRARY, PID, RUN_S, Told

from perftui.probes.spine.records import TaskSeen, ThreadCpu
from perftui.probes.text.source_lines import SOURCE
from perftui.probes.text.units import NS_PER_S as S

STDLIB = "/usr/lib/python3.12/"


def below(
    told: Told, own: str, *names: str, file: str = f"{STDLIB}threading.py", line: int = 7
) -> int:
    """A stack: a function of the program, and what it called of the standard library."""
    tree = told.log.tree
    frames = [tree.frame_id(own, f"/app/{own}.py", 7)]
    return tree.intern([*frames, *(tree.frame_id(name, file, line) for name in names)])


def test_threads_that_wait_for_each_other_stand_still_from_when_the_last_one_worked() -> None:
    told = Told()
    take, put = below(told, "take", "Condition.wait"), below(told, "put", "Condition.wait")
    told.ran((below(told, "main", "Thread.join"), "lock"))
    told.ran((told.leaf("put"), ""), (put, "lock"), (put, "lock"), (put, "lock"), tid=11)
    told.ran((take, "lock"), tid=12)
    (first, *rest) = told.verdict.findings
    assert (first.kind, rest) == ("stands_still", [])
    assert first.text.startswith("stands still for 15.")
    assert first.text.endswith("all 3 threads wait for each other")
    assert first.code != "main main.py:7", (
        "who waits for the end of others is not what they wait for"
    )
    assert "MainThread in Thread.join, main main.py:7" in first.evidence
    assert "worker in Condition.wait, take take.py:7" in first.evidence
    assert first.may_be_wrong


@pytest.mark.parametrize("other", ["sleep", "poll", ""])
def test_one_that_may_wake_them_is_enough(other: str) -> None:
    told = Told()
    told.ran((told.leaf("main"), other)).ran((told.leaf("take"), "lock"), tid=11)
    assert "stands_still" not in {each.kind for each in told.verdict.findings}


def test_what_nobody_can_see_may_wake_them() -> None:
    """A thread without Python, or one of a library that waits in it."""
    native, library = Told(), Told()
    native.ran((native.leaf("take"), "lock"))
    for t in range(RUN_S + 1):
        native.and_(ThreadCpu(t * S, PID, 77, "tokio", 0.0, "S"))
    library.ran((library.leaf("take", "~fetch"), "lock"))
    for told in (native, library):
        assert "stands_still" not in {each.kind for each in told.verdict.findings}
    assert LIBRARY


def test_a_wait_that_ends_by_itself_is_told_by_its_line() -> None:
    """Every hour is no deadlock, as far as the source of the standard library is here."""
    file = threading.__file__
    lines = SOURCE.get(file, 1, 3000)
    limited, *_ = (n for n, text in lines if "waiter.acquire(True, timeout)" in text)
    endless, *_ = (n for n, text in lines if text.strip() == "waiter.acquire()")
    kinds = []
    for line in (limited, endless):
        told = Told()
        told.ran((below(told, "main", "Condition.wait", file=file, line=line), "lock"))
        kinds.append([each.kind for each in told.verdict.findings])
    assert kinds == [[], ["stands_still"]]


def test_tasks_at_several_things_are_one_finding_and_the_empty_queue_is_last() -> None:
    told = Told()
    told.ran((told.leaf("main"), "sleep"))
    for n, (name, awaits) in enumerate(
        [("reader", "Queue.get"), ("gate", "Event.wait"), ("second", "Semaphore.acquire")]
    ):
        where = json.dumps([[name, f"/app/{name}.py", 10]])
        told.and_(TaskSeen(2 * S, PID, n + 1, 3, name, awaits, where))
    (first, *_) = told.verdict.findings
    assert first.text == (
        "3 tasks wait in Event.wait, Semaphore.acquire or Queue.get while nothing runs"
    )
    assert first.code == "gate gate.py:10"
    assert "second in Semaphore.acquire at second second.py:10" in first.evidence


def test_the_function_that_only_calls_others_is_not_the_one_that_uses_the_cpu() -> None:
    told = Told()
    told.ran((told.leaf("main", "~load"), ""), (told.leaf("main", "use", "~sum"), ""))
    told.ran((told.leaf("main", "~load"), ""), *[(told.leaf("main"), "sleep")] * 9, tid=11)
    (first, *_) = told.verdict.findings
    assert first.code == "use use.py:7"
