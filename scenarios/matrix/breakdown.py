"""Where every second of a version went: a tree whose parts add up to the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perftui.scenarios.matrix.matrix import ReleaseRuns


class Spent(NamedTuple):
    """A node of the tree."""

    name: str
    seconds: float
    parts: tuple[Spent, ...] = ()
    """They add up to it."""
    note: str = ""


def breakdown(column: ReleaseRuns) -> Spent:
    """Return the tree of a version: its environment, and all processes that were run in it.

    Environments are made side by side, and versions are run in turns: the seconds are those of
    this version alone.
    """
    parts = (_environment(column), _processes(column))
    told = tuple(part for part in parts if part.seconds > 0)
    return Spent(column.cell.name, sum(part.seconds for part in told), told)


def _environment(column: ReleaseRuns) -> Spent:
    prepared = column.prepared
    environment = prepared.environment
    if environment is None:
        return Spent("environment", prepared.took_s, note="it could not be made")
    steps = [
        Spent("venv", environment.venv_s or 0.0),
        Spent("install", environment.install_s or 0.0, note=environment.installer),
        Spent("check", environment.check_s),
    ]
    rest = prepared.took_s - sum(step.seconds for step in steps)
    steps.append(Spent("rest", max(rest, 0.0)))
    known = tuple(step for step in steps if step.seconds > 0)
    note = "kept" if environment.kept else environment.made_anew or ""
    return Spent("environment", sum(step.seconds for step in known), known, note)


def _processes(column: ReleaseRuns) -> Spent:
    runs = [*column.series.warm_ups, *column.series.runs]
    times = [run.times for run in runs]
    first_s = sum(each.first_s for each in times)
    inside_s = sum(each.first_imports_s for each in times)
    first: tuple[Spent, ...] = ()
    if inside_s > 0:
        first = (Spent("imports in it", inside_s), Spent("work", first_s - inside_s))
    calls = (
        Spent("first calls", first_s, first),
        Spent("later calls", sum(each.later_s for each in times)),
        Spent(
            "transport",
            sum(each.transport_s for each in times),
            note="we waited for it, and it did not work: orders and answers on their way",
        ),
    )
    parts = (
        Spent("spawn", sum(each.spawn_s for each in times)),
        Spent("import", sum(each.load_s for each in times)),
        Spent("waited for calls", sum(part.seconds for part in calls), calls),
        Spent("end", sum(each.end_s for each in times)),
        Spent(
            "perftui",
            sum(each.perftui_s + each.held_s for each in times),
            note="starts and ends its probes, and holds the program back meanwhile",
        ),
    )
    return Spent(
        "processes", sum(part.seconds for part in parts), parts, f"{len(runs)} fresh processes"
    )
