"""How far a share of CPU may be off, by looks and by bursts that none of them met."""

from __future__ import annotations

import pytest

from perftui.probes.profile.bursts import BriefBursts, brief_bursts
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.reader import Target, ThreadTree, Weights
from perftui.probes.spine.records import ProcessStart, Stack, StackWindow
from perftui.probes.stacks.own.weigher import Weigher
from perftui.probes.store.store import Store
from perftui.probes.summary import summarize
from perftui.tui.text.summary import summary_text

S = 1_000_000_000


def thread(cpu_s: float, brief_s: float, queue_s: float = 0) -> ThreadTree:
    cell = Weights(
        10 * S,
        round(cpu_s * S),
        0,
        0,
        queue_ns=round(queue_s * S),
        brief_ns=round(brief_s * S),
    )
    return ThreadTree(1, 1, "MainThread", 10 * S, round(cpu_s * S), 0, {1: cell, 2: cell}, "")


def test_long_bursts_are_not_spoken_of_and_their_error_is_that_of_the_looks() -> None:
    bursts = brief_bursts([thread(5, 0)], 100)
    assert (bursts.cpu_ns, bursts.share, bursts.words) == (10 * S, 0, "")
    assert bursts.looks == pytest.approx(1000)
    assert bursts.error(0.5) == pytest.approx(0.031, abs=0.001)


def test_brief_ones_are_told_with_how_far_a_share_may_be_off() -> None:
    bursts = brief_bursts([thread(5, 4)], 100)
    assert bursts.share == pytest.approx(0.8)
    assert bursts.error() > brief_bursts([thread(5, 1)], 100).error() > 0.031
    off = round(100 * bursts.error())
    words = f"80% of this CPU in bursts under 0.5 ms: a share may be off by {off} points"
    assert bursts.words == words
    assert bursts.error(0.01) < bursts.error(0.1) < bursts.error(0.5)


def test_where_looks_are_few_shares_are_not_told() -> None:
    assert "too few looks" in brief_bursts([thread(0.05, 0.05)], 100).words
    assert brief_bursts([thread(5, 4, 50)], 100).error() > brief_bursts([thread(5, 4)], 100).error()
    assert BriefBursts(0, 0, 0.0).words == ""
    assert 0 < BriefBursts(1, 1, 0.0).error() <= 1


def test_the_summary_says_it_above_its_functions() -> None:
    tree = CallTree()
    frames = [tree.frame_id(name, "/app/app.py", 3) for name in ("work", "nap")]
    work, nap = (tree.intern([frame]) for frame in frames)
    rows = []
    for n in range(300):
        node, state = (work, "R") if n % 10 == 9 else (nap, "S")
        wait = "" if state == "R" else "sleep"
        t0_ns = n * S // 100
        rows.append(
            Stack(
                *(t0_ns, t0_ns + S // 100, 1, 1, node),
                cpu_ns=300_000,
                run_queue_ns=0,
                faults=0,
                state=state,
                gil_held=state == "R",
                wait=wait,
            )
        )
    window = StackWindow(0, 3 * S, 1, 100.0, 300, 0, 0, 0.0, "own sampler", 300)
    store = Store(tree, Target("app", (), 1, None, True, False), clock=lambda: 3 * S)
    store.life.t_start_ns = 0
    enricher = Enricher(Weigher().weigh)
    for record in (ProcessStart(0, 1, 0, ("app",)), *rows, window):
        store.ingest(enricher.enrich([record]))
    summary = summarize(store)
    assert summary["stacks"]["brief_bursts"]["of_cpu_pct"] > 50
    note = summary["stacks"]["note"]
    assert "in bursts under 0.5 ms" in note
    assert f"self time ({note})" in summary_text(summary)
