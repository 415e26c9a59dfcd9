"""Plans come over the agent's pipe in several lines; here they become one record again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.plans.facts import facts_of
from perftui.probes.text.redact import redact_text

if TYPE_CHECKING:
    from perftui.probes.spine.records import Plan

OPEN_PLANS = 64
"""Plans of which parts are awaited; more at a time means that parts were lost."""
MOST_PARTS = 100
"""Of one plan; an agent makes fewer."""
TEXT_BYTES = 60_000
"""Of one plan: a recording holds no longer text."""
LOST = "\n(a part of this plan was lost: the pipe was full)\n"

_Key = tuple[int, int]
"""(pid, number of the plan in that process)."""


@dataclass(slots=True)
class _Open:
    plan: Plan
    parts: int
    texts: dict[int, str] = field(default_factory=dict)


class PlanParts:
    """Gathers heads and parts by process and number."""

    def __init__(self) -> None:
        self._open: dict[_Key, _Open] = {}

    def head(self, number: int, parts: int, plan: Plan) -> list[Plan]:
        """A plan begins; returns what is complete by now."""
        self._open[plan.pid, number] = _Open(plan, parts)
        if len(self._open) > OPEN_PLANS:
            return [self._close(next(iter(self._open)))]
        return []

    def part(self, pid: int, number: int, part: int, text: str) -> list[Plan]:
        """Take a part of the text; returns the plan if it is complete now."""
        found = self._open.get((pid, number))
        if found is None or part >= MOST_PARTS:
            return []
        found.texts[part] = text
        return [self._close((pid, number))] if len(found.texts) >= found.parts else []

    def rest(self, pid: int | None = None) -> list[Plan]:
        """Return the plans of a process (None: of all) that will never be complete."""
        keys = [key for key in self._open if pid is None or key[0] == pid]
        return [self._close(key) for key in keys]

    def _close(self, key: _Key) -> Plan:
        found = self._open.pop(key)
        parts = range(min(found.parts, MOST_PARTS))
        text = "".join(found.texts.get(part, LOST) for part in parts)
        # Plans name what they read: a URL may hold a password.
        text = redact_text(text).encode()[:TEXT_BYTES].decode("utf-8", "ignore")
        return with_facts(found.plan._replace(text=text))


def with_facts(plan: Plan) -> Plan:
    """Fill in what can be read from the plan itself and the program did not say."""
    facts = facts_of(plan.text)
    if facts is None:
        return plan
    return plan._replace(
        filter=facts.filter if plan.filter is None else plan.filter,
        columns_read=facts.columns if plan.columns_read is None else plan.columns_read,
    )
