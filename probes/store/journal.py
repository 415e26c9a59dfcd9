"""What happened: phases, imports, marks, plans, runs, alerts, notices, ends.

Begin and end records are joined here into the spans that `Reader` hands out.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perftui.probes.answers.phases import PhaseSpan
from perftui.probes.plans.verdict import plan_verdict
from perftui.probes.spine.reader import Event, Import, RunCost, Task
from perftui.probes.spine.records import (
    Alert,
    Allocated,
    Collected,
    Exit,
    Gap,
    GrowthLook,
    ImportBegin,
    ImportEnd,
    Installed,
    Keeper,
    Mark,
    Notice,
    PhaseBegin,
    PhaseEnd,
    Plan,
    ProcessStart,
    Record,
    Rise,
    Run,
    TaskSeen,
)
from perftui.probes.store.blamed import BlameHistory
from perftui.probes.store.bounds import Longest, Thinning
from perftui.probes.store.collected import KEPT as COLLECTED_KEPT
from perftui.probes.store.collected import CollectedHistory
from perftui.probes.store.tasks import TaskHistory
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perftui.probes.spine.reader import Blame
    from perftui.probes.spine.records import Call

NOTICES_KEPT = 500
INSTALLED_KEPT = 5_000
PLANS_KEPT = 5_000
"""A program that says more has them made by a loop: nobody reads those."""
SLOW_IMPORT_NS = NS_PER_S // 10
PHASES_KEPT = 5_000
IMPORTS_KEPT = 20_000
EVENTS_KEPT = 5_000
"""Of marks, runs, gaps, ends and starts of processes: each."""
OPEN_KEPT = 20_000
"""Phases and imports that have begun and not ended."""


@dataclass(slots=True)
class ImportSpan:
    """An import with its two ends joined."""

    begin: ImportBegin
    end: ImportEnd | None = None


def _phase_ns(span: PhaseSpan) -> int | None:
    return None if span.ended_ns is None else span.ended_ns - span.begin.t_ns


def _import_ns(span: ImportSpan) -> int | None:
    return None if span.end is None else span.end.total_ns


def _bound(known: dict[Any, Any], keep: int) -> None:
    """Forget the oldest of what only grows when something goes wrong."""
    if len(known) > keep:
        del known[next(iter(known))]


class Journal:
    """Takes records one at a time, answers about ranges.

    Args:
        phases: How many are kept.
        imports: How many are kept.
        events: How many marks, runs, gaps, ends and starts of processes are kept, each.
    """

    def __init__(
        self,
        phases: int = PHASES_KEPT,
        imports: int = IMPORTS_KEPT,
        events: int = EVENTS_KEPT,
    ) -> None:
        self.phases = Longest(phases, _phase_ns)
        self.imports = Longest(imports, _import_ns)
        self.notices: list[Notice] = []
        self._alerts: dict[tuple[str, int], Alert] = {}
        self.exits: Thinning[Exit] = Thinning(events)
        self.gaps: Thinning[Gap] = Thinning(events)
        self._marks: Thinning[Mark] = Thinning(events)
        self._plans: list[Plan] = []
        self._runs: Thinning[Run] = Thinning(events)
        self._installed: dict[tuple[str, str], Installed] = {}
        self._tasks = TaskHistory()
        self._blamed = BlameHistory()
        self._collected = CollectedHistory(max(COLLECTED_KEPT, events // 10))
        self._events_kept = events
        self._told: set[str] = set()
        self._checks = 0
        self._processes: dict[tuple[int, int], ProcessStart] = {}
        self._open_phases: dict[tuple[int, int], PhaseSpan] = {}
        self._open_imports: dict[tuple[int, int], ImportSpan] = {}
        self._takers: dict[type, Callable[..., None]] = {
            PhaseBegin: self._phase_begin,
            PhaseEnd: self._phase_end,
            ImportBegin: self._import_begin,
            ImportEnd: self._import_end,
            Mark: self._marks.append,
            Plan: self._plan,
            TaskSeen: self._tasks.take,
            Collected: self._collected.take,
            GrowthLook: self._blamed.take,
            Keeper: self._blamed.take,
            Rise: self._blamed.take,
            Allocated: self._blamed.take,
            Run: self._runs.append,
            Installed: self._install,
            Notice: self._notice,
            Gap: self.gaps.append,
            Exit: self._exit,
            ProcessStart: self._process,
        }

    def take(self, record: Record) -> None:
        """Take one record; kinds that are not events are passed over."""
        taker = self._takers.get(type(record))
        if taker is not None:
            taker(record)
            self._checks += 1
            if self._checks % 1024 == 0:
                self._tell_left_out(getattr(record, "t_ns", 0))

    def _tell_left_out(self, t_ns: int) -> None:
        self.left_out("phases", self.phases.left_out, t_ns)
        self.left_out("imports", self.imports.left_out, t_ns)
        self.left_out("marks", self._marks.left_out, t_ns)
        self.left_out("runs", self._runs.left_out, t_ns)

    def left_out(self, what: str, number: int, t_ns: int) -> None:
        """Say once that not all of a kind are kept."""
        if number and what not in self._told:
            self._told.add(what)
            text = f"there are more {what} than are kept here: not all of the past are shown"
            self._notice(Notice(t_ns, "info", text))

    def _notice(self, record: Notice) -> None:
        self.notices.append(record)
        if len(self.notices) > NOTICES_KEPT:
            del self.notices[NOTICES_KEPT // 2]  # the first tell why, the last what is now

    def _phase_begin(self, record: PhaseBegin) -> None:
        parent = None
        if record.parent_id is not None:
            parent = self._open_phases.get((record.pid, record.parent_id))
        span = PhaseSpan(record, 0 if parent is None else parent.depth + 1)
        self._open_phases[record.pid, record.id] = span
        self.phases.append(span)
        _bound(self._open_phases, OPEN_KEPT)

    def _phase_end(self, record: PhaseEnd) -> None:
        span = self._open_phases.pop((record.pid, record.id), None)
        if span is not None:
            span.end = record
            span.ended_ns = record.t_ns

    def _import_begin(self, record: ImportBegin) -> None:
        span = ImportSpan(record)
        self._open_imports[record.pid, record.id] = span
        self.imports.append(span)
        _bound(self._open_imports, OPEN_KEPT)

    def _import_end(self, record: ImportEnd) -> None:
        span = self._open_imports.pop((record.pid, record.id), None)
        if span is not None:
            span.end = record

    def _exit(self, record: Exit) -> None:
        self.exits.append(record)
        for key, span in list(self._open_phases.items()):
            if key[0] == record.pid:
                span.ended_ns = record.t_ns
                del self._open_phases[key]

    def _process(self, record: ProcessStart) -> None:
        # The same once more is the same by another name.
        self._processes[record.t_ns, record.pid] = record
        if len(self._processes) > self._events_kept:
            keys = list(self._processes)
            del self._processes[keys[1]]  # the first is the target

    def _plan(self, record: Plan) -> None:
        if len(self._plans) < PLANS_KEPT:
            self._plans.append(record)

    def take_alert(self, record: Alert) -> None:
        """Take an alert as it stands."""
        # A change of severity and the clearing are records of the same alert.
        self._alerts[record.kind, record.t_onset_ns] = record
        _bound(self._alerts, self._events_kept)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert as it stands, in the order in which they were raised."""
        return tuple(self._alerts.values())

    def import_list(self, t0_ns: int, t1_ns: int, now_ns: int) -> tuple[Import, ...]:
        """Return imports that overlap the range, by start; running ones as far as they are."""
        dead = {exit_.pid: exit_.t_ns for exit_ in self.exits}
        rows = []
        for span in self.imports:
            begin, end = span.begin, span.end
            if begin.t_ns >= t1_ns:
                continue
            if end is not None:
                if end.t_ns < t0_ns:
                    continue
                rss = None
                if end.rss_bytes is not None and begin.rss_bytes is not None:
                    rss = end.rss_bytes - begin.rss_bytes
                rows.append(
                    Import(
                        begin.pid,
                        begin.id,
                        begin.parent_id,
                        begin.module,
                        begin.t_ns,
                        end.self_ns,
                        end.total_ns,
                        rss,
                        running=False,
                        ok=end.ok,
                        tid=begin.tid,
                        function=begin.function,
                        file=begin.file,
                        line=begin.line,
                        lazy=begin.lazy,
                    )
                )
                continue
            until = dead.get(begin.pid, now_ns)
            so_far = max(until - begin.t_ns, 0)
            rows.append(
                Import(
                    begin.pid,
                    begin.id,
                    begin.parent_id,
                    begin.module,
                    begin.t_ns,
                    so_far,
                    so_far,
                    None,
                    running=begin.pid not in dead,
                    ok=begin.pid not in dead,
                    tid=begin.tid,
                    function=begin.function,
                    file=begin.file,
                    line=begin.line,
                    lazy=begin.lazy,
                )
            )
        return tuple(rows)

    def run_list(self, t0_ns: int, t1_ns: int) -> tuple[RunCost, ...]:
        """Return the runs that ended in the range, each with what its process imported."""
        found = []
        begins = [span.begin.t_ns for span in self.imports] if self._runs else []
        for run in self._runs:
            if not t0_ns <= run.t_ns < t1_ns:
                continue
            first = bisect_left(begins, run.t_work_ns)
            inside = [
                span
                for span in self.imports.between(first, bisect_left(begins, run.t_ns))
                if span.begin.pid == run.pid
            ]
            spent = sum(
                span.end.total_ns
                for span in inside
                if span.end is not None and span.begin.parent_id is None
            )
            found.append(RunCost(run, spent, len(inside)))
        return tuple(found)

    def task_list(self, t1_ns: int) -> tuple[Task, ...]:
        """Return asyncio's tasks as they stood at a moment, those of each process."""
        return self._tasks.at(t1_ns)

    def collected(self, t0_ns: int, t1_ns: int) -> tuple[Collected, ...]:
        """Return collections of cycles that overlap the range."""
        return self._collected.between(t0_ns, t1_ns)

    def blame(self, t0_ns: int, t1_ns: int) -> Blame:
        """Return what the looks that ended in the range found out."""
        return self._blamed.between(t0_ns, t1_ns)

    def _install(self, record: Installed) -> None:
        if len(self._installed) < INSTALLED_KEPT:
            self._installed.setdefault((record.name, record.version), record)

    def installed_list(self) -> tuple[Installed, ...]:
        """Return the distributions of which something was imported, by name."""
        return tuple(self._installed[key] for key in sorted(self._installed))

    def plan_list(self, t1_ns: int) -> tuple[Plan, ...]:
        """Return the plans that were told before a moment, the oldest first."""
        found: dict[tuple[int, str, str], Plan] = {}
        for plan in self._plans:
            if plan.t_ns < t1_ns:
                # Told again with more figures, it still is the plan of that moment.
                key = plan.pid, plan.name, plan.text
                known = found.get(key, plan)
                found[key] = plan._replace(t_ns=known.t_ns)
        return tuple(found.values())

    def event_list(self, t0_ns: int, t1_ns: int, firsts: Iterable[Call]) -> tuple[Event, ...]:
        """Return what a person may want to jump to, in time order.

        Args:
            t0_ns: Begin of the range.
            t1_ns: End of the range.
            firsts: The first call of each name.
        """
        events = [
            Event(span.begin.t_ns, "phase", span.begin.name)
            for span in self.phases
            if t0_ns <= span.begin.t_ns < t1_ns
        ]
        events += [
            Event(mark.t_ns, "mark", mark.name)
            for mark in self._marks
            if t0_ns <= mark.t_ns < t1_ns
        ]
        events += [
            Event(plan.t_ns, "plan", f"{plan.name}: {plan_verdict(plan) or 'a plan'}")
            for plan in self.plan_list(t1_ns)
        ]
        events += [
            Event(process.t_ns, "process", " ".join(process.argv)[:200] or str(process.pid))
            for process in list(self._processes.values())[1:]
        ]
        for span in self.imports:
            if span.end is not None and span.end.total_ns >= SLOW_IMPORT_NS:
                took = format_seconds(span.end.total_ns / NS_PER_S)
                events.append(Event(span.begin.t_ns, "import", f"{span.begin.module} {took}"))
        for call in firsts:
            took = format_seconds(call.duration_ns / NS_PER_S)
            start_ns = call.t_ns - call.duration_ns
            events.append(Event(start_ns, "call", f"first {call.name} {took}", call.name))
        events += [Event(gap.t0_ns, "gap", gap.reason) for gap in self.gaps]
        events += [Event(alert.t_onset_ns, "alert", alert.message) for alert in self.alerts]
        for exit_ in self.exits:
            how = f"signal {exit_.signal}" if exit_.signal else f"code {exit_.exit_code}"
            text = "ended" if exit_.exit_code is None and not exit_.signal else f"exit {how}"
            events.append(Event(exit_.t_ns, "exit", f"{text}, pid {exit_.pid}"))
        return tuple(sorted(event for event in events if t0_ns <= event.t_ns < t1_ns))
