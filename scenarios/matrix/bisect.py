"""The release at which a figure jumped, found between two by halving.

Each release that is tried is run in turns with both ends, and belongs to the end that it is more
like. It does so surely where it differs from the other end by more than noise (the interval of
the pairs excludes no change) and from its own by less than a third of what lies between the ends;
else there was no one jump.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perftui.probes.compare.figures import percent_text
from perftui.probes.session_options import NOT_RECORDED
from perftui.scenarios.bench.answer import answer
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.releases import in_order
from perftui.scenarios.matrix.jumps import jumps_of, steps_of
from perftui.scenarios.matrix.matrix import Matrix, run_matrix
from perftui.scenarios.matrix.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.scenarios.environments.installer import Installer
    from perftui.scenarios.matrix.plan import Release

Like = Literal["before", "after", "neither"]


class Try(NamedTuple):
    """One release between the ends."""

    version: str
    like: Like
    """The end that it is like; "neither": it could not be measured."""
    sure: bool
    ratio: float | None
    """Against the first end, a part of it."""
    why: str = ""
    """What was wrong with it, in one line."""


@dataclass(frozen=True, slots=True)
class Bisected:
    """What a bisection found."""

    figure: str
    """Its key; "" if there is none to search for."""
    label: str
    ratio: float | None
    """From end to end, a part of the first."""
    before: str
    """The last release that is like the first end."""
    after: str
    """The first that is like the last."""
    tries: tuple[Try, ...]
    found: bool
    """They are neighbours, and every try was sure."""

    def words(self) -> str:
        """Say it in a line, and what was tried in one each."""
        if not self.figure:
            return (
                f"no judged figure differs between {self.before} and {self.after}: there is "
                "nothing to search for"
            )
        change = percent_text(self.ratio) or "not known"
        sure = "" if self.found else "not sure: "
        lines = [f"{sure}{self.label} jumped from {self.before} to {self.after} ({change} in all)"]
        for each in self.tries:
            how = each.why or f"{percent_text(each.ratio)}: like the {_END[each.like]}"
            doubt = "" if each.sure or each.why else ", not surely"
            lines.append(f"  tried {each.version}: {how}{doubt}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "figure": self.figure or None,
            "change_pct": None if self.ratio is None else self.ratio * 100,
            "before": self.before,
            "after": self.after,
            "found": self.found,
            "tried": [
                {
                    "version": each.version,
                    "like": each.like,
                    "sure": each.sure,
                    "change_pct": None if each.ratio is None else each.ratio * 100,
                    "failed": each.why or None,
                }
                for each in self.tries
            ],
        }


_END = {"before": "older end", "after": "newer end", "neither": "neither end"}


def between(released: Sequence[str], one: str, other: str) -> list[str]:
    """Return the releases strictly between two, oldest first."""
    low, high = sorted((one, other), key=in_order)
    return sorted(
        (each for each in released if in_order(low) < in_order(each) < in_order(high)),
        key=in_order,
    )


def bisect(
    matrix: Matrix,
    released: Sequence[str],
    figure: str | None,
    installer: Installer,
    tell: Callable[[str], None],
    *,
    offline: bool = False,
    go_on: Callable[[], None] = lambda: None,
) -> Bisected:
    """Search between the two versions of a matrix that has been measured.

    Args:
        matrix: Of two versions.
        released: All releases.
        figure: Its key; None: the one that changed most.
        installer: Who makes the environments.
        tell: Is given a line before each try and after it.
        offline: Ask no index.
        go_on: Called again and again; raises whatever is to end it all.

    Raises:
        ScenarioError: One of the two could not be measured, or there is no such figure.
    """
    columns = sorted(matrix.columns, key=lambda column: in_order(column.cell.version))
    first, last = (column.cell for column in columns)
    unmeasured = next((column for column in columns if not column.series.done), None)
    if unmeasured is not None:
        raise ScenarioError(f"{unmeasured.cell.name} cannot be measured: {unmeasured.why}")
    whole = replace_columns(matrix, [first, last])
    key = figure or _most_changed(whole)
    if not key:
        return Bisected("", "", None, first.version, last.version, (), found=False)
    row = answer(columns[1].series, columns[0].series, None, matrix.plan.gate).row(key)
    if row is None:
        known = ", ".join(columns[0].series.known())
        raise ScenarioError(f"--bisect {key}: there is no such figure; there are {known}")
    ends_ratio = row.ratio
    left = between(released, first.version, last.version)
    before, after, tries = first.version, last.version, list[Try]()
    while left:
        at = len(left) // 2
        version = left[at]
        tell(f"trying {version}, {len(left)} left between {before} and {after}")
        one = _try(matrix, (first, last), version, key, ends_ratio, installer, offline, go_on)
        tries.append(one)
        if one.like == "before":
            before, left = version, left[at + 1 :]
        elif one.like == "after":
            after, left = version, left[:at]
        else:
            left.remove(version)
        tell(f"{version}: {one.why or f'like the {_END[one.like]}'}")
    sure = all(each.sure for each in tries if not each.why)
    # One that could not be measured may be where it jumped.
    hidden = any(
        each.why and in_order(before) < in_order(each.version) < in_order(after) for each in tries
    )
    return Bisected(
        key, row.figure.label, ends_ratio, before, after, tuple(tries), sure and not hidden
    )


def replace_columns(matrix: Matrix, cells: Sequence[Release]) -> Matrix:
    """Return the matrix with its columns in another order."""
    by_cell = {column.cell: column for column in matrix.columns}
    return replace(matrix, columns=[by_cell[cell] for cell in cells])


def _most_changed(matrix: Matrix) -> str:
    jumps = jumps_of(steps_of(matrix))
    return jumps[0].row.key if jumps else ""


def _try(
    matrix: Matrix,
    ends: tuple[Release, Release],
    version: str,
    key: str,
    ends_ratio: float | None,
    installer: Installer,
    offline: bool,
    go_on: Callable[[], None],
) -> Try:
    cell = ends[0]._replace(version=version)
    unrecorded = matrix.plan.options._replace(record=NOT_RECORDED)
    plan = replace(matrix.plan, cells=(ends[0], cell, ends[1]), options=unrecorded)
    try:
        prepared = prepare(plan, installer, lambda each: None, offline=offline, go_on=go_on)
        tried = Matrix(plan, prepared)
        run_matrix(tried, lambda column, run: None, go_on=go_on)
    except ScenarioError as error:
        return Try(version, "neither", False, None, str(error))
    older, own, newer = tried.columns
    if not own.series.done:
        return Try(version, "neither", False, None, own.why or "no run came to a good end")
    to_older = answer(own.series, older.series, None, plan.gate).row(key)
    to_newer = answer(own.series, newer.series, None, plan.gate).row(key)
    if to_older is None or to_newer is None or None in (to_older.ratio, to_newer.ratio):
        return Try(version, "neither", False, None, "the figure is not known of it")
    far_from = [abs(math.log(max(1 + (row.ratio or 0.0), 1e-9))) for row in (to_older, to_newer)]
    like: Like = "before" if far_from[0] <= far_from[1] else "after"
    other = to_newer if like == "before" else to_older
    whole = abs(math.log(max(1 + (ends_ratio or 0.0), 1e-9)))
    differs = other.change is not None and not (
        other.change.interval.low <= 0 <= other.change.interval.high
    )
    return Try(version, like, differs and min(far_from) < whole / 3, to_older.ratio)
