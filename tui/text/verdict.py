"""The verdict as text: what stands in a summary, and what `perftui explain` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.text.units import format_seconds
from perftui.probes.verdict.finding import on_a_line
from perftui.tui.text.severity import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "nothing stands out"


def verdict_lines(summary: dict[str, Any]) -> list[str]:
    """Return the findings of a summary, one a line, and what to do about the first."""
    findings = summary.get("findings", ())
    if not findings:
        return [f"{NOTHING}: {summary.get('in_short', '')}"]
    lines = ["what happened"]
    lines += [f"  {SIGNS.get(found['severity'], '·')} {said(found)}" for found in findings]
    step = next((found["next"] for found in findings if found["next"]), None)
    return lines if step is None else [*lines, f"  next: {step}"]


def said(found: dict[str, Any]) -> str:
    """Return a finding of a summary on one line."""
    return on_a_line(found["text"], found["code"], found["may_be_wrong"])


def explained(findings: Sequence[dict[str, Any]], in_short: str) -> str:
    """Return findings with all that is behind them, for `perftui explain`."""
    if not findings:
        return f"{NOTHING}: {in_short}"
    blocks = [f"{in_short}"]
    for number, found in enumerate(findings, 1):
        begin, end = (format_seconds(t) for t in found["range_s"])
        rows = [
            ("from", f"{begin} to {end}, tab {found['tab']}"),
            ("because", found["evidence"]),
            ("next", found["next"]),
            ("proof", found["sql"]),
        ]
        blocks.append(
            "\n".join(
                [f"{number}. {said(found)}"]
                + [f"   {name:<8} {value}" for name, value in rows if value]
            )
        )
    return "\n\n".join(blocks)
