"""What a cold start may cost, and whether it does: import, first answer, first against warm."""

from __future__ import annotations

import re
from typing import NamedTuple

from perftui.probes.text.units import format_seconds
from perftui.scenarios.define.parameters import ScenarioError, nearest

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")
_UNITS = {"ms": 1e-3, "s": 1.0}
_NAMES = ("import", "cold", "ratio")


class Budget(NamedTuple):
    """Upper bounds; None is none."""

    import_s: float | None = None
    cold_s: float | None = None
    """From the imported engine to its first answer: connecting and the first query."""
    ratio: float | None = None
    """First query against a warm one."""


class BudgetCheck(NamedTuple):
    """One figure against its bound."""

    name: str
    value: float
    bound: float
    passed: bool

    def __str__(self) -> str:
        sign = "<" if self.passed else ">="
        if self.name == "ratio":
            return f"ratio {self.value:.1f} {sign} {self.bound:g}"
        return f"{self.name} {format_seconds(self.value)} {sign} {format_seconds(self.bound)}"


def parse_budget(text: str) -> Budget:
    """Read "import=50ms,cold=100ms,ratio=10"; what is not named has no bound.

    Raises:
        ScenarioError: It is written in another way.
    """
    bounds: dict[str, float] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (part.strip() for part in word.partition("="))
        if name not in _NAMES:
            raise ScenarioError(
                f"budget={text}: there is no {name!r}{nearest(name, _NAMES)}; a budget has "
                f"{', '.join(_NAMES)}"
            )
        bounds[name] = _ratio(text, value) if name == "ratio" else _seconds(text, name, value)
    return Budget(bounds.get("import"), bounds.get("cold"), bounds.get("ratio"))


def _seconds(text: str, name: str, value: str) -> float:
    match = _SECONDS.fullmatch(value)
    if match is None or float(match[1]) <= 0:
        raise ScenarioError(f"budget={text}: {name} is a time like 50ms or 1.5s, not {value!r}")
    return float(match[1]) * _UNITS[match[2]]


def _ratio(text: str, value: str) -> float:
    try:
        ratio = float(value)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio < 1e9:
        raise ScenarioError(f"budget={text}: ratio is a number above 0, like 10, not {value!r}")
    return ratio


def checked(budget: Budget, import_s: float, cold_s: float, ratio: float) -> list[BudgetCheck]:
    """Each figure that has a bound; one that reaches its bound has failed."""
    values = (import_s, cold_s, ratio)
    return [
        BudgetCheck(name, value, bound, value < bound)
        for name, value, bound in zip(_NAMES, values, budget, strict=True)
        if bound is not None
    ]
