"""The environments of a matrix, made side by side."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.installer import all_attended
from perftui.scenarios.environments.kept import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.environments.installer import Installer, Running
    from perftui.scenarios.environments.kept import Environment
    from perftui.scenarios.matrix.plan import MatrixPlan, Release

DEFAULT_JOBS = 4


class Prepared(NamedTuple):
    """The environment of a cell, or why there is none."""

    cell: Release
    environment: Environment | None
    why: str
    """In one line; "" where there is one."""
    took_s: float
    """From the order on; with others beside it."""


class Preparation(NamedTuple):
    """All of them, in the order of the cells."""

    prepared: tuple[Prepared, ...]
    took_s: float
    """By the clock on the wall, all together."""
    jobs: int


def prepare(
    plan: MatrixPlan,
    installer: Installer,
    tell: Callable[[Prepared], None],
    *,
    jobs: int = DEFAULT_JOBS,
    offline: bool = False,
    go_on: Callable[[], None] = lambda: None,
) -> Preparation:
    """Make or find the environments.

    Args:
        plan: Whose.
        installer: Who makes them.
        tell: Given each as it is ready.
        jobs: So many are made at a time.
        offline: Ask no index.
        go_on: Called again and again; raises whatever is to end it all. Installers are ended
            before that is passed on: what is not whole is gone.

    Raises:
        ScenarioError: Not one of them can be made.
    """
    began = time.perf_counter()

    def one(cell: Release, running: Running) -> Prepared:
        started = time.perf_counter()
        try:
            found = environment(plan.wanted(cell), installer, running, offline=offline)
        except ScenarioError as error:
            return Prepared(cell, None, str(error), time.perf_counter() - started)
        return Prepared(cell, found, "", time.perf_counter() - started)

    orders = [partial(one, cell) for cell in plan.cells]
    prepared = tuple(all_attended(orders, go_on, tell, jobs))
    if all(each.environment is None for each in prepared):
        raise ScenarioError(prepared[0].why)
    return Preparation(prepared, time.perf_counter() - began, min(jobs, len(plan.cells)))
