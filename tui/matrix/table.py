"""A matrix as text: where it jumped, the versions, and where every second went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.text.columns import aligned
from perftui.probes.text.units import format_seconds
from perftui.scenarios.bench.answer import change_words
from perftui.scenarios.matrix.breakdown import breakdown
from perftui.tui.bench.columns import columns_of, heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.scenarios.matrix.breakdown import Spent
    from perftui.scenarios.matrix.jumps import Jump, Step
    from perftui.scenarios.matrix.matrix import Matrix, ReleaseRuns

_MOST_JUMPS = 6
_MARK = {"regressed": "▲", "improved": "▼", "suspect": "?", "moved": "→", "inconclusive": "~"}
_NOT_COMPARED = ("spawn", "cold_ratio")


def matrix_text(matrix: Matrix, steps: Sequence[Step], jumps: Sequence[Jump]) -> str:
    """Return the whole of it."""
    lines = [_title(matrix), ""]
    lines += jump_lines(matrix, steps, jumps)
    lines += version_lines(matrix, steps)
    lines += ["", *breakdown_lines(matrix)]
    lines += failure_lines(matrix)
    return "\n".join(lines).rstrip()


def _title(matrix: Matrix) -> str:
    plan = matrix.plan
    pythons = sorted({cell.interpreter.version for cell in plan.cells})
    runs = max((len(column.series.done) for column in matrix.columns), default=0)
    plural = "s" if len(matrix.columns) != 1 else ""
    text = (
        f"{plan.title}: {plan.package}, {len(matrix.columns)} version{plural} on Python "
        f"{', '.join(pythons)}; {runs} fresh processes each, in turns, {matrix.calls} "
        f"call{'s' if matrix.calls != 1 else ''} in each"
    )
    if matrix.stopped:
        text += "; stopped in the middle"
    elif matrix.out_of_time:
        text += f"; stopped at the time limit of {format_seconds(plan.time_limit_s or 0.0)}"
    return text


def jump_lines(matrix: Matrix, steps: Sequence[Step], jumps: Sequence[Jump]) -> list[str]:
    """Return where figures jumped, the largest first."""
    if not steps:
        return ["one version: there is nothing to compare", ""]
    lines = []
    for jump in jumps[:_MOST_JUMPS]:
        row = jump.row
        note = f" ({row.note})" if row.note else ""
        lines.append(
            f"{row.figure.label} {row.verdict} from {jump.step.before.name} to "
            f"{jump.step.after.name}: {change_words(row)}{note}"
        )
    if not lines:
        lines.append("no judged figure changed by more than its threshold between neighbours")
    lines += [
        f"from {step.before.name} to {step.after.name} also changed: {', '.join(step.also)}"
        for step in steps
        if step.also
    ]
    return [*lines, ""]


def version_lines(matrix: Matrix, steps: Sequence[Step]) -> list[str]:
    """Return the table of versions, with the change from each to the next below it."""
    known = next((column.series.known() for column in matrix.measured), {})
    keys = columns_of(known)
    rows = [["version", *map(heading, keys)]]
    by_after = {step.after: step for step in steps}
    for column in matrix.columns:
        step = by_after.get(column.cell)
        if step is not None:
            rows.append(["", *(_change(step, key) for key in keys)])
        rows.append([column.cell.name, *(_median(column, key) for key in keys)])
    lines = aligned(rows, right=range(1, len(keys) + 1))
    if steps:
        lines.append("▲ regressed  ▼ improved  ? suspect  → moved  ~ inconclusive")
    return lines


def _median(column: ReleaseRuns, key: str) -> str:
    value = column.series.median(key)
    figure = column.series.known().get(key)
    return "–" if value is None or figure is None else amount_text(value, figure.unit)


def _change(step: Step, key: str) -> str:
    row = step.answer.row(key)
    if row is None or row.ratio is None or key in _NOT_COMPARED:
        return ""
    mark = _MARK.get(row.verdict or "", "")
    return f"{mark} {percent_text(row.ratio)}".strip()


def breakdown_lines(matrix: Matrix) -> list[str]:
    """Return the tree of phases with a column for each version: seconds, and shares of it all."""
    trees = [breakdown(column) for column in matrix.columns]
    rows = [["where the seconds went", *(tree.name for tree in trees)]]
    rows.append(["all", *(format_seconds(tree.seconds) for tree in trees)])
    _add_rows(rows, [[tree] for tree in trees], [tree.seconds for tree in trees], 1)
    return aligned(rows, right=range(1, len(trees) + 1))


def _add_rows(
    rows: list[list[str]], parents: list[list[Spent]], wholes: list[float], depth: int
) -> None:
    """Add the rows below some nodes, of all versions at once: by name, in their order."""
    children = [[part for node in nodes for part in node.parts] for nodes in parents]
    names = dict.fromkeys(part.name for parts in children for part in parts)
    for name in names:
        same = [[part for part in parts if part.name == name] for parts in children]
        cells = []
        for nodes, whole in zip(same, wholes, strict=True):
            seconds = sum(part.seconds for part in nodes)
            if not nodes:
                cells.append("–")
                continue
            share = f"{seconds / whole * 100:.0f} %" if whole > 0 else ""
            kept = depth == 1 and any(part.note == "kept" for part in nodes)
            cells.append(f"{format_seconds(seconds)} {'kept' if kept else share:>5}")
        rows.append([f"{'  ' * depth}{name}", *cells])
        _add_rows(rows, same, wholes, depth + 1)


def failure_lines(matrix: Matrix) -> list[str]:
    """Return a line for each version that could not be measured, and for each run that failed."""
    lines = []
    for column in matrix.columns:
        name = f"{matrix.plan.package} {column.cell.name}"
        if column.prepared.environment is None:
            lines.append(f"{name}: {column.why}")
            continue
        for run in column.series.failed:
            which = "warm-up" if run.number == 0 else f"run {run.number}"
            lines.append(f"{name}: {which} failed: {run.why}")
    return ["", *lines] if lines else []
