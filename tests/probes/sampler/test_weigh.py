"""Who gets CPU, waiting and faults: made records with known answers, and sums that are exact."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.sampler import faults_of

from perftui.probes.stacks.own.records import Place, ProcessRecord, Sample, StackNode, ThreadRecord
from perftui.probes.stacks.own.weigh_cpu import CpuByStack, cpu_by_stack, share
from perftui.probes.stacks.own.weigh_waiting import ThreadWaiting, waiting_by_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MS = 1_000_000
THREAD = ThreadRecord(0, 0, ProcessRecord(0, 0, 1, "sampled", "", 0x030D00F0), 1, "python", 0)
STACKS = [StackNode(None, Place(function, "f.py", 1, 1)) for function in ("work", "sleep", "other")]
WORK, SLEEP, OTHER = STACKS


def record(t_ms: float, stack: StackNode | None, state: str, cpu_ms: float = 0.0) -> Sample:
    return Sample(
        t_ns=round(t_ms * MS),
        thread=THREAD,
        stack=stack,
        cpu_ns=round(cpu_ms * MS),
        run_queue_ns=0,
        faults=0,
        faults_in_window=None,
        state=state,
        on_cpu=None,
        gil_held=False,
        unsteady=False,
        failed=False,
        wait="",
        task=None,
    )


SAMPLES = st.lists(
    st.builds(
        record,
        st.just(0.0),
        st.sampled_from([*STACKS, None]),
        st.sampled_from("RRSD"),
    ).flatmap(
        lambda made: st.builds(
            lambda cpu, queue, faults, window, held, on_cpu, failed, wait: made._replace(
                cpu_ns=cpu,
                run_queue_ns=queue,
                faults=faults,
                faults_in_window=None if window is None else min(window, faults),
                gil_held=held,
                on_cpu=on_cpu if made.state == "R" else None,
                failed=failed,
                stack=None if failed else made.stack,
                wait="" if made.state == "R" else wait,
            ),
            st.integers(0, 20 * MS),
            st.integers(0, 5 * MS),
            st.integers(0, 5000),
            st.none() | st.integers(0, 300),
            st.booleans(),
            st.none() | st.booleans(),
            st.booleans(),
            st.sampled_from(["", "sleep", "lock", "poll", "disk"]),
        )
    ),
    max_size=60,
).map(lambda made: [one._replace(t_ns=10 * MS * i) for i, one in enumerate(made)])


@UNHURRIED
@given(SAMPLES)
def test_cpu_sums_exactly_and_is_never_negative(samples: list[Sample]) -> None:
    given_out = cpu_by_stack(samples)
    assert sum(given_out.values()) == sum(sample.cpu_ns for sample in samples)
    assert all(amount >= 0 for amount in given_out.values())


@UNHURRIED
@given(SAMPLES, st.integers(1, 9))
def test_cpu_sums_exactly_in_windows_too(samples: list[Sample], every: int) -> None:
    thread = CpuByStack()
    out = 0
    for i, sample in enumerate(samples):
        out += sum(amount for _, amount in thread.add(sample))
        if i % every == 0:
            out += sum(one.amount for one in thread.settle())
        assert out + thread.unseen_ns == sum(one.cpu_ns for one in samples[: i + 1])
    out += sum(one.amount for one in thread.settle(final=True))
    assert out == sum(sample.cpu_ns for sample in samples)


@UNHURRIED
@given(SAMPLES)
def test_faults_sum_exactly(samples: list[Sample]) -> None:
    given_out = faults_of(samples)
    assert sum(one.faults for one in given_out) == sum(sample.faults for sample in samples)
    assert all(0 <= one.unsure <= one.faults for one in given_out)


@UNHURRIED
@given(SAMPLES)
def test_waiting_never_exceeds_the_wall(samples: list[Sample]) -> None:
    waits = waiting_by_stack(samples)
    assert all(amount >= 0 for amount in waits.values())
    if samples:
        wall = samples[-1].t_ns - samples[0].t_ns
        asleep = sum(amount for (_, group), amount in waits.items() if group != "queue")
        assert asleep <= wall


@UNHURRIED
@given(
    st.integers(0, 10**12),
    st.lists(st.floats(0.001, 1e6), min_size=1, max_size=3),
)
def test_shares_sum_exactly(amount: int, weights: list[float]) -> None:
    shares = share(amount, dict(zip(STACKS, weights, strict=False)))
    assert sum(shares.values()) == amount
    assert all(part >= 0 for part in shares.values())
    total = sum(weights)
    for part, weight in zip(shares.values(), weights, strict=True):
        assert abs(part - amount * weight / total) <= 2 + amount * 1e-12


def poll_loop(turns: int) -> list[Sample]:
    """10 ms of work, 30 ms of sleep, met every 10 ms; the CPU comes with the record after it."""
    samples: list[Sample] = []
    for turn in range(turns):
        t = 40.0 * turn
        samples.append(record(t + 5, WORK, "R", 5))
        samples.append(record(t + 15, SLEEP, "S", 5))
    return samples


def test_the_work_of_a_poll_loop_gets_all_of_its_cpu() -> None:
    assert cpu_by_stack(poll_loop(50)) == {WORK: 500 * MS}


def test_work_that_is_mostly_not_met_still_gets_it() -> None:
    samples = [record(10 * i, SLEEP, "S", 1) for i in range(100)]
    samples[50] = samples[50]._replace(stack=WORK, state="R")
    assert cpu_by_stack(samples) == {WORK: 100 * MS}


def test_bursts_are_shared_by_how_often_they_are_met() -> None:
    samples = [record(10 * i, SLEEP, "S", 1) for i in range(1000)]
    for i in range(5, 1000, 50):
        samples[i] = samples[i]._replace(stack=WORK, state="R")
    for i in range(30, 1000, 100):
        samples[i] = samples[i]._replace(stack=OTHER, state="R")
    by = cpu_by_stack(samples)
    assert by == {WORK: 666_666_667, OTHER: 333_333_333}


def test_woken_and_waiting_for_a_cpu_is_not_work() -> None:
    samples = []
    for turn in range(50):
        samples += [
            record(100 * turn, SLEEP, "S", 4),
            record(100 * turn + 90, SLEEP, "R"),
            record(100 * turn + 95, WORK, "R", 1),
        ]
    by = cpu_by_stack(samples)
    assert by == {WORK: 250 * MS}


def contended(turns: int) -> list[Sample]:
    """Four threads that take turns at the GIL: this one stands in its work, mostly asleep."""
    samples = []
    for turn in range(turns):
        t = 20.0 * turn
        running = record(t, WORK, "R", 5)._replace(gil_held=True)
        samples += [running, record(t + 5, WORK, "S", 0.1)._replace(wait="futex")]
    return samples


def test_code_that_waits_for_the_gil_keeps_its_cpu() -> None:
    rare = record(1001, OTHER, "R", 1)._replace(gil_held=True)
    by = cpu_by_stack([*contended(50), rare, *[]])
    assert by[WORK] >= 250 * MS


def test_a_full_queue_does_not_make_code_look_longer() -> None:
    """OTHER is taken from its CPU in the midst of every burst, WORK never; both run as long."""
    samples: list[Sample] = []
    for turn in range(100):
        t = 100.0 * turn
        samples.append(record(t, SLEEP, "S", 2))
        for k in range(5):
            queued = record(t + 10 + k, OTHER, "R")._replace(on_cpu=False, gil_held=True)
            samples.append(queued)
        samples.append(record(t + 40, SLEEP, "S", 2))
        if turn % 10 == 0:
            met = record(t + 60, WORK, "R")
            samples.append(met._replace(on_cpu=True, gil_held=True))
        if turn % 10 == 5:
            met = record(t + 60, OTHER, "R")
            samples.append(met._replace(on_cpu=True, gil_held=True))
    by = cpu_by_stack(samples)
    assert 0.9 < by[WORK] / by[OTHER] < 1.1


def queued(t_ms: float, stack: StackNode, cpu_ms: float, gil: bool) -> Sample:
    return record(t_ms, stack, "R", cpu_ms)._replace(on_cpu=False, gil_held=gil)


def test_who_is_taken_from_its_cpu_by_whom_it_woke_has_not_worked_there() -> None:
    """OTHER sends an answer after each WORK; whoever gets it runs first, OTHER is in the queue."""
    samples: list[Sample] = []
    for turn in range(50):
        t = 100.0 * turn
        samples += [
            record(t, SLEEP, "S", 0.01)._replace(wait="socket"),
            queued(t + 10, WORK, 2, gil=True),
            queued(t + 20, OTHER, 3, gil=False),
            record(t + 80, OTHER, "S", 0.02)._replace(wait="futex"),
        ]
    by = cpu_by_stack(samples)
    assert by.get(OTHER, 0) < 0.02 * sum(by.values())
    thread = CpuByStack()
    live = [one for sample in samples for one in thread.add(sample)]
    assert sum(amount for stack, amount in live if stack is OTHER) < 0.05 * 250 * MS


def test_who_naps_briefly_on_a_full_machine_has_not_worked_there() -> None:
    """It naps for 0.1 ms after each 1 ms of WORK, and waits for a CPU for longer than both."""
    samples: list[Sample] = []
    for turn in range(100):
        t = 100.0 * turn
        samples += [
            record(t, SLEEP, "S", 2)._replace(wait="sleep"),
            *[queued(t + 5 + 10 * k, SLEEP, 2, gil=False) for k in range(6)],
            record(t + 70, WORK, "R", 2)._replace(on_cpu=True, gil_held=True),
            queued(t + 80, WORK, 2, gil=True),
            queued(t + 90, SLEEP, 2, gil=False),
        ]
    by = cpu_by_stack(samples)
    assert by.get(SLEEP, 0) < 0.01 * sum(by.values())
    thread = CpuByStack()
    live = [one for sample in samples for one in thread.add(sample)]
    live += [(one.stack, one.amount) for one in thread.settle(final=True)]
    assert sum(amount for stack, amount in live if stack is SLEEP) < 0.01 * sum(by.values())


def test_who_waits_for_the_gil_where_it_computes_without_it_has_worked_there() -> None:
    """OTHER computes in C, then stands for long in wait for the GIL, at the same line."""
    samples: list[Sample] = []
    for turn in range(100):
        t = 100.0 * turn
        samples += [
            record(t, OTHER, "R", 1)._replace(on_cpu=None if turn % 2 else False),
            record(t + 10, OTHER, "S", 4)._replace(wait="gil"),
            record(t + 90, WORK, "S", 0.1)._replace(wait="gil"),
        ]
    by = cpu_by_stack(samples)
    assert by[OTHER] > 0.9 * sum(by.values())


def test_who_was_met_when_it_had_just_woken_somebody_has_not_worked_there() -> None:
    """On another CPU than ours, where we were given ours because it had done its work."""
    samples: list[Sample] = []
    for turn in range(60):
        t = 100.0 * turn
        samples.append(record(t, SLEEP, "S", 0.01)._replace(wait="socket"))
        at = record(t + 10, WORK if turn % 3 else OTHER, "R", 5)
        met = turn % 3 > 0
        samples.append(at._replace(on_cpu=True, gil_held=met, biased=not met))
    by = cpu_by_stack(samples)
    assert by.get(OTHER, 0) < 0.01 * sum(by.values())


def test_of_two_that_queued_without_the_gil_the_worker_has_the_rest() -> None:
    """Either may have waited for the GIL where it was met, and then worked."""
    samples: list[Sample] = []
    for turn in range(60):
        t = 100.0 * turn
        samples += [
            record(t, SLEEP, "S", 0.01)._replace(wait="socket"),
            queued(t + 10, WORK, 0.02, gil=False),
            record(t + 11, WORK, "S", 0.01)._replace(wait="gil"),
            record(t + 14, WORK, "R", 1)._replace(on_cpu=True, gil_held=True),
            record(t + 16, WORK, "S", 1)._replace(wait="gil"),
            queued(t + 18, WORK, 0.02, gil=False),
            queued(t + 30, OTHER, 5, gil=False),
            record(t + 40, SLEEP, "S", 0.02)._replace(wait="socket"),
        ]
    by = cpu_by_stack(samples)
    assert by.get(OTHER, 0) < 0.03 * sum(by.values())


def test_who_computes_without_the_gil_keeps_its_half() -> None:
    samples: list[Sample] = []
    for turn in range(50):
        t = 100.0 * turn
        samples += [queued(t + 10 * k, OTHER, 2, gil=False) for k in range(4)]
        samples.append(record(t + 40, OTHER, "R", 2)._replace(on_cpu=True))
        samples += [queued(t + 50 + 10 * k, WORK, 2, gil=True) for k in range(5)]
    by = cpu_by_stack(samples)
    assert 0.45 < by[OTHER] / sum(by.values()) < 0.55


def test_asleep_with_the_gil_but_without_a_cpu_is_no_hit() -> None:
    """The stack was read while it stood in the queue; the sampler came back after its burst."""
    samples = [record(10.0 * i, SLEEP, "S", 1) for i in range(400)]
    for i in range(5, 400, 20):
        samples[i] = samples[i]._replace(stack=WORK, state="R", gil_held=True, on_cpu=True)
    for i in range(10, 400, 20):
        samples[i] = samples[i]._replace(stack=OTHER, gil_held=True, on_cpu=False)
    by = cpu_by_stack(samples)
    assert by.get(OTHER, 0) < 0.02 * sum(by.values())


def test_who_is_taken_off_its_cpu_in_the_midst_of_work_was_met_there() -> None:
    """On a full machine: ten times in the queue after WORK, once running where it answers."""
    samples: list[Sample] = []
    for turn in range(100):
        t = 100.0 * turn
        samples.append(record(t, SLEEP, "S", 5))
        if turn % 10:
            samples += [queued(t + 10, WORK, 0.1, gil=True), queued(t + 20, WORK, 0, gil=True)]
        else:
            samples.append(record(t + 10, OTHER, "R", 0.1)._replace(on_cpu=True))
        samples.append(record(t + 50, SLEEP, "S", 5))
    by = cpu_by_stack(samples)
    assert by[OTHER] < 0.15 * sum(by.values())
    thread = CpuByStack()
    live = [one for sample in samples for one in thread.add(sample)]
    live += [(one.stack, one.amount) for one in thread.settle(final=True)]
    assert sum(amount for stack, amount in live if stack is OTHER) < 0.15 * sum(by.values())


def test_who_waited_in_the_queue_before_we_were_woken_was_not_met() -> None:
    """Long bursts are taken off at the end of their time, short ones end before."""
    samples: list[Sample] = []
    for turn in range(300):
        t = 100.0 * turn
        samples.append(record(t, SLEEP, "S", 5))
        at = queued(t + 10, WORK if turn % 5 else OTHER, 0.1, gil=True)
        # One in five was running until we were woken, whatever it was.
        taken_over = turn % 25 in (0, 1, 7, 13, 20)
        samples.append(at._replace(on_cpu=taken_over, biased=not taken_over))
    hits = Counter(sample.stack for sample in samples if sample.on_cpu)
    by = cpu_by_stack(samples)
    expected = hits[WORK] / hits.total()
    assert by[WORK] / sum(by.values()) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("long_ms", "short_ms", "shorts"), [(2, 0.5, 2), (5, 1, 5), (12, 0.3, 4), (1, 0.1, 10)]
)
def test_bursts_of_any_length_get_what_they_used(
    long_ms: float, short_ms: float, shorts: int
) -> None:
    """Bursts with sleeps between, looked at 100 times a second: most are met by no look."""
    samples = looked_at([(WORK, long_ms), *[(OTHER, short_ms)] * shorts], 7.0, 120_000)
    truth = long_ms / (long_ms + short_ms * shorts)
    by = cpu_by_stack(samples)
    assert by[WORK] / sum(by.values()) == pytest.approx(truth, abs=0.06)
    thread = CpuByStack()
    live: Counter[object] = Counter()
    due = 1000 * MS
    for sample in samples:
        given = list(thread.add(sample))
        if sample.t_ns >= due:
            due += 1000 * MS
            given += [(one.stack, one.amount) for one in thread.settle()]
        for stack, amount in given:
            live[stack] += amount
    assert live[WORK] / live.total() == pytest.approx(truth, abs=0.06)


def looked_at(
    bursts: list[tuple[StackNode, float]], sleep_ms: float, duration_ms: float
) -> list[Sample]:
    """Return the records of a program that runs each of `bursts` in turn, and sleeps after each."""
    rng = random.Random(7)
    begin, at, index = 0.0, 0.0, 0
    used, told = 0.0, 0.0
    samples: list[Sample] = []
    while at < duration_ms:
        at += rng.uniform(5, 15)
        while begin + bursts[index % len(bursts)][1] + sleep_ms <= at:
            used += bursts[index % len(bursts)][1]
            begin += bursts[index % len(bursts)][1] + sleep_ms
            index += 1
        stack, length = bursts[index % len(bursts)]
        into = at - begin
        now = used + min(into, length)
        if into < length:
            samples.append(record(at, stack, "R", now - told)._replace(gil_held=True))
            told = now
        elif now > told:
            samples.append(record(at, SLEEP, "S", now - told)._replace(wait="sleep"))
            told = now
    return samples


@pytest.mark.parametrize("cycle_ms", [1.1, 10.0, 100.0])
def test_who_takes_turns_without_sleep_gets_its_part_but_for_chance(cycle_ms: float) -> None:
    """70 : 30, looked at 3,000 times; CPU of a running thread is booked at ticks of 4 ms."""
    rng = random.Random(11)
    samples: list[Sample] = []
    at = booked = begin = work = 0.0
    length = cycle_ms
    for _ in range(3_000):
        at += rng.uniform(2.5, 17.5)
        while begin + length <= at:
            work += 0.7 * length
            begin += length
            length = cycle_ms * rng.uniform(0.95, 1.05)
        stack = WORK if at - begin < 0.7 * length else OTHER
        now = at // 4 * 4
        samples.append(record(at, stack, "R", now - booked)._replace(gil_held=True))
        booked = now
    work += min(at - begin, 0.7 * length)
    by = cpu_by_stack(samples)
    assert by[WORK] / sum(by.values()) == pytest.approx(work / at, abs=3 * (0.21 / 3_000) ** 0.5)


def test_few_hits_do_not_decide_alone() -> None:
    """Two hits, one of each; but nearly all that is certain is WORK."""
    samples = [record(10.0 * i, SLEEP, "S", 1) for i in range(100)]
    samples[40] = samples[40]._replace(stack=WORK, state="R", cpu_ns=9 * MS)
    samples[60] = samples[60]._replace(stack=OTHER, state="R", cpu_ns=MS // 100)
    by = cpu_by_stack(samples)
    assert by[WORK] > 0.8 * sum(by.values())


def test_threads_without_python_keep_their_cpu() -> None:
    samples = [record(10 * i, None, "R", 10) for i in range(10)]
    assert cpu_by_stack(samples) == {None: 100 * MS}


def groups(samples: Sequence[Sample], until_ms: float | None = None) -> dict[str, float]:
    by: dict[str, float] = {}
    until = None if until_ms is None else round(until_ms * MS)
    for (_, group), ns in waiting_by_stack(samples, until).items():
        by[group] = by.get(group, 0.0) + ns / MS
    return by


def test_wall_is_cpu_queue_and_waiting() -> None:
    samples = [
        record(0, SLEEP, "S")._replace(wait="sleep"),
        record(30, WORK, "R", 2)._replace(run_queue_ns=3 * MS),
        record(40, SLEEP, "S", 4)._replace(wait="poll"),
    ]
    assert groups(samples, 100) == {"sleep": 25.0, "queue": 3.0, "io": 6.0 + 60.0}


def test_a_thread_that_gives_no_record_still_waits() -> None:
    thread = ThreadWaiting()
    thread.add(record(0, SLEEP, "S")._replace(wait="futex"))
    assert thread.until(5 * MS) == [(SLEEP, "lock", 5 * MS)]
    assert thread.until(7 * MS) == [(SLEEP, "lock", 2 * MS)]
    assert thread.until(7 * MS) == []


def test_a_futex_where_the_thread_computes_is_the_gil() -> None:
    by = groups(contended(20))
    assert by["gil"] > 0
    assert "lock" not in by


def test_what_the_kernel_tells_of_a_futex_decides_alone() -> None:
    exact = [sample._replace(wait="gil" if sample.wait else "") for sample in contended(20)]
    assert groups(exact)["gil"] == groups(contended(20))["gil"]
    of_a_lock = [sample._replace(wait="lock" if sample.wait else "") for sample in contended(20)]
    assert "gil" not in groups(of_a_lock)


def test_one_stack_may_wait_for_more_than_one_thing() -> None:
    """Who has slept beside threads that compute waits for the GIL at the same line."""
    samples = [
        record(20 * turn + at, SLEEP, "S", 0.01)._replace(wait=kind)
        for turn in range(10)
        for at, kind in ((0, "sleep"), (10, "gil"))
    ]
    by = groups(samples)
    assert by["sleep"] == pytest.approx(by["gil"], rel=0.2)
    assert set(by) == {"sleep", "gil"}


def test_uninterruptible_sleep_is_no_lock() -> None:
    """The state was read a moment before what it waits for."""
    for told, group in (("gil", "io"), ("", "io"), ("other", "io"), ("child", "child")):
        samples = [record(t, SLEEP, "D", 0.01)._replace(wait=told) for t in (0, 10, 20)]
        assert set(groups(samples)) == {group}


def test_woken_before_it_was_asked_what_for() -> None:
    samples = [record(t, SLEEP, "S", 0.01) for t in (0, 10, 20, 30)]
    samples[2] = samples[2]._replace(wait="poll")
    by = groups(samples)
    assert by["io"] == pytest.approx(20, abs=1)  # from the record before it on
    assert by["unknown"] == pytest.approx(10, abs=1)


def test_cpu_that_is_booked_late_is_taken_from_the_waits() -> None:
    samples = [
        record(0, SLEEP, "S")._replace(wait="sleep"),
        record(4, WORK, "R", 6),
        record(20, SLEEP, "S", 2)._replace(wait="sleep"),
    ]
    assert groups(samples) == {"sleep": 20.0 - 8.0}


def faulting(point: bool) -> list[Sample]:
    """WORK faults in short bursts that are hardly met; the faults arrive in OTHER."""
    samples = []
    for i in range(400):
        met = i % 20 == 0
        stack = WORK if met else OTHER
        made = record(10 * i, stack, "R", 10)._replace(faults=100)
        if point:
            made = made._replace(faults_in_window=20 if met else 0)
        samples.append(made)
    return samples


def test_the_point_rate_finds_who_touches() -> None:
    assert {(one.stack, one.unsure) for one in faults_of(faulting(point=True))} == {(WORK, 0)}


def test_who_is_caught_once_or_twice_did_not_touch_it_for_sure() -> None:
    """A burst of WORK that begins while OTHER is looked at is caught there."""
    samples = faulting(point=True)
    samples[110] = samples[110]._replace(faults_in_window=100)
    given_out = faults_of(samples)
    assert sum(one.faults for one in given_out if one.stack is OTHER) > 1000
    sure = sum(one.faults - one.unsure for one in given_out if one.stack is OTHER)
    assert sure <= 100
    assert sum(one.faults - one.unsure for one in given_out if one.stack is WORK) > 30_000


def test_without_it_nobody_is_said_for_sure_to_have_touched() -> None:
    given_out = faults_of(faulting(point=False))
    assert sum(one.unsure for one in given_out) == 40_000


def test_a_long_sleep_is_given_to_the_place_where_it_was_slept() -> None:
    """No record comes while a thread sleeps on; the sweep before a record says how long it did."""
    sleeps, locks = record(0, SLEEP, "S"), record(200, OTHER, "S", 0.1)
    waits = waiting_by_stack([sleeps, locks._replace(sweep_ns=10 * MS)], 220 * MS)
    by_stack = {stack: ns / MS for (stack, _), ns in waits.items()}
    assert by_stack == {SLEEP: 194.9, OTHER: 25.0}
    # Who does not know when it looked before can only halve it.
    halved = waiting_by_stack([sleeps, locks], 220 * MS)
    assert {stack: ns / MS for (stack, _), ns in halved.items()} == {SLEEP: 99.95, OTHER: 119.95}
