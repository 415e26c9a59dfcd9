"""Which recordings of a bench are kept: all, or those of the runs in the middle and at the worst.

Every run is recorded with stacks then, on both sides alike, and those not asked for are deleted at
the end. Which run is worst is told by the wall time (of the first call, where there are calls).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.scenarios.define.parameters import ScenarioError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.scenarios.bench.lab_run import LabRun
    from perftui.scenarios.bench.series import LabSeries

WORDS = ("worst", "median", "best", "all")


class KeptRecording(NamedTuple):
    """A recording that was kept."""

    side: str
    """Of the bench, or the release of a matrix."""
    number: int
    why: str
    """ "worst", "median", "failed" or ""."""
    path: str


def parse_keep(text: str) -> frozenset[str]:
    """Read worst,median or all.

    Raises:
        ScenarioError: it is none of the words.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in WORDS:
            raise ScenarioError(
                f"--keep {text}: there is no {word!r}{nearest(word, WORDS)}; there are "
                f"{', '.join(WORDS)}"
            )
    if not words:
        raise ScenarioError(f"--keep {text!r} names nothing; there are {', '.join(WORDS)}")
    return frozenset(words)


def keep(sides: Iterable[tuple[str, LabSeries]], wanted: frozenset[str]) -> list[KeptRecording]:
    """Delete the recordings that were not asked for, and name the others. A run that failed is
    always kept: it is what one wants to look at.

    Args:
        sides: With the name of each.
        wanted: Of `WORDS`; none of them: all recordings are deleted but those of failed runs.
    """
    kept = []
    for name, side in sides:
        chosen = _chosen(side)
        for run in (*side.warm_ups, *side.runs):
            if run.recording is None:
                continue
            why = "failed" if not run.done else next(
                (word for word in WORDS if word in wanted and chosen.get(word) is run), ""
            )  # fmt: skip
            if why or ("all" in wanted and run.number):
                kept.append(KeptRecording(name, run.number, why, str(run.recording)))
            else:
                run.forget()
    return kept


def _chosen(side: LabSeries) -> dict[str, LabRun]:
    key = "first_call" if "first_call" in side.known() else "duration"
    ordered = side.in_order_of(key)
    if not ordered:
        return {}
    return {"best": ordered[0], "median": ordered[(len(ordered) - 1) // 2], "worst": ordered[-1]}
