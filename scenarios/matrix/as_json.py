"""A matrix as plain data (schema 1). See docs/matrix.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.scenarios.bench.as_json import change_json
from perftui.scenarios.matrix.breakdown import breakdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.scenarios.bench.answer import BenchRow
    from perftui.scenarios.matrix.bisect import Bisected
    from perftui.scenarios.matrix.breakdown import Spent
    from perftui.scenarios.matrix.jumps import Jump, Step
    from perftui.scenarios.matrix.matrix import Matrix, ReleaseRuns

SCHEMA = 1


def as_json(
    matrix: Matrix,
    steps: Sequence[Step],
    jumps: Sequence[Jump],
    bisected: Bisected | None = None,
) -> dict[str, Any]:
    """Return the matrix, ready for `json.dumps`."""
    plan = matrix.plan
    return {
        "schema": SCHEMA,
        "scenario": plan.title,
        "package": plan.package,
        "runs": plan.runs,
        "calls_per_process": matrix.calls,
        "out_of_time": matrix.out_of_time,
        "environments_s": matrix.preparation.took_s,
        "environments_at_a_time": matrix.preparation.jobs,
        "runs_s": matrix.took_s,
        "versions": [_version(column) for column in matrix.columns],
        "steps": [_step(step) for step in steps],
        "jumps": [
            {"from": jump.step.before.name, "to": jump.step.after.name, **_change(jump.row)}
            for jump in jumps
        ],
        "bisected": None if bisected is None else bisected.as_json(),
    }


def _version(column: ReleaseRuns) -> dict[str, Any]:
    environment, series = column.prepared.environment, column.series
    told: dict[str, Any] = {
        "version": column.cell.version,
        "python": column.cell.interpreter.version,
        "failed": column.why or None,
        "environment": None,
        "installed": {},
        "figures": {},
        "runs": [
            {
                "number": run.number,
                "failed": run.why or None,
                "figures": {key: figure.value for key, figure in run.figures.items()},
                "recording": run.kept,
            }
            for run in (*series.warm_ups, *series.runs)
        ],
        "breakdown": _part(breakdown(column)),
    }
    if environment is not None:
        told["installed"] = environment.versions
        told["environment"] = {
            "folder": str(environment.folder),
            "kept": environment.kept,
            "made_anew": environment.made_anew,
            "installer": environment.installer,
            "venv_s": environment.venv_s,
            "install_s": environment.install_s,
            "check_s": environment.check_s,
        }
    for key, figure in series.known().items():
        told["figures"][key] = {"unit": figure.unit, "median": series.median(key)}
    return told


def _part(part: Spent) -> dict[str, Any]:
    return {
        "name": part.name,
        "seconds": part.seconds,
        "note": part.note or None,
        "parts": [_part(each) for each in part.parts],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "from": step.before.name,
        "to": step.after.name,
        "verdict": step.answer.verdict,
        "also_changed": list(step.also),
        "figures": [_change(row) for row in step.answer.rows if row.threshold is not None],
    }


def _change(row: BenchRow) -> dict[str, Any]:
    return {"figure": row.key, "new": row.new_median, **change_json(row)}
