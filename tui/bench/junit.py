"""A bench as JUnit XML: a test case for each figure that is judged, and each bound of a budget."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from perftui.scenarios.bench.answer import change_words

if TYPE_CHECKING:
    from perftui.tui.bench.report import BenchReport

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: BenchReport) -> str:
    """Return the file. Regressed, and suspect where strict, are failures; inconclusive is
    skipped."""
    suite = report.bench.plan.new.key
    cases, failures, skipped = [], 0, 0
    for row in report.found.rows:
        if row.threshold is None or row.verdict is None:
            continue
        words = f"{row.figure.label} {row.verdict}: {change_words(row)}"
        failed = row.verdict == "regressed" or (report.strict and row.verdict == "suspect")
        inside = ""
        if failed:
            failures += 1
            inside = f"<failure message={_attribute(words)}/>"
        elif row.verdict == "inconclusive":
            skipped += 1
            inside = f"<skipped message={_attribute(words)}/>"
        cases.append(_case(suite, row.figure.label, row.figure.unit, row.new_median, inside))
    for line in report.budget:
        inside = ""
        if line.outcome == "FAIL":
            failures += 1
            inside = f"<failure message={_attribute(line.text())}/>"
        elif line.outcome == "unknown":
            skipped += 1
            inside = f"<skipped message={_attribute(line.text())}/>"
        cases.append(_case(suite, f"budget {line.bound.name}", "", 0.0, inside))
    head = (
        f'<testsuite name={_attribute(suite)} tests="{len(cases)}" failures="{failures}" '
        f'errors="0" skipped="{skipped}">'
    )
    return "\n".join(
        ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>", head, *cases,
         "</testsuite>", "</testsuites>", ""]
    )  # fmt: skip


def _case(suite: str, name: str, unit: str, value: float, inside: str) -> str:
    took = f"{value:.6f}" if unit == "s" else "0"
    return (
        f"<testcase classname={_attribute(suite)} name={_attribute(name)} "
        f'time="{took}">{inside}</testcase>'
    )


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("?", text))
