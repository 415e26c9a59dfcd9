"""What collections took: sums, shares and words; old ones in fewer rows, with the same sums."""

from __future__ import annotations

import random

import pytest

from perftui.probes.profile.collected import by_generation, collections_json, shares
from perftui.probes.spine.records import Collected
from perftui.probes.store.collected import CollectedHistory, joined

S = 1_000_000_000


def row(
    t0_s: float, t1_s: float, pause_s: float, pid: int = 7, generation: int = 0, n: int = 4
) -> Collected:
    pause = round(pause_s * S)
    return Collected(
        round(t1_s * S), pid, round(t0_s * S), generation, n, n, pause, max(pause // 2, 1), 10
    )


def test_shares_lie_where_the_time_went() -> None:
    rows = [row(1, 2, 0.5), row(4.5, 5.5, 1.0, n=1)]
    assert shares(rows, 0, 8 * S, 8) == pytest.approx([0, 0.5, 0, 0, 0.5, 0.5, 0, 0])
    assert shares(rows, 0, 8 * S, 2) == pytest.approx([0.125, 0.25])
    assert shares([], 0, 8 * S, 2) == [0.0, 0.0]
    of_two = [row(0, 1, 0.2), row(0, 1, 0.6, pid=8), row(1, 2, 0.3)]
    assert shares(of_two, 0, 2 * S, 2) == pytest.approx([0.6, 0.3]), "of the one with most"
    assert shares([row(-5, 5, 5.0)], 0, 10 * S, 2) == pytest.approx([0.5, 0]), "cut to the range"


def test_sums_by_generation_and_the_share_of_the_busiest_process() -> None:
    rows = [row(0, 1, 0.2), row(1, 2, 0.4, generation=2, n=1), row(0, 1, 0.1, pid=8)]
    young, old = by_generation(rows)
    assert (young.generation, young.n, young.pause_ns) == (0, 8, 3 * S // 10)
    assert (old.generation, old.n, old.longest_ns) == (2, 1, 2 * S // 10)
    told = collections_json(rows, 10 * S)
    assert told["pause_s"] == pytest.approx(0.7)
    assert told["share"] == pytest.approx(0.06)
    assert collections_json([], S) == {"pause_s": None, "share": None, "generations": []}


def test_what_is_old_is_joined_and_no_sum_changes() -> None:
    chance = random.Random(5)
    rows = [
        row(n / 4, (n + 1) / 4, chance.random() / 5, chance.choice((7, 8)), chance.choice((0, 2)))
        for n in range(300)
    ]
    history = CollectedHistory(keep=100)
    for each in rows:
        history.take(each)
    kept = history.between(0, 1 << 62)
    assert len(kept) <= 100
    assert by_generation(kept) == by_generation(rows)
    assert history.between(70 * S, 1 << 62)[-1] == rows[-1], "the newest are as they were"
    once = joined(rows)
    assert [each.t_ns for each in once] == sorted(each.t_ns for each in once)
