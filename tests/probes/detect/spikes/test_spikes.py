"""Spikes: what counts as a jump, which card it gets, and that nobody's timing changes a card."""

from __future__ import annotations

import itertools
import random
import re
from typing import TYPE_CHECKING

import pytest

from perftui.probes.detect.spikes.card import SpikeStretch, first_calls
from perftui.probes.detect.spikes.finder import KEPT, SpikeFinder, joined
from perftui.probes.detect.spikes.jumps import jumps
from perftui.probes.detect.spikes.spike import spike_json, what_ran, what_rose, where_it_was
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Call,
    Exit,
    ImportBegin,
    ImportEnd,
    Metric,
    PhaseBegin,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S as S

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.records import Record

PID = 10
MB = 1e6
T0 = 7_000_000_123
"""The session does not start on a whole second."""


# -- jumps -------------------------------------------------------------------------------------


def flat(level: float, n: int) -> list[float | None]:
    return [level * MB] * n


def ramp(low: float, high: float, n: int) -> list[float | None]:
    return [(low + (high - low) * (k + 1) / n) * MB for k in range(n)]


def test_a_step_is_a_jump_from_its_last_low_to_its_top() -> None:
    assert jumps(flat(100, 30) + flat(160, 30)) == [(29, 30)]


def test_a_rise_is_followed_to_its_top() -> None:
    assert jumps(flat(50, 30) + ramp(50, 850, 60) + flat(850, 40)) == [(29, 89)]


def test_a_jump_begins_where_more_than_noise_comes() -> None:
    """Some kilobytes that come and go before it do not move its beginning."""
    quiet = [100e6, 99.9e6, 100.02e6, 100.01e6, 100.3e6]
    values = [*quiet, 140e6, 180e6, 180e6]
    assert jumps(values) == [(4, 6)]


def test_what_is_too_small_for_the_program_is_no_jump() -> None:
    assert jumps(flat(100, 30) + flat(119, 30)) == []
    assert jumps(flat(1000, 30) + flat(1090, 30)) == [], "under a tenth of what it has"
    assert jumps(flat(1000, 30) + flat(1110, 30)) == [(29, 30)]


def test_a_slow_rise_is_no_jump() -> None:
    assert jumps(ramp(100, 250, 200)) == [], "15 MB a second is growth, not a jump"


def test_single_odd_readings_and_holes_are_no_jumps() -> None:
    values = flat(100, 30)
    values[10] = 0.0
    values[20] = 50 * MB
    assert jumps(values) == []
    assert jumps([None] * 20) == []
    assert jumps([]) == []
    assert jumps([None, *flat(10, 5), None, None, *flat(90, 9), None]) == [(5, 8)]


def test_two_jumps_with_a_rest_between_are_two() -> None:
    assert jumps(flat(50, 20) + flat(100, 30) + flat(160, 30)) == [(19, 20), (49, 50)]


def test_noise_never_makes_jumps_overlap() -> None:
    rng = random.Random(4)
    values: list[float | None] = [
        None if rng.random() < 0.05 else rng.uniform(0, 400) * MB for _ in range(2_000)
    ]
    found = jumps(values)
    assert all(first < last for first, last in found)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))


# -- joining -----------------------------------------------------------------------------------


def test_a_jump_within_an_import_is_one_with_it() -> None:
    burst = SpikeStretch("cpu", 100, 300, "query")
    assert joined([SpikeStretch("rss", 120, 180), burst]) == [
        SpikeStretch("rss", 100, 300, "query")
    ]
    assert joined([SpikeStretch("rss", 250, 500), burst]) == [burst, SpikeStretch("rss", 250, 500)]
    assert joined([]) == []


# -- cards -------------------------------------------------------------------------------------


class Session:
    """A store that is fed second by second."""

    def __init__(self, rss: Callable[[float], float], cpu: Callable[[float], float]) -> None:
        self.now = T0
        self.log = SessionLog()
        target = Target("t", ("python", "t.py"), PID, None, launched=True, agent=True)
        self.store = Store(self.log.tree, target, lambda: self.now)
        self.log.connect(self.store)
        self.log.append(ThreadName(T0, PID, PID, "MainThread"))
        self._rss, self._cpu = rss, cpu
        self._cpu_s = 0.0
        self._tick = 0
        self.stacks_late_s = 0
        self._withheld: list[list[Record]] = []
        """Stacks of the last seconds that have not come yet."""
        self.code: list[tuple[float, float, tuple[str, ...]]] = []
        self.extra: list[tuple[float, object]] = []

    def until(self, seconds: float, each: Callable[[], object] = lambda: None) -> None:
        """Go on, calling `each` once a second."""
        while self._tick < seconds * 20:
            t_s = self._tick / 20
            t = T0 + round(t_s * S)
            self._cpu_s += self._cpu(t_s) / 100 / 20
            self.log.append(Metric(t, PID, self._cpu_s, round(self._rss(t_s) * MB)))
            self.log.append(ThreadCpu(t, PID, PID, "python", self._cpu_s, "R"))
            for at, record in self.extra:
                if t_s - 0.05 < at <= t_s:
                    self.log.append(record)  # type: ignore[arg-type]  # any record
            self.now = t
            self._tick += 1
            if self._tick % 20 == 0:
                self._stacks(t_s - 0.95, t_s + 0.05)
                each()

    def _stacks(self, t0_s: float, t1_s: float) -> None:
        tree = self.log.tree
        records: list[Record] = []
        for begin, end, names in self.code:
            first, last = max(begin, t0_s), min(end, t1_s)
            if last > first:
                node = tree.intern([tree.frame_id(name, f"/app/{name}.py", 1) for name in names])
                times = T0 + round(first * S), T0 + round(last * S)
                records.append(Stack(*times, PID, PID, node))
        window = T0 + round(t0_s * S), T0 + round(t1_s * S)
        records.append(StackWindow(*window, PID, 100, 100, 0, 0, 0.0, "py-spy"))
        self._withheld.append(records)
        self.release()

    def release(self) -> None:
        """Let the stacks come that are due."""
        while len(self._withheld) > self.stacks_late_s:
            self.log.append(*self._withheld.pop(0))

    def end(self) -> None:
        self.log.append(Exit(self.now, PID, 0, None))


def jump_at_5(t_s: float) -> float:
    return 40.0 if t_s < 5 else min(40 + 400 * (t_s - 5), 240)


def collecting() -> Session:
    session = Session(jump_at_5, lambda t: 100 if 5 <= t < 5.5 else 5)
    session.code = [(0, 5, ("main", "idle")), (5, 5.6, ("main", "load", "fetch")),
                    (5.6, 60, ("main", "idle"))]  # fmt: skip
    session.extra = [
        (3.0, PhaseBegin(T0 + 3 * S, PID, PID, 1, "read", None, None, None)),
        (5.6, Call(T0 + round(5.6 * S), PID, PID, "query", 1, round(0.6 * S), True)),
    ]
    return session


def cards_of(session: Session) -> tuple[Spike, ...]:
    return SpikeFinder(session.store).finish()


def test_a_first_call_that_goes_on_after_its_jump_is_named_live_and_at_the_end() -> None:
    session = collecting()
    call = Call(T0 + round(6.2 * S), PID, PID, "query", 1, round(1.2 * S), True)
    session.extra = [session.extra[0], (6.2, call)]
    live = SpikeFinder(session.store)
    session.until(20, live.advance)
    (known,) = live.spikes
    session.end()
    (card,) = cards_of(session)
    assert (card.call, card.first_call) == (known.call, known.first_call) == ("query", True)


def test_a_card_says_what_rose_where_and_what_ran_only_then() -> None:
    session = collecting()
    session.until(12)
    session.end()
    (card,) = cards_of(session)
    assert card.kind == "rss"
    assert (card.t0_ns - T0) / S == pytest.approx(5.0, abs=0.11)
    assert card.duration_s == pytest.approx(0.5, abs=0.15)
    assert card.rss_before_bytes == pytest.approx(40 * MB, rel=0.3)
    assert card.rss_after_bytes == 240 * MB
    assert card.cpu_before_percent == pytest.approx(5, abs=1)
    assert (card.cpu_percent or 0) > 60
    assert (card.phase, card.call, card.first_call, card.import_) == ("read", "query", True, "")
    assert [code.function for code in card.ran] == ["load", "fetch"]
    assert all(code.state == "new" for code in card.ran)
    assert card.before_ns == S
    assert what_rose(card).startswith("RSS +")
    assert "(40.0 MB -> 240 MB)" in what_rose(card)
    assert where_it_was(card) == "phase read, first call of query"
    assert what_ran(card).startswith("ran then and not before: load load.py:1 ")
    told = spike_json(card, T0)
    assert told["t0_s"] == pytest.approx(5.0, abs=0.11)
    assert [row["function"] for row in told["ran"]] == ["load", "fetch"]


def test_cards_do_not_depend_on_when_somebody_looked() -> None:
    followed, looked_at_once = collecting(), collecting()
    finder = SpikeFinder(followed.store)
    seen: list[tuple[Spike, ...]] = []

    def look() -> None:
        finder.advance()
        seen.append(finder.spikes)

    followed.until(14, look)
    looked_at_once.until(14)
    for session in (followed, looked_at_once):
        session.end()
    assert finder.finish() == cards_of(looked_at_once)
    told = [cards for cards in seen if cards]
    assert told, "the card comes while the session goes on"
    assert len(set(told)) == 1, "and is frozen"


def test_a_card_waits_for_stacks_that_come_late() -> None:
    followed, looked_at_once = collecting(), collecting()
    finder = SpikeFinder(followed.store)
    seen: list[tuple[Spike, ...]] = []

    def look() -> None:
        finder.advance()
        seen.append(finder.spikes)

    followed.stacks_late_s = 8
    followed.until(14, look)
    looked_at_once.until(14)
    assert not any(seen[:13]) and seen[13], "stacks of its whole length have come by second 14"
    looked_at_once.end()
    assert seen[-1] == cards_of(looked_at_once)


def test_the_last_stacks_come_after_the_end_is_known() -> None:
    session = collecting()
    session.until(5)
    session.stacks_late_s = 99
    session.until(7)
    finder = SpikeFinder(session.store)
    session.end()
    finder.advance()
    assert finder.spikes == (), "its last second is not known yet"
    session.stacks_late_s = 0
    session.release()
    (card,) = finder.finish()
    assert [code.function for code in card.ran] == ["load", "fetch"]


def test_the_same_code_went_on() -> None:
    session = Session(jump_at_5, lambda t: 90)
    session.code = [(0, 60, ("main", "fill"))]
    session.until(12)
    session.end()
    (card,) = cards_of(session)
    assert what_ran(card) == "ran then as it did before: fill fill.py:1 100%"


def test_an_import_that_keeps_a_core_busy_is_a_card() -> None:
    session = Session(lambda t: 20 + 60 * min(max(t - 1, 0), 1.5), lambda t: 1 <= t < 2.5 and 100)
    session.code = [(1, 2.5, ("main", "import_it")), (2.5, 9, ("main", "idle"))]
    t0 = T0 + S
    session.extra = [
        (1.0, ImportBegin(t0, PID, PID, 1, "lancedb", None, 20_000_000)),
        (1.2, ImportBegin(t0 + S // 5, PID, PID, 2, "lancedb.pyarrow", 1, 20_000_000)),
        (2.4, ImportEnd(t0 + round(1.4 * S), PID, 2, S, S, 80_000_000, True)),
        (2.5, ImportEnd(t0 + round(1.5 * S), PID, 1, S, round(1.5 * S), 110_000_000, True)),
    ]
    session.until(10)
    session.end()
    (card,) = cards_of(session)
    assert (card.kind, card.import_) == ("rss", "lancedb")
    assert card.duration_s == pytest.approx(1.5, abs=0.2)
    assert "RSS +90.0 MB" in what_rose(card), "the jump within it is told on the same card"
    assert "CPU 9" in what_rose(card)


def test_a_burst_of_the_first_seconds_counts_only_if_it_ends() -> None:
    burst = Session(lambda t: 30, lambda t: 100 if 0.5 <= t < 2.5 else 2)
    burst.code = [(0, 0.5, ("main", "idle")), (0.5, 2.5, ("main", "warm_up")),
                  (2.5, 30, ("main", "idle"))]  # fmt: skip
    burst.until(20)
    burst.end()
    (card,) = cards_of(burst)
    assert card.kind == "cpu"
    assert card.ran[0].function == "warm_up"
    assert re.match(r"CPU [0-4] % -> 9\d % for ", what_rose(card))
    busy = Session(lambda t: 30, lambda t: 100)
    busy.until(20)
    busy.end()
    assert cards_of(busy) == ()


@pytest.mark.parametrize(("before", "cards"), [(85.0, 0), (10.0, 1)])
def test_a_first_call_is_no_spike_where_the_core_was_busy_anyway(before: float, cards: int) -> None:
    session = Session(lambda t: 30, lambda t: 100 if 3 <= t < 4 else before)
    session.code = [(0, 30, ("main", "work"))]
    session.extra = [(4.0, Call(T0 + 4 * S, PID, PID, "query", 1, S, True))]
    session.until(20)
    session.end()
    assert len(cards_of(session)) == cards


def test_teeth_of_a_saw_are_one_card_and_repeats() -> None:
    session = Session(lambda t: 50 + (100 if int(t) % 2 else 0), lambda t: 20)
    finder = SpikeFinder(session.store)
    session.until(60, finder.advance)
    session.end()
    assert len(finder.finish()) == 1
    assert finder.repeats >= 20


def test_the_number_of_cards_is_bounded_to_the_largest() -> None:
    session = Session(lambda t: 20 * 1.5 ** int(t / 4) if t < 100 else 1, lambda t: 20)
    session.until(104)
    session.end()
    finder = SpikeFinder(session.store)
    cards = finder.finish()
    assert len(cards) == KEPT
    assert finder.left_out >= 1
    assert min(card.size for card in cards) > 1.5
    assert [card.t0_ns for card in cards] == sorted(card.t0_ns for card in cards)


@pytest.mark.parametrize("seconds", [0, 0.1, 2])
def test_a_session_with_next_to_nothing_has_no_cards(seconds: float) -> None:
    session = Session(lambda t: 10, lambda t: 0)
    session.until(seconds)
    assert cards_of(session) == ()


def test_at_the_start_there_is_nothing_to_compare_with() -> None:
    session = Session(lambda t: 10 if t < 0.2 else 200, lambda t: 50)
    session.code = [(0, 5, ("main", "fill"))]
    session.until(6)
    session.end()
    (card,) = cards_of(session)
    assert card.before_ns == 0
    assert card.cpu_before_percent is None
    assert what_ran(card).startswith("ran then (nothing before to compare with): main main.py")


def test_without_stacks_the_card_says_so() -> None:
    session = Session(jump_at_5, lambda t: 5)
    session.until(10)
    session.end()
    (card,) = cards_of(session)
    assert card.ran == ()
    assert what_ran(card) == "no stacks were sampled then"
    assert where_it_was(card) == "in no phase, import or timed call"


def test_first_calls_are_known_by_their_names_and_not_by_words() -> None:
    log = SessionLog()
    store = Store(log.tree, Target("x", ("x",), PID, None, True, True), lambda: T0 + 9 * S)
    log.connect(store)
    log.append(
        Call(T0 + 2 * S, PID, PID, "read", 1, S, ok=True),
        Call(T0 + 5 * S, PID, PID, "read all", 1, 2 * S, ok=True),
    )
    assert first_calls(store, T0, T0 + 9 * S) == [
        ("read", T0 + S, T0 + 2 * S),
        ("read all", T0 + 3 * S, T0 + 5 * S),
    ]
