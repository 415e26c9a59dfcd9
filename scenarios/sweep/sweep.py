"""One scenario at several sizes: each run in a fresh process, several rounds, interleaved.

The measuring core of `perftui sweep`. What is measured is the work: a scenario's own phases
without those that only prepare or clean up.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S, format_bytes
from perftui.scenarios.define.parameters import (
    REQUIRED,
    Expression,
    Parameter,
    ScenarioError,
    nearest,
)
from perftui.scenarios.sweep.growth_law import Law, growth_law
from perftui.scenarios.sweep.memory_limit import LimitBy, argv_under_rlimit, says_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.reader import Phase
    from perftui.scenarios.elsewhere.place import Elsewhere
    from perftui.scenarios.run.runner import Scenario

NOT_THE_WORK = frozenset({"spawn", "import", "setup", "settle", "release", "trim", "teardown"})
MEMORY_FLOOR_BYTES = 4_000_000
"""Growth of RSS below this is the interpreter's own."""
_PREFERRED = ("size", "rows")
_NUMBERS = ("int", "float", "size")
_METRICS_HZ = 50.0
_STEP_S = 0.01
_STALL_S = 10.0
_STALL_CPU_S = 0.01
_LAST_LINES = 40

Outcome = Literal["done", "out of memory", "failed"]


class SweepRun(NamedTuple):
    """One run of the scenario."""

    value: str
    """As it was written: "300MB"."""
    n: float
    round: int
    outcome: Outcome
    why: str
    """One line, if it is not done."""
    duration_s: float | None
    cpu_s: float | None
    base_bytes: int | None
    """RSS of the tree when the work began."""
    peak_bytes: int | None
    """Above the base: the highest while the work was done."""


class SizeResult(NamedTuple):
    """What the runs of one size gave; medians of those that were done."""

    value: str
    n: float
    done: int
    runs: int
    duration_s: float | None
    cpu_s: float | None
    peak_bytes: int | None
    outcome: Outcome
    why: str


class Sweep(NamedTuple):
    """Everything that a sweep found."""

    title: str
    parameter: str
    phase: str
    """What counted as the work."""
    limit_bytes: int | None
    limit_by: LimitBy
    runs: tuple[SweepRun, ...]
    sizes: tuple[SizeResult, ...]
    time: Law
    cpu: Law
    memory: Law


class SweepPlan(NamedTuple):
    """What to measure."""

    scenario: Scenario
    parameter: Parameter
    values: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    """NAME=VALUE of the other parameters."""
    rounds: int = 3
    phase: str | None = None
    limit_bytes: int | None = None
    limit_by: LimitBy = "watch"
    elsewhere: Elsewhere | None = None
    """What measures the runs; None: we do, here."""


def swept_parameter(scenario: Scenario, name: str | None) -> Parameter:
    """Find the parameter to sweep over; None takes the one that says how much work there is.

    Raises:
        ScenarioError: There is no such parameter, or it is not a number.
    """
    by_name = {parameter.name: parameter for parameter in scenario.parameters}
    numbers = [each.name for each in scenario.parameters if each.kind in _NUMBERS]
    if name is None:
        name = next((each for each in _PREFERRED if each in by_name), None)
        if name is None:
            listed = ", ".join(numbers) if numbers else "none"
            raise ScenarioError(
                f"{scenario.reference} has neither size nor rows: say --over NAME=V1,V2,V3 "
                f"(numbers: {listed})"
            )
    parameter = by_name.get(name) or by_name.get(name.replace("-", "_"))
    if parameter is None:
        raise ScenarioError(
            f"{scenario.reference} has no parameter {name!r}{nearest(name, list(by_name))}; "
            f"the parameters are {', '.join(by_name) or 'none'}"
        )
    if parameter.kind not in _NUMBERS:
        raise ScenarioError(f"{parameter.name} is {parameter.accepts()}: a sweep needs a number")
    return parameter


def doubled(parameter: Parameter, steps: int, start: str | None = None) -> tuple[str, ...]:
    """Values that double: from `start`, or from a quarter of the default.

    Raises:
        ScenarioError: The parameter has no default to start from, or the values leave its range.
    """
    if start is None:
        default = parameter.default
        if default is REQUIRED or default is None or isinstance(default, Expression):
            raise ScenarioError(
                f"{parameter.name} has no default to start from: say --over "
                f"{parameter.name}=V1,V2,V3, or --over {parameter.name}=V1 --doubling 4"
            )
        first = as_number(default) / 4
        if parameter.kind != "float":
            first = max(first // 1, 1)
    else:
        first = as_number(parameter.parse(start))
    values = []
    for step in range(steps):
        text = format_number(parameter, first * 2**step)
        parameter.parse(text)
        values.append(text)
    return tuple(values)


def as_number(value: object) -> float:
    """The value of a parameter that is a number.

    Raises:
        ScenarioError: It is none.
    """
    if isinstance(value, int | float):
        return value
    raise ScenarioError(f"a sweep needs a number, not {value}")


def format_number(parameter: Parameter, number: float) -> str:
    """Write a number as this parameter's kind is written."""
    if parameter.kind == "size":
        from perftui.scenarios.define.parameters import Size as Bytes

        return str(Bytes(int(number)))
    return str(int(number)) if parameter.kind == "int" else f"{number:g}"


def sweep(
    plan: SweepPlan, tell: Callable[[str], None], go_on: Callable[[], None] = lambda: None
) -> Sweep:
    """Measure, then fit.

    Args:
        plan: What.
        tell: Is given a line before each run.
        go_on: Called again and again; raises whatever is to end it all.

    Raises:
        ScenarioError: A value is out of range or a parameter unknown, before anything is run.
    """
    bound = {value: _bind(plan, value) for value in plan.values}
    numbers = {value: as_number(plan.parameter.parse(value)) for value in plan.values}
    runs: list[SweepRun] = []
    # Round 0 generates data and fills the page cache. It is shown, but it does not count.
    for number in range(plan.rounds + 1):
        # There and back again: a machine that gets slower is not taken for growth.
        order = plan.values if number % 2 == 0 else tuple(reversed(plan.values))
        for value in order:
            if _hopeless(runs, value):
                continue
            tell(f"{'warm-up' if number == 0 else f'round {number} of {plan.rounds}'}: {value}")
            go_on()
            runs.append(_measure(plan, bound[value], value, numbers[value], number, go_on))
    counted = [run for run in runs if run.round > 0 or run.outcome != "done"]
    sizes = tuple(_size(value, numbers[value], counted) for value in plan.values)
    done = [run for run in counted if run.outcome == "done"]
    return Sweep(
        _title(plan, bound[plan.values[0]]),
        plan.parameter.name,
        plan.phase or "the work",
        plan.limit_bytes,
        plan.limit_by,
        tuple(runs),
        sizes,
        growth_law((run.n, run.duration_s) for run in done if run.duration_s),
        growth_law((run.n, run.cpu_s) for run in done if run.cpu_s),
        growth_law(
            ((run.n, run.peak_bytes) for run in done if run.peak_bytes is not None),
            floor=MEMORY_FLOOR_BYTES,
        ),
    )


def _bind(plan: SweepPlan, value: str) -> dict[str, object]:
    return plan.scenario.bind([*plan.fixed, f"{plan.parameter.name}={value}"])


def _title(plan: SweepPlan, bound: dict[str, object]) -> str:
    """The scenario with what was held fixed, and the sizes in place of the first of them."""
    fixed = {name: value for name, value in bound.items() if name != plan.parameter.name}
    sizes = f"{plan.values[0]}..{plan.values[-1]}" if len(plan.values) > 1 else plan.values[0]
    return f"{plan.scenario.title(fixed)} {plan.parameter.name}={sizes}"


def _hopeless(runs: Sequence[SweepRun], value: str) -> bool:
    """Twice without success, and we know: it would be the same again."""
    return sum(run.value == value and run.outcome != "done" for run in runs) >= 2


def _measure(
    plan: SweepPlan,
    values: dict[str, object],
    value: str,
    n: float,
    number: int,
    go_on: Callable[[], None],
) -> SweepRun:
    if plan.elsewhere is not None:
        there = plan._replace(elsewhere=None)
        arguments = (there, values, value, n, number)
        run: SweepRun = plan.elsewhere.call(_measure, arguments, go_on)
        return run
    argv = plan.scenario.command(sys.executable, values)
    if plan.limit_bytes is not None and plan.limit_by == "rlimit":
        argv = argv_under_rlimit(argv, plan.limit_bytes)
    options = ProbeOptions(stacks=False, metrics_rate_hz=_METRICS_HZ, inquire=False)
    session = Session.launch(argv, plan.scenario.reference, options, behind_screen=True)
    stopped = ""
    try:
        stopped = _watched(session, plan.limit_bytes, plan.limit_by, go_on)
    finally:
        if session.target_alive():
            session.stop_target()
        session.close()
    nothing = (None, None, None, None)
    if stopped:
        return SweepRun(value, n, number, "out of memory", stopped, *nothing)
    exit_ = session.exit()
    reader = session.reader
    if exit_ is None or exit_.exit_code != 0:
        lines = [line.text for line in reader.log_lines(0, 1 << 62, _LAST_LINES)]
        outcome: Outcome = "failed"
        if plan.limit_bytes is not None and says_out_of_memory(lines):
            outcome = "out of memory"
        return SweepRun(value, n, number, outcome, _last_words(lines, exit_), *nothing)
    return SweepRun(value, n, number, "done", "", *_work(reader, plan.phase))


def _watched(
    session: Session, limit_bytes: int | None, limit_by: LimitBy, go_on: Callable[[], None]
) -> str:
    """Wait for the end; the result says why we ended it ourselves, "" if we did not."""
    reader = session.reader
    cpu_s, since = -1.0, time.monotonic()
    while not session.wait(_STEP_S):
        go_on()
        if limit_bytes is None:
            continue
        if limit_by == "watch":
            rss = reader.last("rss_bytes", TREE)
            if rss is not None and rss > limit_bytes:
                session.stop_target()
                return f"RSS {format_bytes(rss)} passed the limit of {format_bytes(limit_bytes)}"
            continue
        now_s = (reader.last("cpu_user_s", TREE) or 0) + (reader.last("cpu_system_s", TREE) or 0)
        if now_s > cpu_s + _STALL_CPU_S:
            cpu_s, since = now_s, time.monotonic()
        elif time.monotonic() - since > _STALL_S:
            session.stop_target()
            return f"it stood still for {_STALL_S:.0f} s: a library waits for memory it cannot get"
    return ""


def _last_words(lines: Sequence[str], exit_: Any) -> str:
    own = [line for line in lines if line.startswith("perftui: ")]
    text = (own or [line for line in lines if line.strip()] or ["it said nothing"])[-1]
    if exit_ is not None and exit_.signal is not None:
        return f"ended by signal {exit_.signal}: {text.strip()[:200]}"
    return text.removeprefix("perftui: ").strip()[:200]


def _work(
    reader: Any, wanted: str | None
) -> tuple[float | None, float | None, int | None, int | None]:
    """Duration, CPU, base and peak above the base of the phases that are the work.

    Raises:
        ScenarioError: The run had no phase of the name that was asked for.
    """
    phases: list[Phase] = [p for p in reader.phases(0, 1 << 62) if p.t1_ns is not None]
    if wanted is not None:
        chosen = [phase for phase in phases if phase.name == wanted]
        if not chosen:
            names = ", ".join(dict.fromkeys(phase.name for phase in phases)) or "none"
            raise ScenarioError(f"there is no phase {wanted!r} in the run; there are: {names}")
    else:
        chosen = [p for p in phases if p.depth == 0 and p.name not in NOT_THE_WORK]
    status = reader.status()
    spans = [(p.t0_ns, p.t1_ns or p.t0_ns) for p in chosen]
    spans = spans or [(status.t_start_ns, status.t_end_ns)]
    duration_s = sum(t1 - t0 for t0, t1 in spans) / NS_PER_S
    own_cpu = [phase.cpu_s for phase in chosen if phase.cpu_s is not None]
    tree_cpu_s = _tree_cpu(reader, spans)
    cpu_s = max([sum(own_cpu), tree_cpu_s]) if own_cpu or tree_cpu_s else None
    base, peak = _memory(reader, chosen, spans)
    return duration_s, cpu_s, base, peak


def _tree_cpu(reader: Any, spans: Sequence[tuple[int, int]]) -> float:
    total = 0.0
    for t0, t1 in spans:
        for name in ("cpu_user_s", "cpu_system_s"):
            buckets = reader.metric(name, t0, t1 + 1, 1, TREE)
            if buckets.low[0] is not None and buckets.high[0] is not None:
                total += buckets.high[0] - buckets.low[0]
    return total


def _memory(
    reader: Any, chosen: Sequence[Phase], spans: Sequence[tuple[int, int]]
) -> tuple[int | None, int | None]:
    """Base, and peak above it: of the process that says its phases, or of the tree if more."""
    bases = [phase.rss_start_bytes for phase in chosen if phase.rss_start_bytes is not None]
    peaks = [phase.peak_rss_bytes for phase in chosen if phase.peak_rss_bytes is not None]
    own = max(peaks) - bases[0] if bases and peaks else None
    highs, first = [], None
    for t0, t1 in spans:
        buckets = reader.metric("rss_bytes", t0, t1 + 1, 1, TREE)
        if buckets.high[0] is not None:
            highs.append(buckets.high[0])
        if first is None:
            # The last value before the work begins; at the start of a session, the first in it.
            before = reader.metric("rss_bytes", t0 - NS_PER_S // 5, t0 + 1, 1, TREE).last[0]
            first = before if before is not None else buckets.low[0]
    tree = max(highs) - first if highs and first is not None else None
    if own is not None and len(reader.processes()) == 1:
        tree = None  # the process itself knows its RSS at the moment when the work began
    base = int(bases[0]) if bases else None if first is None else int(first)
    known = [value for value in (own, tree) if value is not None]
    return base, max(int(max(known)), 0) if known else None


def _size(value: str, n: float, runs: Sequence[SweepRun]) -> SizeResult:
    own = [run for run in runs if run.value == value]
    done = [run for run in own if run.outcome == "done"]
    failed = [run for run in own if run.outcome != "done"]
    last = failed[-1] if failed else None
    peak = _median([run.peak_bytes for run in done])
    return SizeResult(
        value,
        n,
        len(done),
        len(own),
        _median([run.duration_s for run in done]),
        _median([run.cpu_s for run in done]),
        None if peak is None else int(peak),
        "done" if last is None else last.outcome,
        "" if last is None else last.why,
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
