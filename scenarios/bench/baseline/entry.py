"""A bench as an entry of a baseline file (JSON, schema 1), and as the flat form of others."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from perftui.probes.version import __version__
from perftui.scenarios.bench.baseline.names import in_file
from perftui.scenarios.bench.baseline.surroundings import as_env, commit_here, surroundings_of
from perftui.scenarios.bench.reference import PRESSURE, REFERENCE_WAIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.scenarios.bench.answer import BenchAnswer, BenchRow
    from perftui.scenarios.bench.bench import Bench

SCHEMA = 1
_STATES = {"flat": "flat", "warm-up": "warmup", "slowdown": "slowdown", "no steady state": "none"}
_MIB = 1 << 20


def entry_of(
    bench: Bench,
    found: BenchAnswer,
    floors: Mapping[str, float],
    replaced: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a bench as an entry.

    Args:
        bench: What was run.
        found: What it said.
        floors: Calibrated noise of this machine by figure, as a part.
        replaced: The entry that it takes the place of: it becomes its history.
    """
    about, commit = surroundings_of(bench), commit_here()
    runs = bench.new.done
    states = [run.steady.state for run in runs]
    entry: dict[str, Any] = {
        "schema": SCHEMA,
        "key": bench.plan.new.key,
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "git_commit": commit.commit,
        "git_dirty": commit.dirty,
        "params": dict(about.params),
        "env": as_env(about),
        "sampler": {"hz": 100 if about.stacks else None, "version": __version__},
        "protocol": {
            "kind": "group" if bench.plan.base is None else "interleaved",
            "warmup": len(bench.new.warm_ups),
            "n": len(runs),
            "calls": about.calls,
        },
        "metrics": {in_file(row.key): _metric(row, floors.get(row.key)) for row in found.rows},
        "health": {
            "cores_waited_for_pct": bench.new.median(PRESSURE),
            "loop_wall_per_cpu": bench.new.median(REFERENCE_WAIT),
        },
        "steady_state": _STATES.get(max(set(states), key=states.count), "unknown"),
        "recordings": [str(run.recording) for run in runs if run.recording is not None],
    }
    if replaced is not None:
        older = list(replaced.get("history") or ())
        entry["history"] = [*older, {key: replaced[key] for key in replaced if key != "history"}]
        entry["supersedes"] = replaced.get("created")
        entry["accepted_by"] = _who()
    return entry


def _metric(row: BenchRow, floor: float | None) -> dict[str, Any]:
    middle = row.new_median
    return {
        "better": row.figure.better,
        "unit": row.figure.unit,
        "runs": list(row.new),
        "median": middle,
        "mad": median(abs(value - middle) for value in row.new),
        "ci95": None if row.spread is None else list(row.spread),
        "noise_floor_pct": None if floor is None else floor * 100,
        "threshold_pct": None if row.threshold is None else row.threshold * 100,
    }


def _who() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


def flat_entry(bench: Bench, found: BenchAnswer) -> dict[str, Any]:
    """Return the flat form: one number per figure, in the names that other tools write."""
    params = bench.plan.new.params
    about = surroundings_of(bench)
    peak = found.row("peak_rss")
    return {
        "test_name": bench.plan.new.key,
        "loader_type": params.get("target") or params.get("loader") or bench.plan.new.key,
        "throughput_rows_per_sec": _median(found.row("rate:rows")),
        "memory_mb": None if peak is None else peak.new_median / _MIB,
        "duration_seconds": _median(found.row("duration")),
        "dataset_size": _whole(params.get("rows") or params.get("size")),
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": commit_here().commit,
        "environment": about.machine,
    }


def _median(row: BenchRow | None) -> float | None:
    return None if row is None else row.new_median


def _whole(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdigit() else text
