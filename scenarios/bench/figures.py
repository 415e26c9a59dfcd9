"""The figures of one lab run: those of `perftui compare`, and the cold ones before them.

    spawn            from the order to an interpreter that has run nothing of the program
    imports          a function: until it can be called; a program: all imports, less those below
    first_call       the first call; of a program: of what it times with `perftui.call`
    second_call      the next one
    warm_call        median of the steady calls (`steadiness`)
    cold_ratio       first against warm
    cold_start       import and first call together: what a lazy import cannot hide in
    first_modules    modules that the first call imported: cost that was moved, not removed

What perftui itself makes a program wait (its gate) is in none of them. Per phase, by name: the
time and CPU of all entries, the highest RSS, and how far that is above the first entry's start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.compare.facts import Figure, take_facts
from perftui.probes.text.units import NS_PER_S
from perftui.scenarios.bench.steadiness import Steadiness, steadiness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.place import RunPlace
    from perftui.probes.session import Session
    from perftui.probes.spine.reader import Phase, Reader
    from perftui.scenarios.bench.notes import Notes

_LEAST_S, _LEAST_CALL_S = 0.002, 0.000_5
"""A difference of less is what a clock and a scheduler give. Smaller than for single runs: a series
tells its noise by itself."""
_LEAST_IMPORT_S = 0.005
"""Of a tenth of the 50 ms that an import may take before anybody minds."""
_LEAST_BYTES = 1 << 20
_KEPT = ("cpu", "peak_rss", "growth", "end_rss")
_WAITING, _COLD, _WARM = "waiting", "cold run", "warm run"
_SHOWN_AS = {_COLD: "first call", _WARM: "warm calls"}


class RunFigures(NamedTuple):
    """What one run gave."""

    figures: dict[str, Figure]
    calls_s: tuple[float, ...]
    steady: Steadiness
    inside_first: tuple[str, ...]
    """Modules that the first call began to import, in their order."""


def measured(session: Session, notes: Notes, place: RunPlace, *, kept: bool) -> RunFigures:
    """Return the figures of a session that is closed."""
    reader = session.reader
    facts = take_facts(reader, "run", place)
    figures = _whole(session) | (_of_function(reader) if kept else {})
    calls = notes.calls(session.pid, "run" if kept else None)
    calls_s = tuple(call.duration_ns / NS_PER_S for call in calls)
    steady = steadiness(calls_s)
    inside: tuple[str, ...] = ()
    if calls:
        first = calls[0]
        t0_ns = first.t_ns - first.duration_ns
        inside = tuple(dict.fromkeys(notes.imports(session.pid, t0_ns, first.t_ns)))
        figures |= _of_calls(calls_s, steady)
        figures["first_modules"] = Figure(
            "modules in the first call", len(inside), "", "lower", 2.0
        )
    if not kept:
        imports_s = _imports_before(reader, calls[0].t_ns - calls[0].duration_ns if calls else None)
        if imports_s is not None:
            figures["imports"] = Figure("import", imports_s, "s", "lower", _LEAST_IMPORT_S)
    for key in _KEPT:
        if key in facts.figures:
            figures[key] = _finer(facts.figures[key])
    for key, figure in facts.figures.items():
        if key.startswith(("rate:", "count:", "pool:")):
            figures[key] = _finer(figure)
    phases = reader.phases(0, 1 << 62)
    figures |= _growth(figures, phases) | _of_phases(phases)
    figures |= _per_row(figures) | _cold_start(figures)
    return RunFigures(figures, calls_s, steady, inside)


def _whole(session: Session) -> dict[str, Figure]:
    exit_, began = session.exit(), session.began
    figures = {}
    if exit_ is not None:
        held_ns = began.held_ns if began else 0
        took_s = (exit_.t_ns - session.t_launch_ns - held_ns) / NS_PER_S
        figures["duration"] = Figure("duration", took_s, "s", "lower", _LEAST_S)
    if began is not None:
        spawn_s = (began.t_hello_ns - began.t_launch_ns) / NS_PER_S
        figures["spawn"] = Figure("spawn", spawn_s, "s", "neither", _LEAST_S)
    return figures


def _of_function(reader: Reader) -> dict[str, Figure]:
    runs = reader.runs(0, 1 << 62)
    if not runs or runs[0].run.load_ns is None:
        return {}
    load_s = runs[0].run.load_ns / NS_PER_S
    return {"imports": Figure("import", load_s, "s", "lower", _LEAST_IMPORT_S)}


def _of_calls(calls_s: Sequence[float], steady: Steadiness) -> dict[str, Figure]:
    figures = {"first_call": Figure("first call", calls_s[0], "s", "lower", _LEAST_CALL_S)}
    if len(calls_s) > 1:
        figures["second_call"] = Figure("second call", calls_s[1], "s", "neither", _LEAST_CALL_S)
    if steady.steady_s is not None:
        figures["warm_call"] = Figure("warm call", steady.steady_s, "s", "lower", _LEAST_CALL_S)
        ratio = calls_s[0] / max(steady.steady_s, 1e-9)
        figures["cold_ratio"] = Figure("first / warm", ratio, "", "neither", 0.5)
    return figures


def _imports_before(reader: Reader, until_ns: int | None) -> float | None:
    """Return the seconds of imports that no other import caused, begun before a moment."""
    rows = reader.imports(0, 1 << 62)
    known = {(row.pid, row.id) for row in rows}
    roots = [row for row in rows if (row.pid, row.parent_id) not in known]
    if not roots:
        return None
    return sum(row.total_ns for row in roots if until_ns is None or row.t0_ns < until_ns) / NS_PER_S


def _of_phases(phases: Sequence[Phase]) -> dict[str, Figure]:
    by_name: dict[str, list[Phase]] = {}
    for phase in phases:
        if phase.name != _WAITING and phase.t1_ns is not None:
            by_name.setdefault(phase.name, []).append(phase)
    figures: dict[str, Figure] = {}
    for name, entries in by_name.items():
        shown = _SHOWN_AS.get(name, name)
        took_s = sum((each.t1_ns or each.t0_ns) - each.t0_ns for each in entries) / NS_PER_S
        key = f"phase:{shown}"
        better: dict[str, Figure] = {
            f"{key}.duration": Figure(f"{shown}: time", took_s, "s", "lower", _LEAST_S)
        }
        cpu = [each.cpu_s for each in entries if each.cpu_s is not None]
        if cpu:
            better[f"{key}.cpu"] = Figure(f"{shown}: CPU", sum(cpu), "s", "lower", _LEAST_S)
        peaks = [each.peak_rss_bytes for each in entries if each.peak_rss_bytes is not None]
        if peaks:
            peak = max(peaks)
            better[f"{key}.peak"] = Figure(f"{shown}: peak", peak, "B", "lower", _LEAST_BYTES)
            start = entries[0].rss_start_bytes
            if start is not None:
                grown = max(peak - start, 0)
                label = f"{shown}: growth"
                better[f"{key}.growth"] = Figure(label, grown, "B", "lower", _LEAST_BYTES)
        figures |= better
    return figures


def _growth(figures: dict[str, Figure], phases: Sequence[Phase]) -> dict[str, Figure]:
    """Above where the work began: the first phase, which of a function is its first call.

    Without one it is above the first reading that was taken, and how early that comes is chance:
    not judged.
    """
    crude, peak = figures.get("growth"), figures.get("peak_rss")
    if crude is None or peak is None:
        return {}
    starts = [each.rss_start_bytes for each in phases if each.rss_start_bytes is not None]
    if not starts:
        return {"growth": crude._replace(better="neither")}
    grown = max(peak.value - starts[0], 0.0)
    return {"growth": Figure("growth of the work", grown, "B", "lower", _LEAST_BYTES)}


def _per_row(figures: dict[str, Figure]) -> dict[str, Figure]:
    rows, growth = figures.get("count:rows"), figures.get("growth")
    if rows is None or growth is None or rows.value <= 0 or growth.better == "neither":
        return {}
    per_row = growth.value / rows.value
    least = _LEAST_BYTES / rows.value
    return {"growth_per_row": Figure("growth per row", per_row, "B", "lower", least)}


def _cold_start(figures: dict[str, Figure]) -> dict[str, Figure]:
    """To the first answer: what a lazy import moves from one to the other is in it either way."""
    imports, first = figures.get("imports"), figures.get("first_call")
    if imports is None or first is None:
        return {}
    value = imports.value + first.value
    return {"cold_start": Figure("import + first call", value, "s", "lower", _LEAST_IMPORT_S)}


def _finer(figure: Figure) -> Figure:
    least = {"s": _LEAST_S, "B": float(_LEAST_BYTES)}.get(figure.unit, figure.least)
    return figure._replace(least=min(least, figure.least) if figure.least else least)
