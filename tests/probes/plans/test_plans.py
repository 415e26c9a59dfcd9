"""Plans: put together from the pieces they come in, and judged."""

from __future__ import annotations

from perftui.probes.plans.parts import LOST, MOST_PARTS, OPEN_PLANS, PlanParts
from perftui.probes.plans.verdict import columns_finding, filter_finding, plan_grade, plan_verdict
from perftui.probes.spine.records import Plan

PLAN = Plan(5, 7, "query", "")


def test_pieces_become_one_text_in_any_order() -> None:
    parts = PlanParts()
    assert parts.head(1, 2, PLAN) == []
    assert parts.part(7, 1, 1, "second") == []
    assert parts.part(7, 2, 0, "of a plan that was never begun") == []
    assert parts.part(7, 1, 0, "first, ") == [PLAN._replace(text="first, second")]
    assert parts.rest() == []


def test_a_lost_piece_is_said() -> None:
    parts = PlanParts()
    parts.head(1, 3, PLAN)
    parts.part(7, 1, 0, "first")
    parts.part(7, 1, 2, "third")
    assert parts.rest(8) == []
    assert parts.rest(7) == [PLAN._replace(text=f"first{LOST}third")]


def test_what_never_ends_takes_no_memory() -> None:
    parts = PlanParts()
    given = [plan for n in range(3 * OPEN_PLANS) for plan in parts.head(n, 1 << 60, PLAN)]
    assert len(given) == 2 * OPEN_PLANS
    for number in (MOST_PARTS, 1 << 62):
        assert parts.part(7, 3 * OPEN_PLANS - 1, number, "x" * 1000) == []
    assert len(parts.rest()) == OPEN_PLANS


def test_what_the_program_says_goes_before_what_is_read() -> None:
    parts = PlanParts()
    text = "FilterExec: x\n  DataSourceExec: projection=[a, b]"
    parts.head(1, 1, PLAN)
    (read,) = parts.part(7, 1, 0, text)
    assert (read.filter, read.columns_read) == ("above the scan", 2)
    parts.head(2, 1, PLAN._replace(filter="my own", columns_read=9))
    (said,) = parts.part(7, 2, 0, text)
    assert (said.filter, said.columns_read) == ("my own", 9)


def test_passwords_in_plans_are_masked() -> None:
    parts = PlanParts()
    parts.head(1, 1, PLAN)
    (plan,) = parts.part(7, 1, 0, "SCAN of postgres://me:hunter2@host/db")
    assert "hunter2" not in plan.text


def test_verdicts() -> None:
    good = PLAN._replace(filter="in the scan", columns_read=2, columns_needed=2)
    assert plan_verdict(good) == "filter in the scan, reads just 2 columns"
    assert plan_grade(good) == "good"
    assert plan_verdict(PLAN) == "" and plan_grade(PLAN) == ""
    half = good._replace(filter="prunes only")
    assert plan_grade(half) == filter_finding(half).grade == "half"
    wide = good._replace(columns_read=6)
    assert columns_finding(wide) == ("6 / 2", "bad")
    assert plan_grade(wide) == "bad"
    none = PLAN._replace(filter="none", rows_read=3_000_000, rows_needed=6)
    assert plan_grade(none) == "bad"
    assert plan_verdict(none) == (
        "no filter in the plan, 3.00 M rows leave the scan for 6 of the answer"
    )
    assert plan_grade(none._replace(rows_needed=3_000_000)) == "", "it wanted them all"
