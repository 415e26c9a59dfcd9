"""A bench as a comment for a pull request, with a marker by which it is found and edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.tui.bench.columns import SHORT

if TYPE_CHECKING:
    from perftui.tui.bench.report import BenchReport

_SIGN = {"regressed": "🔴", "suspect": "🟡", "inconclusive": "⚪", "improved": "🟢", "ok": "🟢",
         "moved": "🟡"}  # fmt: skip
_ROOM = 60_000
"""GitHub takes comments of up to 65,536 letters."""


def marker(key: str) -> str:
    """Return the hidden line that tells this comment from all others: one for each thing."""
    return f"<!-- perftui bench: {key.replace('--', '- -')[:200]} -->"


def as_markdown(report: BenchReport) -> str:
    """Return the comment."""
    bench, found = report.bench, report.found
    lines = [marker(bench.plan.new.key), ""]
    word = found.verdict
    head = f"`{_code(bench.plan.new.key)}`"
    lines.append(f"### {_SIGN[word]} {head}: {word}" if word is not None else f"### {head}")
    if bench.told_base:
        lines.append(f"against {_plain(bench.told_base)}; {len(bench.new.done)} runs")
    lines += ["", *(f"> {_plain(warning)}  " for warning in bench.warnings)]
    lines += [f"- {_plain(reason)}" for reason in (*found.reasons, *report.drift)]
    lines += [f"- budget {line.outcome}: {_plain(line.text())}" for line in report.budget]
    lines.append("")
    shown = [row for row in found.rows if row.threshold is not None]
    rest = [row for row in found.rows if row.threshold is None and row.key in SHORT]
    if word is None:
        lines += ["| figure | median |", "|---|---:|"]
        lines += [
            f"| {_plain(row.figure.label)} | {amount_text(row.new_median, row.figure.unit)} |"
            for row in (*shown, *rest)
        ]
    else:
        lines += ["| figure | base | new | change | 95 % | |", "|---|---:|---:|---:|---:|---|"]
        for row in (*shown, *rest):
            between = ""
            if row.change is not None:
                between = " to ".join(percent_text(end) for end in row.change.interval)
            lines.append(
                f"| {_plain(row.figure.label)} | {amount_text(row.base_median, row.figure.unit)} |"
                f" {amount_text(row.new_median, row.figure.unit)} | {percent_text(row.ratio)} |"
                f" {between} | {row.verdict or ''} |"
            )
    return "\n".join(lines)[:_ROOM].rstrip() + "\n"


def _plain(text: str) -> str:
    for sign in "\\`*_<>|[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())
