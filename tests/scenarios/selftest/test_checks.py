"""A check takes the right answer and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from perftui.scenarios.selftest.checks import QUESTIONS
from perftui.scenarios.selftest.trial import PROGRAMS, Trial

if TYPE_CHECKING:
    from perftui.scenarios.selftest.checks import Tried

BY_PROGRAM = {question.program: question for question in QUESTIONS}
GROWTH = {"function": "keep", "thread": "keeper", "grown_bytes": 101e6, "within": ["keep"]}
LEAK = {"kind": "mem_growth", "severity": "warn", "t_detect_s": 12.0}
MODULES = [
    {"module": "slow_parent", "parent": None, "cumulative_s": 0.301},
    {"module": "slow_child", "parent": "slow_parent", "cumulative_s": 0.2},
]
FETCH = {"n": 20, "first_s": 0.401, "warm_median_s": 0.0101}
TASK = {"name": "asker", "frames": [{"function": "ask"}, {"function": "read_answer"}]}
KEEPER, CHURN = {"function": "hoard"}, {"function": "churn"}
NONE_YET: dict[str, Any] = {"growth": [], "keepers": [], "rises": []}
UNSURE = {"function": "churn", "confidence": "cannot tell"}
SURE = {"function": "churn", "confidence": "it, or what it calls"}

RIGHT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "worker_thread",
        {"function": "keep", "thread": "keeper", "bytes": 100e6},
        {"memory": {"growth": [GROWTH]}},
    ),
    (
        "interleaved",
        {"keeps": "hoard", "innocent": ["churn"]},
        {"memory": {**NONE_YET, "growth": [UNSURE], "keepers": [KEEPER]}},
    ),
    ("planted_leak", {"function": "remember"}, {"alerts": [{**LEAK, "evidence": "in remember"}]}),
    ("flat_stream", {}, {"alerts": [{"kind": "late", "severity": "info"}]}),
    ("spike", {"peak_bytes": 210e6}, {"peak_rss_bytes": 212e6}),
    ("forked_pages", {"peak_bytes": 120e6}, {"peak_rss_bytes": 118e6}),
    ("cold_call", {"first_s": 0.4, "warm_s": 0.01}, {"calls": {"fetch": FETCH}}),
    ("import_tree", {"parent_s": 0.3, "child_s": 0.2}, {"imports": {"modules": MODULES}}),
    ("stuck_task", {"task": "asker", "function": "read_answer"}, {"tasks": [TASK]}),
]
WRONG: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("worker_thread", RIGHT[0][1], {"memory": {"growth": [{**GROWTH, "function": "compute"}]}}),
    ("worker_thread", RIGHT[0][1], {"memory": {"growth": [{**GROWTH, "thread": "MainThread"}]}}),
    ("worker_thread", RIGHT[0][1], {"memory": {"growth": [{**GROWTH, "grown_bytes": 55e6}]}}),
    ("worker_thread", RIGHT[0][1], {"memory": {"growth": []}}),
    ("interleaved", RIGHT[1][1], {"memory": {**NONE_YET, "growth": [SURE]}}),
    ("interleaved", RIGHT[1][1], {"memory": {**NONE_YET, "keepers": [KEEPER], "rises": [CHURN]}}),
    ("interleaved", RIGHT[1][1], {"memory": NONE_YET}),
    ("planted_leak", RIGHT[2][1], {"alerts": []}),
    ("planted_leak", RIGHT[2][1], {"alerts": [{**LEAK, "evidence": "in remembered"}]}),
    ("planted_leak", RIGHT[2][1], {"alerts": [{**LEAK, "severity": "info", "evidence": ""}]}),
    ("flat_stream", {}, {"alerts": [{"kind": "mem_growth", "severity": "warn"}]}),
    ("spike", {"peak_bytes": 210e6}, {"peak_rss_bytes": 30e6}),
    ("forked_pages", {"peak_bytes": 120e6}, {"peak_rss_bytes": 480e6}),
    ("cold_call", RIGHT[6][1], {"calls": {}}),
    ("cold_call", RIGHT[6][1], {"calls": {"fetch": {**FETCH, "n": 19}}}),
    ("cold_call", RIGHT[6][1], {"calls": {"fetch": {**FETCH, "first_s": 0.2}}}),
    ("import_tree", RIGHT[7][1], {"imports": {"modules": MODULES[:1]}}),
    ("import_tree", {"parent_s": 0.3, "child_s": 0.1}, {"imports": {"modules": MODULES}}),
    ("stuck_task", RIGHT[8][1], {"tasks": []}),
    ("stuck_task", RIGHT[8][1], {"tasks": [{**TASK, "name": "Task-1"}]}),
]


def checked(program: str, truth: dict[str, Any], summary: dict[str, Any]) -> Tried:
    # None of these reads the recording: what they ask is in the summary.
    return BY_PROGRAM[program].check(Trial(truth, summary, cast("Any", None)))


@pytest.mark.parametrize(("program", "truth", "summary"), RIGHT, ids=lambda value: str(value)[:20])
def test_the_right_answer_is_right(
    program: str, truth: dict[str, Any], summary: dict[str, Any]
) -> None:
    answer = checked(program, truth, summary)
    assert answer.ok, answer


@pytest.mark.parametrize(("program", "truth", "summary"), WRONG, ids=lambda value: str(value)[:20])
def test_another_answer_is_wrong(
    program: str, truth: dict[str, Any], summary: dict[str, Any]
) -> None:
    answer = checked(program, truth, summary)
    assert not answer.ok, answer


def test_every_program_is_asked_about_or_imported_by_one() -> None:
    helpers = {"__init__", "slow_parent", "slow_child"}
    assert {path.stem for path in PROGRAMS.glob("*.py")} - helpers == set(BY_PROGRAM)
