"""A bench and a matrix that nobody has run: made-up runs, told to what draws them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from perftui.probes.compare.facts import Figure
from perftui.scenarios.bench.bench import Bench, BenchPlan
from perftui.scenarios.bench.lab_run import RECORDED, LabOptions
from perftui.scenarios.bench.subject import Subject
from perftui.scenarios.environments.interpreters import Interpreter
from perftui.scenarios.environments.kept import Environment
from perftui.scenarios.environments.wanted import WantedEnvironment
from perftui.scenarios.matrix.matrix import Matrix
from perftui.scenarios.matrix.plan import MatrixPlan, cells_of
from perftui.scenarios.matrix.prepare import Preparation, Prepared
from perftui.scenarios.run.runner import resolve
from perftui.tui.bench.live import BenchLive
from perftui.tui.matrix.live import MatrixLive
from support.lab_runs import lab_run

if TYPE_CHECKING:
    from perftui.scenarios.bench.lab_run import LabRun, SideName

_FIGURES = {
    "spawn": ("spawn", 0.038, "s", "neither"),
    "imports": ("import", 0.127, "s", "lower"),
    "first_call": ("first call", 0.260, "s", "lower"),
    "first_modules": ("modules in the first call", 84.0, "", "lower"),
    "warm_call": ("warm call", 0.0041, "s", "lower"),
    "duration": ("duration", 0.92, "s", "lower"),
    "cpu": ("CPU", 0.71, "s", "lower"),
    "peak_rss": ("peak RSS", 212e6, "B", "lower"),
    "growth": ("growth of the work", 96e6, "B", "lower"),
}
_NOISE = {"s": 0.05, "B": 0.002, "": 0.0}


def made_run(
    rng: Random, side: SideName, number: int, times: dict[str, float], recording: Path | None = None
) -> LabRun:
    """Return a run whose figures are as many times the usual ones, and some noise."""
    figures = {}
    for key, (label, value, unit, better) in _FIGURES.items():
        noise = _NOISE[unit] * (3 if key == "duration" else 1)
        value *= times.get(key, 1.0) * (1 + noise * rng.gauss(0, 1))
        figures[key] = Figure(label, value, unit, better, 0.0)  # type: ignore[arg-type]
    made = lab_run(number)
    return made._replace(side=side, figures=figures, recording=recording)


def fake_bench(pairs: int = 7, *, recording: Path | None = None, over: bool = False) -> BenchLive:
    """Return a bench in turns: memory has grown by 17 %, and imports have been moved."""
    rng = Random(3)
    subject = Subject("load.py:nightly days=3", ("python", "load.py"), kept=True)
    options = LabOptions() if recording is None else RECORDED
    bench = Bench(BenchPlan(subject, subject, options=options), told_base="HEAD~3, in turns")
    live = BenchLive(bench)
    worse = {"peak_rss": 1.17, "growth": 1.36, "imports": 0.3, "first_call": 1.34}
    worse["first_modules"] = 1.6
    for number in range(pairs + 1):
        sides: tuple[SideName, ...] = ("base", "new") if number % 2 else ("new", "base")
        for side in sides:
            live.begins(side, number)
            run = made_run(rng, side, number, worse if side == "new" else {}, recording)
            if number == 4 and side == "base":
                run = run._replace(why="exit code 7: out of luck", recording=None)
            (bench.new if side == "new" else bench.base).add(run)
            live.ran(run)
    if over:
        live.finished()
        live.ended("done")
    else:
        live.begins("new", pairs + 1)
    return live


def fake_matrix(rounds: int = 5, *, over: bool = True) -> MatrixLive:
    """Return a matrix of four releases: the third is slower, the fourth cannot be installed."""
    rng = Random(4)
    python = Interpreter("/usr/bin/python3", "3.11.9")
    versions = ("12.0.0", "13.0.0", "14.0.2", "15.0.0")
    plan = MatrixPlan(
        resolve("leak"), {}, True, "pylance", cells_of("pylance", [(python, versions)])
    )
    prepared = []
    live = MatrixLive(plan)
    for at, cell in enumerate(plan.cells):
        wanted = WantedEnvironment("/usr/bin/python3", "3.11.9", (f"pylance=={cell.version}",))
        made: Environment | None = Environment(
            wanted, Path("/cache"), "/cache/bin/python", {}, at == 0, None, 1.2, 4.9, 0.05, "uv"
        )
        why = "" if at < 3 else "cannot install pylance==15.0.0: no matching distribution"
        each = Prepared(cell, None if why else made, why, 6.1)
        prepared.append(each)
        live.prepared(each)
    if rounds < 0:
        return live
    matrix = Matrix(plan, Preparation(tuple(prepared), 7.0, 4))
    live.begin(matrix)
    slower = {"14.0.2": {"first_call": 1.6, "cpu": 1.3, "peak_rss": 1.2}}
    for number in range(rounds + 1):
        for column in matrix.columns[:3]:
            live.begins(column, number)
            run = made_run(rng, "new", number, slower.get(column.cell.version, {}))
            column.series.add(run)
            live.ran(column, run)
    if over:
        live.finished(None)
        live.ended("done")
    return live
