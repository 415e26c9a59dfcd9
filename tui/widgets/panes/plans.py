"""The Plans tab: did filter and projection reach the scan, and the engine's own words beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from perftui.probes.plans.verdict import (
    columns_finding,
    filter_finding,
    plan_grade,
    plan_verdict,
    rows_finding,
)
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.draw.bare import Tray
from perftui.tui.widgets.draw.strips import LinePane, Part, line_of
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual import events
    from textual.app import ComposeResult
    from textual.strip import Strip

    from perftui.probes.plans.verdict import Finding, Grade
    from perftui.probes.spine.reader import CallStats
    from perftui.probes.spine.records import Plan
    from perftui.tui.picture.view import View

_COLUMNS = (
    Column("query"),
    Column("filter", 16),
    Column("columns", 8, right=True),
    Column("rows", 15, right=True, rank=2),
    Column("first", 9, right=True, rank=3, tone="dim"),
    Column("warm", 9, right=True, rank=1, tone="strong"),
)
_TONES: dict[Grade, str] = {"good": "good", "half": "warm", "bad": "bad", "": "text"}
_SIGNS: dict[Grade, str] = {"good": "✓ ", "half": "~ ", "bad": "✗ ", "": "  "}
_SIDE_BY_SIDE = 120
"""From this width on the plan stands beside the queries, else below."""
_SHARES = "3fr", "2fr"
_SCAN = re.compile(r"scan\b|\bread |LanceRead|LanceScan|DataSourceExec", re.IGNORECASE)
_FILTER = re.compile(r"\bFilter|FILTER|SELECTION|full_filter", re.MULTILINE)


class PlansPane(Tray):
    """Queries with their verdicts; the plan of the chosen one."""

    DEFAULT_CSS = """
    PlansPane { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.text = PlanText()
        self.queries = _Queries(self.text)
        self._plans: dict[Hashable, Plan] = {}

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.queries
        yield self.text

    def show(self, view: View) -> None:
        """Show another picture: the plans that were told before the end of the range."""
        wanted = view.selection.filter.lower()
        plans = [
            plan
            for plan in view.plans
            if plan.t_ns < view.range[1] and wanted in f"{plan.name} {plan.text}".lower()
        ]
        keys: list[Hashable] = [(plan.pid, plan.name, plan.text) for plan in plans]
        self._plans = dict(zip(keys, plans, strict=True))
        calls = {call.name: call for call in view.calls}
        slowest = max((_warm_ns(calls.get(plan.name)) or 0 for plan in plans), default=0)
        self.queries.fill(
            [
                Section(
                    _COLUMNS,
                    keys,
                    lambda n: _row(plans[n], calls.get(plans[n].name), slowest),
                )
            ],
            empty=_why_empty(view),
        )
        self.text.display = bool(plans)
        if plans and self.queries.cursor is None:
            self.queries.choose(keys[0])
        self._tell()

    def on_table_moved(self, message: Table.Moved) -> None:
        """Show the plan of another query."""
        message.stop()
        self._tell()

    def _tell(self) -> None:
        self.text.tell(self._plans.get(self.queries.cursor))

    def on_resize(self, event: events.Resize) -> None:
        """Put the parts beside each other, or one below the other."""
        beside = event.size.width >= _SIDE_BY_SIDE
        self.styles.layout = "horizontal" if beside else "vertical"
        self.queries.styles.width = _SHARES[0] if beside else "1fr"
        self.text.styles.width = _SHARES[1] if beside else "1fr"
        rows = min(len(self._plans) + 1, max(event.size.height // 2, 3))
        self.queries.styles.height = "1fr" if beside else max(rows, 3)


class _Queries(Table):
    """The queries; page up and down are the plan's, which is longer than the list."""

    opens = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll_plan(-1)", "plan up", show=False),
        Binding("pagedown", "scroll_plan(1)", "plan down", show=False),
    ]

    def __init__(self, text: PlanText) -> None:
        super().__init__()
        self._text = text

    def action_scroll_plan(self, pages: int) -> None:
        """Scroll the plan beside."""
        self._text.move_top(self._text.top + pages * max(self._text.page() - 1, 1))


class PlanText(LinePane, can_focus=False):
    """A plan as the engine wrote it. Boxes are cut at the edge, other lines are folded."""

    DEFAULT_CSS = """
    PlanText { background: $panel; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plan: Plan | None = None
        self._folded: list[str] = []
        self._folded_for: tuple[Plan | None, int] = (None, 0)

    def tell(self, plan: Plan | None) -> None:
        """Show a plan."""
        if plan != self._plan:
            if self._plan is None or plan is None or plan.text != self._plan.text:
                self.top = 0
            self._plan = plan
        self.redraw()

    def line_count(self) -> int:
        """Return the lines of the plan."""
        return len(self._lines_of_plan())

    def page(self) -> int:
        """Return the lines seen below the verdict."""
        return max(self.size.height - len(self._verdict()), 1)

    def _verdict(self) -> list[str]:
        if self._plan is None:
            return []
        sign = _SIGNS[plan_grade(self._plan)].strip()
        said = plan_verdict(self._plan) or "nobody has said what this plan comes to"
        return folded(f"{sign} {said}".strip(), self.size.width - 2, hang=2)

    def _lines_of_plan(self) -> list[str]:
        key = self._plan, self.size.width
        if key != self._folded_for:
            self._folded_for = key
            text = "" if self._plan is None else self._plan.text
            self._folded = folded(text, self.size.width - 2)
        return self._folded

    def build(self) -> list[Strip]:
        """Return the verdict and the lines of the plan that are seen."""
        plan, width, blank = self._plan, self.size.width, self.tone("text")
        if plan is None:
            return []
        tone = self.tone(_TONES[plan_grade(plan)])
        lines = [line_of([(" " + line, tone)], width, blank) for line in self._verdict()]
        whole, page = self._lines_of_plan(), self.page()
        self.top = max(0, min(self.top, len(whole) - page))
        for line in whole[self.top : self.top + page]:
            name = "accent" if _SCAN.search(line) else "warm" if _FILTER.search(line) else "text"
            lines.append(line_of([(" " + line, self.tone(name))], width, blank))
        hidden = len(whole) - self.top - page
        if hidden > 0 and page > 1:
            more: list[Part] = [(f" … {hidden + 1} more lines: page down", self.tone("dim"))]
            lines[-1] = line_of(more, width, blank)
        return lines


def folded(text: str, width: int, hang: int = 4) -> list[str]:
    """Return the lines of a plan, too long ones folded, `hang` cells below their own indent.

    Lines of boxes are left whole: folded, they would be no boxes any more.
    """
    lines: list[str] = []
    for raw in text.splitlines():
        line = clean(raw.rstrip())
        if not line:
            continue
        indent = len(line) - len(line.lstrip()) + hang
        room = max(width, 8)
        while len(line) > room and not re.search("[─│┌╭]", line):
            at = line.rfind(" ", min(indent, room // 2) + 1, room + 1)
            at = at if at > 0 else room
            lines.append(line[:at].rstrip())
            line = " " * min(indent, room // 2) + line[at:].lstrip()
        lines.append(line)
    return lines


def _warm_ns(call: CallStats | None) -> int | None:
    if call is None:
        return None
    return call.warm_median_ns if call.warm_median_ns is not None else call.first_ns


def _row(plan: Plan, call: CallStats | None, slowest_ns: int) -> Row:
    where, columns, rows = filter_finding(plan), columns_finding(plan), rows_finding(plan)
    warm_ns = _warm_ns(call)
    return Row(
        (
            plan.name,
            _signed(where),
            columns.text,
            rows.text,
            "" if call is None else format_seconds(call.first_ns / NS_PER_S),
            "" if warm_ns is None else format_seconds(warm_ns / NS_PER_S),
        ),
        ("", *(_TONES[finding.grade] for finding in (where, columns, rows))),
        bar=0.0 if not slowest_ns or warm_ns is None else warm_ns / slowest_ns,
    )


def _signed(finding: Finding) -> str:
    return _SIGNS[finding.grade] + finding.text if finding.text else ""


def _why_empty(view: View) -> tuple[str, ...]:
    if view.plans and view.selection.filter:
        return (f'no plan holds "{clean(view.selection.filter)}"', "esc clears the filter")
    if view.plans:
        return ("no plan was told before the end of this range", "esc clears the range")
    return (
        "no plans: the program has told none",
        'in the program:  perftui.plan("query", text of the engine\'s EXPLAIN)',
        "perftui run plan-check shows those of DuckDB, DataFusion, Lance and Polars",
    )
