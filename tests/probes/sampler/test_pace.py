"""The clock of the sweeps: mean rate, no step with the program, and the budget."""

from __future__ import annotations

import statistics

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perftui.probes.sampler.pace import BUDGET, LEAST_HZ, Jitter, Pace
from perftui.probes.sampler.stream import WAITS
from perftui.probes.sampler.waits import kind_of_wait

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def waits_ns(pace: Pace, turns: int) -> list[int]:
    """Intervals if a sweep takes no time."""
    now = pace._due_ns
    intervals = []
    for _ in range(turns):
        wait = pace.wait_ns(now)
        now += wait
        intervals.append(wait)
    return intervals


@UNHURRIED
@given(st.integers())
def test_the_mean_is_the_period_and_the_spread_is_wide(seed: int) -> None:
    intervals = waits_ns(Pace(100, seed=seed), 2000)
    assert abs(statistics.mean(intervals) - 10_000_000) < 500_000
    assert min(intervals) < 5_000_000 < 15_000_000 < max(intervals)


@UNHURRIED
@given(st.integers())
def test_jitter_is_uniform(seed: int) -> None:
    jitter = Jitter(seed)
    numbers = [jitter.next() for _ in range(2000)]
    assert all(0 <= number < 1 for number in numbers)
    assert abs(statistics.mean(numbers) - 0.5) < 0.05


def test_a_late_sweep_is_counted_and_not_caught_up() -> None:
    pace = Pace(100, seed=1)
    now = pace._due_ns + 10**9
    assert pace.wait_ns(now) == 0
    assert pace.late == 1
    assert 0 < pace.wait_ns(now) < 20_000_000


def test_the_budget_lowers_the_rate_and_says_so_and_lets_it_rise_again() -> None:
    pace = Pace(100, seed=1)
    assert pace.second(2 * BUDGET) == ""
    assert pace.second(2 * BUDGET) == "budget"
    assert pace.rate_hz == 50
    changes = [pace.second(0.1 * BUDGET) for _ in range(12)]
    assert changes.count("cheap again") == 2
    assert pace.rate_hz == 100


def test_a_rate_that_is_asked_for_is_never_lowered_to_nothing() -> None:
    pace = Pace(100, seed=1)
    for _ in range(100):
        pace.second(1.0)
    assert pace.rate_hz == LEAST_HZ
    slow = Pace(1, seed=1)
    for _ in range(10):
        slow.second(1.0)
    assert slow.rate_hz == 1


def test_what_the_kernel_calls_a_wait() -> None:
    names = {
        "hrtimer_nanosleep": "sleep",
        "futex_wait_queue": "lock",
        "do_epoll_wait": "poll",
        "poll_schedule_timeout.constprop.0": "poll",
        "pipe_read": "pipe",
        "anon_pipe_read": "pipe",
        "unix_stream_read_generic": "socket",
        "wait_woken": "socket",
        "do_wait": "child",
        "do_wait_intr_irq": "poll",
        "kernel_clone": "child",
        "locks_lock_inode_wait": "lock",
        "sock_alloc_send_pskb": "socket",
        "folio_wait_bit_common": "disk",
        "0": "",
        "": "",
        "what_nobody_knows": "other",
    }
    assert {name: WAITS[kind_of_wait(name)] for name in names} == names
