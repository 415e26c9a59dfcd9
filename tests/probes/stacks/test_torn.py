from __future__ import annotations

from perftui.probes.spine.calltree import CallTree
from perftui.probes.stacks.chrometrace import SeenStack
from perftui.probes.stacks.torn import TRIAL_SIGHTINGS, UNBROKEN_INSIDE, RootJudge

PERIOD = 10_000_000
FILE = "/app/main.py"


class Case:
    """Feeds a judge with stacks written as "a/b/c", each one sample long."""

    def __init__(self) -> None:
        self.tree = CallTree()
        self.judge = RootJudge(self.tree)
        self.t = 0

    def see(self, *stacks: str, tid: int = 1, samples: int = 1) -> list[bool]:
        intervals = []
        for stack in stacks:
            frames = tuple(
                self.tree.frame_id(
                    name, "/lib/python3.12/threading.py" if "bootstrap" in name else FILE, 1
                )
                for name in stack.split("/")
            )
            end = self.t + samples * PERIOD
            intervals.append(SeenStack(tid, "t", frames, self.t, end))
            self.t = end
        return self.judge.judge(intervals, PERIOD)


GOOD = "<module>/main/recur/recur/leaf"


def test_a_stack_that_lost_its_root_is_torn() -> None:
    case = Case()
    assert case.see(GOOD, "recur/leaf", GOOD, "main/recur", "leaf") == [
        False,
        True,
        False,
        True,
        True,
    ]


def test_torn_stacks_stay_torn_however_many_there_are() -> None:
    case = Case()
    case.see(GOOD)
    for _ in range(200):
        # A third of the samples torn, always in the same place.
        assert case.see("recur/leaf", GOOD, GOOD) == [True, False, False]


def test_torn_before_the_first_whole_stack_is_found_out() -> None:
    case = Case()
    case.see("recur/leaf")
    case.see(GOOD)
    assert case.see("recur/leaf", GOOD) == [True, False]


def test_a_thread_that_native_code_started_has_its_own_root() -> None:
    case = Case()
    case.see(GOOD)
    assert case.see("callback/leaf", "callback/other", tid=2) == [False, False]
    assert case.see("on_error/leaf", "callback", tid=2) == [False, False]


def test_a_recursive_root_is_no_evidence_against_itself() -> None:
    case = Case()
    for _ in range(5):
        assert case.see("walk/walk/walk", "walk", tid=3) == [False, False]


def test_another_root_is_accepted_after_a_few_sightings_also_between_others() -> None:
    case = Case()
    case.see(GOOD)
    verdicts = []
    for _ in range(TRIAL_SIGHTINGS + 1):
        verdicts += case.see("greenlet_run/handler", GOOD)[:1]
    assert verdicts == [True] * (TRIAL_SIGHTINGS - 1) + [False, False]


def test_a_root_seen_inside_is_accepted_when_nothing_else_is_left() -> None:
    case = Case()
    case.see(GOOD)
    run = case.see(*["main/recur"] * (UNBROKEN_INSIDE + 5))
    # Known from the whole run that the beginning is gone: none of it was torn.
    assert run == [False] * (UNBROKEN_INSIDE + 5)
    assert case.see("main/leaf") == [False]
    # The beginning is back, so this was wrong.
    assert case.see(GOOD, "main/leaf") == [False, True]


def test_a_module_that_is_being_imported_is_no_beginning() -> None:
    case = Case()
    tree = case.tree
    script = tree.frame_id("<module>", FILE, 1)
    module = tree.frame_id("<module>", "/site-packages/big/__init__.py", 1)
    whole = SeenStack(1, "t", (script, module), 0, PERIOD)
    torn = SeenStack(1, "t", (module,), PERIOD, 2 * PERIOD)
    assert case.judge.judge([whole, torn], PERIOD) == [False, True]


def test_threads_are_judged_apart() -> None:
    case = Case()
    case.see(GOOD, tid=1)
    case.see("Thread._bootstrap/run/recur", tid=2)
    assert case.see("recur", tid=2) == [True]
    assert case.see(GOOD, tid=1) == [False]
