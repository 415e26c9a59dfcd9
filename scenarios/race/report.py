"""What a race found: as text, as Markdown for a file, and as plain data for JSON."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.shelf.shelf import name_of
from perftui.probes.text.shell_words import shell_word
from perftui.probes.text.units import format_bytes, format_count
from perftui.scenarios.define.requirements import PIP_NAMES
from perftui.scenarios.race.figures import MEASURES
from perftui.scenarios.race.growth import growth_text
from perftui.scenarios.race.verdict import with_growth
from perftui.scenarios.say.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perftui.scenarios.race.figures import Figures
    from perftui.scenarios.race.growth import Growth
    from perftui.scenarios.race.pairs import MeasureKey, Pair
    from perftui.scenarios.race.plan import RacePlan
    from perftui.scenarios.race.race import RaceState

SCHEMA = 1
JSON_NAMES = {"first_row": "first_row_s", "peak": "peak_above_base_bytes", "rate": "rows_per_s"} | {
    "total": "total_s",
    "kept": "kept_bytes_per_row",
    "released": "after_release_bytes",
    "first_call": "first_call_s",
    "warm_call": "warm_call_median_s",
}
"""Names in the JSON, with their units."""

Recordings = tuple["Path | None", "Path | None"]


def about_text(plan: RacePlan, state: RaceState) -> str:
    """What is raced: "duckdb · 300MB Parquet, 6.25 M rows"."""
    rows = next((side.figures.rows for side in state.sides if side.figures.rows), None)
    if plan.pair.work == "rows":
        return f"{plan.way.engine} · {format_count(plan.amount)} rows"
    counted = "" if rows is None else f", {format_count(rows)} rows"
    return f"{plan.way.engine} · {format_bytes(plan.amount)} of Parquet{counted}"


def figure_rows(plan: RacePlan, figures: tuple[Figures, Figures]) -> list[tuple[str, str, str]]:
    """(label, first side's figure, second side's), in the order of the pair."""
    return [
        (
            measure_label(plan.pair, key),
            figure_text(key, figures[0].value(key)),
            figure_text(key, figures[1].value(key)),
        )
        for key in plan.pair.measures
    ]


def measure_label(pair: Pair, key: MeasureKey) -> str:
    """Name a figure: "time to first row", "query, median"."""
    return MEASURES[key].label.format(call=pair.call)


def figure_text(key: MeasureKey, value: float | None) -> str:
    """Write a figure with its unit; "-" if it is not known."""
    return "-" if value is None else MEASURES[key].text(value)


def recording_name(path: Path) -> str:
    """The name that the other commands take."""
    return path.name.removesuffix(".perftui")


def verdict_lines(plan: RacePlan, state: RaceState) -> list[str]:
    """Who won, by how much, why, and what ten times the data would take."""
    found = state.verdict
    if found is None:
        return []
    lines = [f"{found.head}: {found.words}"]
    lines += [line for line in (found.why, with_growth(plan.pair, state.growth)) if line]
    return lines


def as_text(plan: RacePlan, state: RaceState, recordings: Recordings) -> str:
    """Table, growth and verdict."""
    pair = plan.pair
    lines = [f"{pair.name}  {about_text(plan, state)}", f"{pair.question}", ""]
    for side, code in zip(pair.sides, plan.way.code, strict=True):
        lines.append(f"  {side.name:<12}{code}")
    lines.append("")
    header = ("", *(side.name for side in pair.sides))
    lines += table_lines(header, figure_rows(plan, _both(state)))
    lines += _paragraph(_growth_texts(plan, state))
    lines += _paragraph(verdict_lines(plan, state))
    names = [name_of(path) for path in recordings if path is not None]
    lines += _paragraph(f"recorded: perftui open {shell_word(name)}" for name in names if name)
    return "\n".join(lines)


def _growth_texts(plan: RacePlan, state: RaceState) -> list[str]:
    return [
        f"{side.name}: {growth_text(plan.pair, growth)}"
        for side, growth in zip(plan.pair.sides, state.growth, strict=True)
        if growth is not None
    ]


def _paragraph(lines: Iterable[str]) -> list[str]:
    """A blank line and these, or nothing."""
    known = list(lines)
    return ["", *known] if known else []


def as_markdown(plan: RacePlan, state: RaceState, recordings: Recordings) -> str:
    """A report to keep: the same, with machine and versions."""
    pair = plan.pair
    first, second = pair.sides
    lines = [f"# perftui demo {pair.name}", "", f"{about_text(plan, state)}. {pair.question}", ""]
    lines += [f"| | {first.name} | {second.name} |", "|---|---:|---:|"]
    lines += ["| code | " + " | ".join(f"`{code}`" for code in plan.way.code) + " |"]
    lines += [f"| {' | '.join(row)} |" for row in figure_rows(plan, _both(state))]
    lines += _paragraph(f"- {text}" for text in _growth_texts(plan, state))
    if state.verdict is not None:
        head, *rest = verdict_lines(plan, state)
        lines += ["", f"**{head}**", *([" ".join(rest)] if rest else [])]
    names = [recording_name(path) for path in recordings if path is not None]
    if names:
        lines += ["", "Recordings: " + ", ".join(f"`{name}`" for name in names) + "."]
    lines += ["", f"One run of each side, one after the other. {machine_text(plan)}", ""]
    return "\n".join(lines)


def as_json(plan: RacePlan, state: RaceState, recordings: Recordings) -> dict[str, Any]:
    """Everything as plain data. Unknown figures are null."""
    pair, found = plan.pair, state.verdict
    sides = []
    for number, side in enumerate(pair.sides):
        figures = state.sides[number].figures
        path, growth = recordings[number], state.growth[number]
        sides.append(
            {
                "name": side.name,
                "code": plan.way.code[number],
                "argv": plan.command(number),
                "rows": figures.rows,
                "base_bytes": figures.base,
                **{JSON_NAMES[key]: figures.value(key) for key in MEASURES},
                "calls": figures.calls,
                "cpu_contention": figures.contended,
                "recording": None if path is None else str(path),
                "growth": None if growth is None else _growth(growth),
            }
        )
    return {
        "schema": SCHEMA,
        "demo": pair.name,
        "engine": plan.way.engine,
        pair.work: plan.amount,
        "duration_s": state.elapsed_s,
        "sides": sides,
        "verdict": None
        if found is None
        else {
            "winner": None if found.winner is None else pair.sides[found.winner].name,
            "words": " ".join(verdict_lines(plan, state)),
            "first_by_second": {JSON_NAMES[key]: ratio for key, ratio in found.ratios.items()},
        },
        "machine": machine_text(plan),
    }


def _growth(growth: Growth) -> dict[str, Any]:
    slope, line = growth.law.decisive, growth.line
    return {
        "cost": growth.what,
        "verdict": growth.verdict,
        "words": growth.law.words,
        "exponent": None if slope is None else list(slope),
        "line": None if line is None else line._asdict(),
        "ten_times": None if growth.ten_times is None else list(growth.ten_times),
        "points": [list(point) for point in growth.points],
    }


def machine_text(plan: RacePlan) -> str:
    """Where it was measured: system, cores, Python, and the versions of what was used."""
    import os

    packages = []
    for module in plan.way.modules:
        name = PIP_NAMES.get(module, module)
        try:
            packages.append(f"{module} {version(name)}")
        except PackageNotFoundError:
            packages.append(f"{module} of unknown version")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = ".".join(map(str, sys.version_info[:3]))
    system = f"{platform.system()} {platform.machine()}, {cores} cores"
    return f"{system}, Python {python}, {', '.join(packages)}."


def _both(state: RaceState) -> tuple[Figures, Figures]:
    return state.sides[0].figures, state.sides[1].figures
