"""What a cold start may cost: a budget, and a diagnosis against it.

--budget import=50ms,first=100ms,ratio=10
[tool.perftui.budget]                      # in pyproject.toml, here or above
import = "50ms"
first = "100ms"
ratio = 10
peak = "200MB"
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.figures import amount_text
from perftui.probes.text.units import format_seconds, parse_bytes
from perftui.scenarios.define.parameters import ScenarioError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perftui.probes.compare.facts import Unit
    from perftui.scenarios.bench.answer import BenchAnswer
    from perftui.scenarios.bench.series import LabSeries

NAMES: dict[str, tuple[str, Unit]] = {
    "spawn": ("spawn", "s"),
    "import": ("imports", "s"),
    "first": ("first_call", "s"),
    "cold": ("cold_start", "s"),
    "second": ("second_call", "s"),
    "warm": ("warm_call", "s"),
    "ratio": ("cold_ratio", ""),
    "duration": ("duration", "s"),
    "cpu": ("cpu", "s"),
    "peak": ("peak_rss", "B"),
    "growth": ("growth", "B"),
    "modules": ("first_modules", ""),
}
"""What may stand in a budget: our figure, and its unit."""
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s)")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_SECTION = "[tool.perftui.budget]"
_MODULES_SHOWN = 4


class Bound(NamedTuple):
    """What a figure must stay below."""

    name: str
    value: float


class BudgetLine(NamedTuple):
    """One figure against its bound."""

    bound: Bound
    value: float | None
    """None: no run has it."""
    outcome: Literal["pass", "FAIL", "unknown"]
    sure: bool
    """The interval of the figure does not reach across the bound."""

    def text(self) -> str:
        """Write it."""
        unit = NAMES[self.bound.name][1]
        if self.value is None:
            return f"{self.bound.name}: not measured (bound {amount_text(self.bound.value, unit)})"
        sign = "<" if self.outcome == "pass" else ">="
        value, bound = (amount_text(each, unit) for each in (self.value, self.bound.value))
        doubt = "" if self.sure else "; not sure: its interval reaches across"
        return f"{self.bound.name} {value} {sign} {bound}{doubt}"


def parse_bounds(text: str) -> tuple[Bound, ...]:
    """Read import=50ms,first=100ms,ratio=10.

    Raises:
        ScenarioError: it is written in another way.
    """
    bounds = {}
    for word in (part.strip() for part in text.split(",")):
        if word:
            name, equals, value = (part.strip() for part in word.partition("="))
            if not equals:
                raise ScenarioError(f"--budget {text}: write NAME=BOUND, like import=50ms")
            bounds[name] = _bound(f"--budget {text}", name, value)
    if not bounds:
        raise ScenarioError(f"--budget {text!r} names no bound: like import=50ms,first=100ms")
    return tuple(bounds.values())


def bounds_of_project(folder: Path) -> tuple[Bound, ...]:
    """Return what the next pyproject.toml says, here or above; () if it says nothing.

    Raises:
        ScenarioError: it cannot be read.
    """
    for place in (folder, *folder.parents):
        file = place / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            found = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ScenarioError(f"{file}: {error}") from None
        table = found.get("tool", {})
        for name in ("perftui", "budget"):
            table = table.get(name, {}) if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            raise ScenarioError(f"{file}: {_SECTION} is no table")
        return tuple(_bound(f"{file}, {_SECTION}", name, str(table[name])) for name in table)
    return ()


def _bound(where: str, name: str, text: str) -> Bound:
    if name not in NAMES:
        raise ScenarioError(
            f"{where}: there is no {name!r}{nearest(name, list(NAMES))}; a budget has "
            f"{', '.join(NAMES)}"
        )
    unit = NAMES[name][1]
    try:
        if unit == "s":
            match = _SECONDS.fullmatch(text)
            value = float(match[1]) * _UNITS[match[2]] if match else 0.0
        else:
            value = float(parse_bytes(text)) if unit == "B" else float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e18:
        like = {"s": "a time like 50ms or 1.5s", "B": "a size like 200MB"}.get(unit, "a number")
        raise ScenarioError(f"{where}: {name} is {like} above 0, not {text!r}")
    return Bound(name, value)


def checked(bounds: Sequence[Bound], found: BenchAnswer) -> list[BudgetLine]:
    """Hold each figure's median against its bound; one that reaches it has failed."""
    lines = []
    for bound in bounds:
        row = found.row(NAMES[bound.name][0])
        if row is None:
            lines.append(BudgetLine(bound, None, "unknown", False))
            continue
        value = row.new_median
        sure = row.spread is not None and not row.spread.low < bound.value <= row.spread.high
        lines.append(BudgetLine(bound, value, "pass" if value < bound.value else "FAIL", sure))
    return lines


def consists_of(series: LabSeries) -> list[str]:
    """Say what the cold start of a series consists of: spawn, import, first call, and their
    shares; what the first call imported; what a warm-up would save."""
    parts = [
        (label, series.median(key))
        for key, label in (("spawn", "spawn"), ("imports", "import"), ("first_call", "first call"))
    ]
    known = [(label, value) for label, value in parts if value is not None]
    if not known:
        return []
    whole = sum(value for _, value in known)
    told = ", ".join(
        f"{label} {format_seconds(value)} ({value * 100 / whole:.0f} %)" for label, value in known
    )
    lines = [f"cold start {format_seconds(whole)}: {told}"]
    inside = _most_common(series)
    if inside:
        lines.append(f"the first call imports {_modules(inside)}")
    first, warm = series.median("first_call"), series.median("warm_call")
    if first is not None and warm is not None and first > warm:
        lines.append(
            f"a warm-up call would take {format_seconds(first - warm)} out of the first real one"
        )
    return lines


def _most_common(series: LabSeries) -> tuple[str, ...]:
    """Return the modules of the run in the middle."""
    runs = series.in_order_of("first_modules")
    return runs[len(runs) // 2].inside_first if runs else ()


def _modules(modules: Sequence[str]) -> str:
    packages: dict[str, int] = {}
    for module in modules:
        top = module.partition(".")[0]
        packages[top] = packages.get(top, 0) + 1
    most = sorted(packages.items(), key=lambda item: -item[1])[:_MODULES_SHOWN]
    named = ", ".join(f"{name} {count}" for name, count in most)
    plural = "s" if len(modules) != 1 else ""
    return f"{len(modules)} module{plural} ({named}): cost that is moved, not removed"
