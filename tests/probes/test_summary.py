from __future__ import annotations

import pytest

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Exit,
    Metric,
    Notice,
    ProcessStart,
    Record,
    StackWindow,
    ThreadCpu,
)
from perftui.probes.stacks.why import from_now_on, from_the_start, of_process
from perftui.probes.store.store import Store
from perftui.probes.summary import summarize
from perftui.probes.text.units import NS_PER_S as S

ROOT, WORKER = 10, 11


def total(*records: Record) -> tuple[float, float]:
    """Return what the whole and what the processes together are said to have used."""
    log = SessionLog()
    target = Target("t", ("python", "t.py"), ROOT, None, launched=True, agent=False)
    store = Store(log.tree, target, lambda: 0)
    log.connect(store)
    log.extend([ProcessStart(0, ROOT, 1, ("python",)), ProcessStart(0, WORKER, ROOT, ("python",))])
    log.extend(records)
    told = summarize(store)
    return (
        told["cpu_s"]["user"] + told["cpu_s"]["system"],
        sum(row["cpu_s"] for row in told["processes"]),
    )


def test_the_whole_is_no_less_than_its_parts() -> None:
    """A worker that nobody waits for has ended after its threads were read and before it was."""
    whole, parts = total(
        Metric(S, ROOT, 0.1, 1000, cpu_user_s=0.06, cpu_system_s=0.04),
        Metric(S, WORKER, 0.2, 1000, cpu_user_s=0.15, cpu_system_s=0.05),
        ThreadCpu(S + S // 5, WORKER, WORKER, "python", 0.4, "R"),
        Exit(S + S // 4, WORKER, None, None),
        Metric(2 * S, ROOT, 0.1, 1000, cpu_user_s=0.06, cpu_system_s=0.04),
        Exit(3 * S, ROOT, 0, None, cpu_user_s=0.06, cpu_system_s=0.04),
    )
    assert parts == pytest.approx(0.5)
    assert whole == pytest.approx(0.5)


def test_what_the_kernel_settled_counts_when_it_is_more() -> None:
    whole, parts = total(
        Metric(S, ROOT, 0.1, 1000, cpu_user_s=0.06, cpu_system_s=0.04),
        Metric(S, WORKER, 0.2, 1000, cpu_user_s=0.15, cpu_system_s=0.05),
        Exit(S + S // 4, WORKER, None, None),
        Exit(3 * S, ROOT, 0, None, cpu_user_s=0.7, cpu_system_s=0.2),
    )
    assert parts == pytest.approx(0.3)
    assert whole == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((from_the_start("--native"),), "--native"),
        ((of_process(WORKER, "it is old"), of_process(ROOT, "unknown")), "unknown"),
        ((of_process(ROOT, "unknown"), of_process(WORKER, "it is old")), "unknown"),
        ((from_now_on("its process has ended"),), "the own sampler failed: its process has ended"),
        ((of_process(WORKER, "it is old"), "stacks by hand"), None),
        ((), None),
    ],
)
@pytest.mark.parametrize("backend", ["py-spy", "own sampler"])
def test_why_stacks_are_py_spys(said: tuple[str, ...], why: str | None, backend: str) -> None:
    log = SessionLog()
    target = Target("t", ("python", "t.py"), ROOT, None, launched=True, agent=False)
    store = Store(log.tree, target, lambda: 0)
    log.connect(store)
    log.extend([ProcessStart(0, ROOT, 1, ("python",)), *(Notice(0, "info", text) for text in said)])
    log.extend([StackWindow(0, S, ROOT, 100.0, 100, 0, 0, 0.01, backend)])
    told = summarize(store)["stacks"]
    assert told["backend"] == backend
    assert told["backend_why"] == (why if backend == "py-spy" else None)


def test_a_peak_that_pss_was_not_read_at_has_none() -> None:
    log = SessionLog()
    target = Target("t", ("python", "t.py"), ROOT, None, launched=True, agent=False)
    now = [0]
    store = Store(log.tree, target, lambda: now[0])
    now[0] = S
    log.connect(store)
    log.extend([ProcessStart(0, ROOT, 1, ("python",)), Metric(S // 20, ROOT, 0, 4, pss_bytes=4)])
    log.extend([Metric(S // 10, ROOT, 0, 100)])
    assert summarize(store)["memory"]["peak_pss_bytes"] is None
    log.extend([Metric(S // 5, ROOT, 0, 101, pss_bytes=95)])
    assert summarize(store)["memory"]["peak_pss_bytes"] == 95
