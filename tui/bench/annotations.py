"""Annotations of GitHub Actions: lines on standard output that it shows beside a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.scenarios.bench.answer import change_words

if TYPE_CHECKING:
    from perftui.tui.bench.report import BenchReport

_LEVEL = {"regressed": "error", "suspect": "warning", "inconclusive": "notice", "moved": "warning"}


def as_annotations(report: BenchReport) -> list[str]:
    """Return a line for each figure that is worse or not known, and each bound that is broken."""
    title = f"perftui bench {report.bench.plan.new.key}"
    lines = []
    for row in report.found.rows:
        level = _LEVEL.get(row.verdict or "")
        if level is not None and row.threshold is not None:
            text = f"{row.figure.label} {row.verdict}: {change_words(row)}"
            lines.append(_line(level, title, text))
    lines += [
        _line("error", title, f"budget: {line.text()}")
        for line in report.budget
        if line.outcome == "FAIL"
    ]
    return lines + [_line("error", title, text) for text in report.drift]


def _line(level: str, title: str, text: str) -> str:
    named = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={named}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
