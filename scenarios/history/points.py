"""One result as a point of a history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class FigureRuns(NamedTuple):
    """The runs of one figure."""

    unit: str
    better: str
    runs: tuple[float, ...]
    threshold: float | None
    """From which change on it was judged, as a part; None: it was only shown."""


class Point(NamedTuple):
    """When, of which code, where."""

    created: str
    """ISO 8601; "" if not told."""
    commit: str | None
    dirty: bool
    machine: str | None
    """What tells it from others."""
    python: str | None
    figures: dict[str, FigureRuns]

    @property
    def commit_words(self) -> str:
        """Short: "3f2a91c", with a "+" where there were changes beside it, "–" if not known."""
        if self.commit is None:
            return "–"
        return self.commit[:7] + ("+" if self.dirty else "")


def points_of(entries: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Return the points of entries, in their order; what is no number is left out."""
    return [_point(entry) for entry in entries]


def _point(entry: Mapping[str, Any]) -> Point:
    env = entry.get("env")
    env = env if isinstance(env, Mapping) else {}
    figures = {}
    for key, told in entry["metrics"].items():
        measured = _measured(told)
        if measured is not None:
            figures[str(key)] = measured
    return Point(
        _text(entry.get("created")) or "",
        _text(entry.get("git_commit")),
        entry.get("git_dirty") is True,
        _text(env.get("machine_id")),
        _text(env.get("python")),
        figures,
    )


def _measured(told: Any) -> FigureRuns | None:
    if not isinstance(told, Mapping):
        return None
    runs = told.get("runs")
    if not isinstance(runs, list):
        runs = [told.get("median")]
    numbers = tuple(
        float(run)
        for run in runs
        if isinstance(run, int | float) and not isinstance(run, bool) and math.isfinite(run)
    )
    if not numbers:
        return None
    percent = told.get("threshold_pct")
    threshold = percent / 100 if isinstance(percent, int | float) and percent > 0 else None
    return FigureRuns(
        _text(told.get("unit")) or "", _text(told.get("better")) or "neither", numbers, threshold
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
