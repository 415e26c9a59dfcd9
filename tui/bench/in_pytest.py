"""`perftui_bench`: a function in fresh processes, judged against a baseline beside the test.

    def test_load_is_as_fast_as_it_was(perftui_bench):
        perftui_bench(load)                                    # of a module: def load(): ...
        perftui_bench("load.py:nightly", days=3, budget="import=50ms")

The baseline is NAME.bench/TEST.json beside the test's file NAME.py. It is made and replaced only
with `--perftui-accept`; without one nothing is judged, which a warning says. Benches of several
workers of pytest-xdist wait for each other: two at once would measure each other.
"""

from __future__ import annotations

import fcntl
import json
import re
import sys
from contextlib import contextmanager
from inspect import unwrap
from typing import TYPE_CHECKING, Any

from perftui.probes.own.folders import cache_folder
from perftui.probes.own.whole_file import write_text
from perftui.scenarios.bench.against import (
    check_before,
    check_warm,
    drift_words,
    since_the_oldest,
)
from perftui.scenarios.bench.answer import change_words
from perftui.scenarios.bench.baseline.entry import entry_of
from perftui.scenarios.bench.baseline.noise import floors_here
from perftui.scenarios.bench.baseline.stored import read_baseline
from perftui.scenarios.bench.bench import Bench, BenchPlan, run_bench
from perftui.scenarios.bench.budget import checked, parse_bounds
from perftui.scenarios.bench.gate import parse_thresholds
from perftui.scenarios.bench.subject import Subject
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.run.runner import resolve
from perftui.tui.bench.report import INCONCLUSIVE, BenchReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NOT_IN_NAMES = re.compile(r"[^\w.\-\[\]=]+")


class BenchFailed(AssertionError):
    """A figure has regressed, or a budget is broken; the message says by how much."""


def bench_in_test(
    function: Callable[..., Any] | str,
    test: Path,
    name: str,
    *,
    accept: bool,
    warn: Callable[[str], None],
    runs: int | None = None,
    calls: int | None = None,
    thresholds: str = "",
    budget: str = "",
    time_limit_s: float | None = None,
    **params: object,
) -> BenchReport:
    """Run a function in fresh processes and judge it.

    Args:
        function: Of a file: itself, or "FILE.py:FUNCTION", or a scenario of the catalogue.
        test: The file of the test.
        name: Of the test.
        accept: Make this its baseline, with the old one as its history.
        warn: Is told what was not judged.
        runs: So many; None: 5, growing to 20 while it is not clear.
        calls: In each process; None: as many as take two seconds.
        thresholds: As of `--threshold`.
        budget: As of `--budget`.
        time_limit_s: Begin no run that would end later.
        params: Of the function.

    Raises:
        BenchFailed: a figure has regressed, or a budget is broken.
        ScenarioError: it cannot be run, or its baseline cannot be read or compared.
    """
    scenario = resolve(_reference(function))
    values = scenario.bind([f"{key}={value}" for key, value in params.items()])
    texts = scenario.assignments(values)
    subject = Subject(
        f"{test.name}::{name}",  # in any checkout
        tuple(scenario.command(sys.executable, values)),
        kept=True,
        params=dict(text.partition("=")[::2] for text in texts),
    )
    path = test.with_suffix(".bench") / f"{_NOT_IN_NAMES.sub('_', name)}.json"
    baseline = read_baseline(str(path), subject.key) if path.exists() else None
    if baseline is not None:
        check_before(baseline, subject, force=accept)
    plan = BenchPlan(
        subject, runs=runs, calls=calls, time_limit_s=time_limit_s,
        gate=parse_thresholds([thresholds]),
    )  # fmt: skip
    bench = Bench(
        plan, None if baseline is None else baseline.stored, floors_here(subject.key), path.name
    )

    def warmed_up() -> None:
        if baseline is not None:
            check_warm(bench, baseline, force=accept)

    with _alone():
        found = run_bench(bench, lambda run: None, warmed_up=warmed_up)
    oldest = None if baseline is None or accept else since_the_oldest(bench, baseline)
    drift = () if oldest is None else tuple(drift_words(oldest, None))
    bounds = parse_bounds(budget) if budget else ()
    report = BenchReport(bench, found, tuple(checked(bounds, found)), drift=drift)
    if accept:
        path.parent.mkdir(parents=True, exist_ok=True)
        replaced = None if baseline is None else baseline.raw
        entry = entry_of(bench, found, bench.floors, replaced)
        write_text(str(path), json.dumps(entry, indent=2, allow_nan=False) + "\n")
    elif baseline is None and not bounds:
        warn(f"{name}: no baseline {path}: not judged; --perftui-accept makes one")
    failures = [] if accept else _regressions(report)
    failures += [f"budget: {line.text()}" for line in report.budget if line.outcome == "FAIL"]
    if failures:
        raise BenchFailed("; ".join([f"{subject.title}: {failures[0]}", *failures[1:]]))
    if not accept and report.exit_code == INCONCLUSIVE:
        warn(f"{name}: not judged for sure: {'; '.join(found.reasons) or 'inconclusive'}")
    return report


def _regressions(report: BenchReport) -> list[str]:
    rows = [row for row in report.found.rows if row.verdict == "regressed"]
    told = [f"{row.figure.label} regressed: {change_words(row)}" for row in rows]
    return told + list(report.drift)


def _reference(function: Callable[..., Any] | str) -> str:
    if isinstance(function, str):
        return function
    function = unwrap(function)
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", "")
    if code is None or not name.isidentifier():
        raise ScenarioError(
            f"perftui_bench({name or function!r}): takes a function at the top level of a file, "
            "which a fresh process can import"
        )
    return f"{code.co_filename}:{name}"


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for the benches of others of this user."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bench.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
