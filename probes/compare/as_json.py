"""A comparison as plain data: the contract that scripts rely on (schema 1). See docs/compare.md.

Absent knowledge is None or an empty list, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.compare.headline import headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.comparison import Comparison, ImportChange
    from perftui.probes.compare.facts import ImportSum, RunFacts
    from perftui.probes.compare.figures import FigureChange
    from perftui.probes.compare.functions import Cost, FunctionChange
    from perftui.probes.compare.rules import Judged

SCHEMA = 1
FUNCTIONS = 200
IMPORTS = 500


def as_json(comparison: Comparison, judged: Sequence[Judged] = ()) -> dict[str, Any]:
    """Return the comparison, ready for `json.dumps`."""
    told = headline(comparison)
    functions = comparison.functions
    return {
        "schema": SCHEMA,
        "base": {"runs": [_run(run) for run in comparison.base]},
        "new": {"runs": [_run(run) for run in comparison.new]},
        "phase": None if comparison.phase is None else str(comparison.phase),
        "warnings": list(comparison.warnings),
        "verdict": {"word": told.word, "text": told.text, "reasons": list(told.reasons)},
        "metrics": [_figure(figure) for figure in comparison.figures],
        "phases": [
            {
                "name": row.key.name,
                "number": row.key.number,
                "in": _sides(row.in_base, row.in_new),
                "duration_s": _pair(row.duration),
                "cpu_s": _pair(row.cpu),
                "peak_rss_bytes": _pair(row.peak_rss),
            }
            for row in comparison.phases
        ],
        "functions": {
            "tested_between": functions.basis,
            "blocks": list(functions.blocks),
            "rows": [_function(row) for row in functions.rows[:FUNCTIONS]],
            "left_out": max(len(functions.rows) - FUNCTIONS, 0),
        },
        "imports": [_import(row) for row in comparison.imports[:IMPORTS]],
        "calls": _calls(comparison),
        "alerts": [row._asdict() for row in comparison.alerts],
        "rules": [
            {"rule": each.rule.text, "outcome": each.outcome, "text": each.text} for each in judged
        ],
    }


def _run(run: RunFacts) -> dict[str, Any]:
    place = run.place
    return {
        "name": run.name,
        "path": place.path,
        "title": place.title,
        "argv": list(place.argv),
        "began_wall_ns": place.began_wall_ns,
        "host": place.host,
        "cpu_model": place.cpu_model,
        "cores": place.cores,
        "python": place.python,
        "tools": dict(place.tools),
        "installed": dict(run.installed),
        "rate_hz": place.rate_hz,
        "duration_s": run.duration_s,
        "sampled_s": run.sampled_ns / 1e9,
    }


def _figure(figure: FigureChange) -> dict[str, Any]:
    relative = figure.relative_interval
    return {
        "key": figure.key,
        "label": figure.label,
        "unit": figure.unit,
        "better": figure.better,
        "base": figure.base,
        "new": figure.new,
        "change": figure.change,
        "change_pct": None if figure.ratio is None else figure.ratio * 100,
        "interval_pct": None if relative is None else [end * 100 for end in relative],
        "direction": figure.direction,
        "threshold_pct": figure.threshold * 100,
        "verdict": figure.verdict(),
        "base_runs": list(figure.base_runs),
        "new_runs": list(figure.new_runs),
    }


def _pair(figure: FigureChange | None) -> dict[str, float | None] | None:
    if figure is None:
        return None
    return {"base": figure.base, "new": figure.new, "change": figure.change}


def _sides(base: bool, new: bool) -> str:
    return "both" if base and new else "base" if base else "new"


def _function(row: FunctionChange) -> dict[str, Any]:
    return {
        "function": row.function,
        "file": row.file,
        "line": row.line,
        "module": row.module,
        "in": {"new": "new", "vanished": "base", "both": "both"}[row.state],
        "self_time": row.word or None,
        "memory": row.memory or None,
        "memory_unsure": row.memory_unsure,
        "waited": row.waited,
        "stands_out": row.sure,
        "interval_pct_points": None
        if row.interval is None
        else [end * 100 for end in row.interval],
        "base": _cost(row.base),
        "new": _cost(row.new),
    }


def _cost(cost: Cost) -> dict[str, float]:
    return {
        "self_s": cost.self_s,
        "total_s": cost.total_s,
        "self_pct": cost.self_share * 100,
        "total_pct": cost.total_share * 100,
        "self_s_per_s": cost.self_per_s,
        "total_s_per_s": cost.total_per_s,
        "self_cpu_s": cost.self_cpu_s,
        "grown_bytes": cost.grown_bytes,
    }


def _import(row: ImportChange) -> dict[str, Any]:
    return {
        "module": row.module,
        "parent": row.parent,
        "in": _sides(row.base is not None, row.new is not None),
        "change_s": row.seconds,
        "base": _import_sum(row.base),
        "new": _import_sum(row.new),
    }


def _import_sum(row: ImportSum | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"self_s": row.self_s, "cumulative_s": row.cumulative_s, "rss_bytes": row.rss_bytes}


def _calls(comparison: Comparison) -> list[dict[str, Any]]:
    base, new = (run.calls for run in comparison.pair)
    rows = []
    for name in {**base, **new}:
        row: dict[str, Any] = {"name": name}
        for side, calls in (("base", base), ("new", new)):
            call = calls.get(name)
            row[side] = call and {
                "n": call.n,
                "first_s": call.first_ns / 1e9,
                "warm_median_s": None if call.warm_median_ns is None else call.warm_median_ns / 1e9,
                "ratio": call.ratio,
                "failed": call.failed,
            }
        rows.append(row)
    return rows
