"""What a query's plan comes to, in words: did filter and projection reach the scan?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.text.units import format_count

if TYPE_CHECKING:
    from perftui.probes.spine.records import Plan

Grade = Literal["good", "half", "bad", ""]
"""Reached the scan, in part, not; "" where there is nothing to judge."""

_FILTER_GRADES: dict[str, Grade] = {
    "in the scan": "good",
    "prunes only": "half",
    "above the scan": "bad",
}
WASTED_ROWS = 100
"""A scan that reads so many times the rows of the answer, and has no filter, reads too much."""


class Finding(NamedTuple):
    """One side of a plan."""

    text: str
    grade: Grade


def filter_finding(plan: Plan) -> Finding:
    """Say where the filter takes place."""
    if plan.filter is None:
        return Finding("", "")
    grade = _FILTER_GRADES.get(plan.filter, "")
    if plan.filter == "none" and _wasted(plan):
        grade = "bad"
    return Finding(plan.filter, grade)


def _wasted(plan: Plan) -> bool:
    read, needed = plan.rows_read, plan.rows_needed
    return read is not None and needed is not None and read >= WASTED_ROWS * max(needed, 1)


def columns_finding(plan: Plan) -> Finding:
    """Say how many columns the scan reads, and how many of them are needed."""
    return _ratio(plan.columns_read, plan.columns_needed, str)


def rows_finding(plan: Plan) -> Finding:
    """Say how many rows the scan reads, and how many the answer has. Statistics are read by the
    block: what is read beside the answer is no fault in itself."""
    return _ratio(plan.rows_read, plan.rows_needed, format_count)._replace(
        grade="bad" if _wasted(plan) and plan.filter == "none" else ""
    )


def _ratio(read: int | None, needed: int | None, write: object) -> Finding:
    say = write if callable(write) else str
    if read is None:
        return Finding("", "")
    if needed is None:
        return Finding(say(read), "")
    return Finding(f"{say(read)} / {say(needed)}", "good" if read <= needed else "bad")


def plan_grade(plan: Plan) -> Grade:
    """Return the worse of what is known of filter, columns and rows."""
    found = {filter_finding(plan).grade, columns_finding(plan).grade, rows_finding(plan).grade}
    order: tuple[Grade, ...] = ("bad", "half", "good")
    return next((grade for grade in order if grade in found), "")


def plan_verdict(plan: Plan) -> str:
    """Return the verdict as half a sentence, "" if the plan says nothing that we can read."""
    parts = []
    if plan.filter == "none":
        parts.append("no filter in the plan")
    elif plan.filter is not None:
        words = {"prunes only": "filter only skips blocks of the scan"}
        parts.append(words.get(plan.filter, f"filter {plan.filter}"))
    read, needed = plan.columns_read, plan.columns_needed
    if read is not None and needed is not None and read > needed:
        parts.append(f"reads {read} columns and needs {needed}")
    elif read is not None:
        word = "column" if read == 1 else "columns"
        parts.append(f"reads {read} {word}" if needed is None else f"reads just {read} {word}")
    if plan.rows_read is not None and plan.rows_needed is not None:
        read_rows, rows = format_count(plan.rows_read), format_count(plan.rows_needed)
        parts.append(f"{read_rows} rows leave the scan for {rows} of the answer")
    return ", ".join(parts)
