"""The figures of a run that a table has room for, with their short names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.compare.facts import Figure

SHORT = {
    "spawn": "spawn",
    "imports": "import",
    "first_call": "first",
    "first_modules": "modules",
    "second_call": "second",
    "warm_call": "warm",
    "cold_ratio": "ratio",
    "duration": "duration",
    "cpu": "CPU",
    "peak_rss": "peak",
    "growth": "growth",
}
"""In the order of a run."""


def columns_of(figures: Mapping[str, Figure]) -> list[str]:
    """Return the keys that a table of runs has columns for: those known, and the first rate."""
    keys = [key for key in SHORT if key in figures]
    return keys + [key for key in figures if key.startswith("rate:")][:1]


def heading(key: str) -> str:
    """Return the short name of a figure."""
    return SHORT.get(key, key.removeprefix("rate:") + "/s")


def cells(figures: Mapping[str, Figure], keys: Sequence[str]) -> list[str]:
    """Write the figures of a run, "–" for what it has not."""
    return [
        amount_text(figures[key].value, figures[key].unit) if key in figures else "–"
        for key in keys
    ]
