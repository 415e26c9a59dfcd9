"""Where every second of a version went: a tree whose parts add up to the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perftui.scenarios.matrix.matrix import Column


class Part(NamedTuple):
    """A node of the tree."""

    name: str
    seconds: float
    parts: tuple[Part, ...] = ()
    """They add up to it."""
    note: str = ""


def breakdown(column: Column) -> Part:
    """Return the tree of a version: its environment, and all processes that were run in it.

    Environments are made side by side, and versions are run in turns: the seconds are those of
    this version alone.
    """
    parts = (_environment(column), _processes(column))
    told = tuple(part for part in parts if part.seconds > 0)
    return Part(column.cell.name, sum(part.seconds for part in told), told)


def _environment(column: Column) -> Part:
    prepared = column.prepared
    environment = prepared.environment
    if environment is None:
        return Part("environment", prepared.took_s, note="it could not be made")
    steps = [
        Part("venv", environment.venv_s or 0.0),
        Part("install", environment.install_s or 0.0, note=environment.installer),
        Part("check", environment.check_s),
    ]
    rest = prepared.took_s - sum(step.seconds for step in steps)
    steps.append(Part("rest", max(rest, 0.0)))
    known = tuple(step for step in steps if step.seconds > 0)
    note = "kept" if environment.kept else environment.made_anew or ""
    return Part("environment", sum(step.seconds for step in known), known, note)


def _processes(column: Column) -> Part:
    runs = [*column.series.warm_ups, *column.series.runs]
    times = [run.times for run in runs]
    first_s = sum(each.first_s for each in times)
    inside_s = sum(each.first_imports_s for each in times)
    first: tuple[Part, ...] = ()
    if inside_s > 0:
        first = (Part("imports in it", inside_s), Part("work", first_s - inside_s))
    calls = (
        Part("first calls", first_s, first),
        Part("later calls", sum(each.later_s for each in times)),
        Part(
            "transport",
            sum(each.transport_s for each in times),
            note="we waited for it, and it did not work: orders and answers on their way",
        ),
    )
    parts = (
        Part("spawn", sum(each.spawn_s for each in times)),
        Part("import", sum(each.load_s for each in times)),
        Part("waited for calls", sum(part.seconds for part in calls), calls),
        Part("end", sum(each.end_s for each in times)),
        Part(
            "perftui",
            sum(each.perftui_s + each.held_s for each in times),
            note="starts and ends its probes, and holds the program back meanwhile",
        ),
    )
    return Part(
        "processes", sum(part.seconds for part in parts), parts, f"{len(runs)} fresh processes"
    )
