"""A bench as plain data: the contract that scripts rely on (schema 1). See docs/bench.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.scenarios.bench.as_json import change_json
from perftui.scenarios.bench.bench import ended_text

if TYPE_CHECKING:
    from perftui.scenarios.bench.answer import BenchRow
    from perftui.scenarios.bench.lab_run import LabRun
    from perftui.tui.bench.report import BenchReport

SCHEMA = 1


def as_json(report: BenchReport) -> dict[str, Any]:
    """Return the bench, ready for `json.dumps`."""
    bench, found = report.bench, report.found
    plan = bench.plan
    return {
        "schema": SCHEMA,
        "key": plan.new.key,
        "params": dict(plan.new.params),
        "against": bench.told_base or None,
        "warnings": list(bench.warnings),
        "protocol": "one side" if plan.base is None else "pairs in turns",
        "calls_per_process": bench.calls if plan.new.kept else None,
        "ended": bench.ended,
        "cold_page_cache": bench.told_cold or None,
        "note": ended_text(bench) or None,
        "verdict": found.verdict,
        "reasons": list(found.reasons),
        "drift": list(report.drift),
        "budget": [
            {
                "name": line.bound.name,
                "bound": line.bound.value,
                "value": line.value,
                "outcome": line.outcome,
                "sure": line.sure,
            }
            for line in report.budget
        ],
        "diagnosis": list(report.diagnosis),
        "exit_code": report.exit_code,
        "kept": [kept._asdict() for kept in report.kept],
        "noise_floors_pct": {key: part * 100 for key, part in bench.floors.items()},
        "figures": [_row(row) for row in found.rows],
        "alarm_level_pct": (1 - found.level) * 100,
        "installed": bench.new.packages(),
        "base_installed": bench.base.packages(),
        "runs": [_run(run) for side in bench.sides for run in (*side.warm_ups, *side.runs)],
    }


def _row(row: BenchRow) -> dict[str, Any]:
    change = row.change
    return {
        "key": row.key,
        "label": row.figure.label,
        "better": row.figure.better,
        "median": row.new_median,
        "interval": None if row.spread is None else list(row.spread),
        **change_json(row),
        "alarm_interval_pct": None if change is None else [end * 100 for end in change.alarm],
        "method": None if change is None else change.method,
        "runs": list(row.new),
        "base_runs": list(row.base),
    }


def _run(run: LabRun) -> dict[str, Any]:
    return {
        "side": run.side,
        "number": run.number,
        "failed": run.why or None,
        "figures": {key: figure.value for key, figure in run.figures.items()},
        "calls_s": list(run.calls_s),
        "steady_state": run.steady.state,
        "settled_after": run.steady.settled_after,
        "imported_in_first_call": list(run.inside_first),
        "recording": run.kept,
    }
