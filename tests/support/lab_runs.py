"""Lab runs that nobody has made: figures as they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.facts import Figure
from perftui.probes.compare.place import RunPlace
from perftui.scenarios.bench.lab_run import LabRun
from perftui.scenarios.bench.run_times import RunTimes
from perftui.scenarios.bench.series import LabSeries
from perftui.scenarios.bench.steadiness import Steadiness

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACE = RunPlace(
    *(None, None, None, "made", (), None, None, None, None, None, None, ()),
    *(False, None, None, None, None, None),
)
TIMES = RunTimes(
    whole_s=2.0,
    spawn_s=0.1,
    held_s=0.05,
    load_s=0.15,
    first_s=0.5,
    first_imports_s=0.3,
    later_s=0.6,
    transport_s=0.2,
    end_s=0.1,
)
_UNITS = {"peak_rss": "B", "first_modules": ""}


def lab_run(number: int, why: str = "", times: RunTimes = TIMES, **values: float) -> LabRun:
    """Return a run with these figures, of which less is better."""
    figures = {
        key: Figure(key, value, _UNITS.get(key, "s"), "lower", 0.0) for key, value in values.items()
    }
    steady = Steadiness("unknown", None, 0)
    return LabRun("new", number, why, figures, (), steady, (), PLACE, {}, None, times)


def series(key: str, values: Iterable[float]) -> LabSeries:
    """Return a series of runs with one figure each, without a warm-up."""
    made = LabSeries("new")
    for number, value in enumerate(values, 1):
        made.add(lab_run(number, **{key: value}))
    return made
