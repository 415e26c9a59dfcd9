"""What a machine differs by from itself: of each figure of each thing that was calibrated here.

Kept beside other things that perftui remembers; a baseline that is saved takes it along.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from perftui.probes.own.folders import state_folder
from perftui.probes.own.whole_file import write_text
from perftui.scenarios.bench.baseline.surroundings import machine_id

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.scenarios.bench.answer import BenchAnswer

RUNS = 20
"""Pairs of the same thing that a calibration takes."""


def _file() -> Path:
    return state_folder() / "bench-noise.json"


def _all() -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(_file().read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def floors_here(key: str) -> dict[str, float]:
    """Return half the width of an interval of nothing, by figure, as a part; {} if not known."""
    own = _all().get(machine_id())
    known = own.get(key) if isinstance(own, dict) else None
    if not isinstance(known, dict):
        return {}
    return {
        name: float(value)
        for name, value in known.items()
        if isinstance(value, int | float) and 0 <= value < 100
    }


def keep_floors(key: str, found: BenchAnswer) -> dict[str, float]:
    """Remember what pairs of the same thing differed by; returns it.

    Raises:
        OSError: it cannot be written.
    """
    floors = {row.key: row.change.noise for row in found.rows if row.change is not None}
    known = _all()
    known.setdefault(machine_id(), {})[key] = floors
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(str(path), json.dumps(known, indent=1))
    return floors
