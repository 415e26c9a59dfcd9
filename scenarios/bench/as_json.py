"""A figure's change as plain data: the same in the JSON of a bench and of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perftui.scenarios.bench.answer import BenchRow


def change_json(row: BenchRow) -> dict[str, Any]:
    """Return what is said of a figure against its base; changes and thresholds in percent."""
    change = row.change
    return {
        "unit": row.figure.unit,
        "base": row.base_median,
        "change_pct": None if row.ratio is None else row.ratio * 100,
        "change_interval_pct": None if change is None else [end * 100 for end in change.interval],
        "threshold_pct": None if row.threshold is None else row.threshold * 100,
        "verdict": row.verdict,
        "note": row.note or None,
    }
