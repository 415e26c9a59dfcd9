"""One finding: what it is, where it is, how it is known, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.spine.records import Severity

Tab = Literal["Flame", "Threads", "Imports", "Phases", "Memory", "Log", "Tasks", "Alerts"]

MOST = 5
"""Findings of a verdict: a person reads five lines."""
LEAST_IMPACT = 0.05
"""What matters less is not said."""


def percent(share: float) -> str:
    """Write a share of something: "97 %"."""
    return f"{share * 100:.0f} %"


def on_a_line(text: str, code: str | None, may_be_wrong: str | None) -> str:
    """Write a finding on one line: its text, the code if that does not name it, and any doubt."""
    place = f"  {code}" if code and code not in text else ""
    unsure = f"  (unsure: {may_be_wrong})" if may_be_wrong else ""
    return f"{text}{place}{unsure}"


class RankedFinding(NamedTuple):
    """See the module. Exactly one of `seconds` and `bytes` is known, or none."""

    kind: str
    text: str
    """What, with its figure; names of the program's things, no place in its code."""
    severity: Severity
    impact: float
    """To rank by: the share of the run's time or memory, on top of a step for what is worse."""
    t0_ns: int
    t1_ns: int
    tab: Tab
    """Where the screen shows it."""
    sql: str
    """Shows its figure in the recording."""
    evidence: str = ""
    code: str = ""
    """The program's own line, such as "enrich etl.py:21"."""
    seconds: float | None = None
    bytes: int | None = None
    may_be_wrong: str = ""
    """Why, "" if it is measured."""
    next_step: str = ""

    @property
    def line(self) -> str:
        """The finding on one line, with its code."""
        return on_a_line(self.text, self.code, self.may_be_wrong)


class SessionVerdict(NamedTuple):
    """What `verdict` found."""

    findings: tuple[RankedFinding, ...]
    """Five at most, by impact."""
    more: int
    """Findings of less impact that are left out."""
    plain: str
    """What the program did, in one line: all there is to say where nothing stands out."""
    span_ns: tuple[int, int]

    @property
    def next_step(self) -> str:
        """What to do about the first finding that has an advice."""
        return next((each.next_step for each in self.findings if each.next_step), "")


def findings_json(verdict: SessionVerdict) -> list[dict[str, Any]]:
    """Return the findings as the summary has them."""
    start_ns = verdict.span_ns[0]
    return [
        {
            "text": each.text,
            "kind": each.kind,
            "severity": each.severity,
            "seconds": each.seconds,
            "bytes": each.bytes,
            "code": each.code or None,
            "range_s": [(each.t0_ns - start_ns) / NS_PER_S, (each.t1_ns - start_ns) / NS_PER_S],
            "evidence": each.evidence,
            "confidence": "unsure" if each.may_be_wrong else "measured",
            "may_be_wrong": each.may_be_wrong or None,
            "next": each.next_step or None,
            "tab": each.tab,
            "sql": each.sql,
        }
        for each in verdict.findings
    ]
