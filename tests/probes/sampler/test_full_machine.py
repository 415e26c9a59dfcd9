"""Who had a CPU when the sampler was woken, of those that stand in the queue for one."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from threading import Thread, get_native_id
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.sampler import stream, threads
from perftui.probes.sampler import wake as waking
from perftui.probes.sampler.roster import Roster
from perftui.probes.sampler.threads import KernelThread
from perftui.probes.sampler.wake import began_to_run_ns, wake

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHED = """python3 (4711, #threads: 3)
-------------------------------------------------------------------
se.exec_start                                :      {:.6f}
se.vruntime                                  :        341496.943085
"""


def sched(ran_ms: float) -> bytes:
    """Return a file of /proc that says when its thread used its CPU last."""
    return SCHED.format(ran_ms).encode()


@pytest.fixture
def thread() -> Iterator[KernelThread]:
    folder = os.open("/proc/self/task", os.O_RDONLY)
    made = KernelThread(os.getpid(), os.getpid(), 0, folder, "schedstat")
    made.state, made.on_cpu, made.biased = ord("R"), False, False
    yield made
    made.close()
    os.close(folder)


@pytest.mark.parametrize(
    ("ran_ms", "taken_over"), [(500.0, True), (499.97, True), (499.5, False), (470.0, False)]
)
def test_who_ran_until_we_were_given_its_cpu_had_it(
    thread: KernelThread, monkeypatch: pytest.MonkeyPatch, ran_ms: float, taken_over: bool
) -> None:
    monkeypatch.setattr(wake, "_ask", lambda: 500_000_000)
    wake.woken(0)
    thread._lost = sched(ran_ms)
    thread.judge_why_off()
    assert (thread.on_cpu, thread.biased) == (taken_over, not taken_over)


@pytest.mark.parametrize("usual_us", [15, 90])
def test_who_is_woken_as_late_as_ever_had_not_to_wait(
    monkeypatch: pytest.MonkeyPatch, usual_us: int
) -> None:
    """How late that is differs by machine; who waits for a CPU waits for 1 ms and more."""
    monkeypatch.setattr(wake, "_usual_ns", 100_000)
    late_us = [usual_us, usual_us + 20, 1_500, usual_us + 40, 8_000, usual_us + 5]
    told = []
    for late in late_us:
        monkeypatch.setattr(waking, "_now", lambda late=late: 10**9 + 1000 * late)
        wake.woken(10**9)
        told.append(wake.at_once)
    assert told == [late < 1000 for late in late_us]


def test_who_waits_for_a_cpu_all_the_time_is_never_woken_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wake, "_usual_ns", 20_000)
    monkeypatch.setattr(waking, "_now", lambda: 10**9 + 200_000)
    for _ in range(5_000):
        wake.woken(10**9)
        assert not wake.at_once


def test_who_sleeps_has_left_its_cpu_by_itself(
    thread: KernelThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is why we got it: at the end of every burst, however short."""
    monkeypatch.setattr(wake, "_ask", lambda: 500_000_000)
    wake.woken(0)
    thread._lost = sched(500.0)
    thread.state = ord("S")
    thread.judge_why_off()
    assert (thread.on_cpu, thread.biased) == (False, False)


def test_a_kernel_that_does_not_tell_is_asked_once(
    thread: KernelThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "_fd", os.open(os.devnull, os.O_RDONLY))
    wake.woken(0)
    thread._lost = sched(500.0)
    thread.judge_why_off()
    assert (thread.on_cpu, thread.biased) == (False, False)
    assert wake._fd == -1


@pytest.mark.parametrize("has_sched", [True, False])
def test_who_runs_has_been_given_a_cpu_once_more_than_it_lost_one(
    monkeypatch: pytest.MonkeyPatch, has_sched: bool
) -> None:
    """A thread looks at itself: it runs. Both files of the kernel say so.

    A young one: of threads that have run for long the two counts may have drifted apart.
    """
    if has_sched and not threads._HAS_SCHED:
        pytest.skip("this kernel has no /proc/self/sched")
    monkeypatch.setattr(threads, "_HAS_SCHED", has_sched)
    seen = []

    def look() -> None:
        folder = os.open("/proc/self/task", os.O_RDONLY)
        own = KernelThread(get_native_id(), os.getpid(), 0, folder, "schedstat")
        own.state = ord("R")
        for _ in range(10_000):  # it may lose it between the two looks
            own.read_switches()
            own.read_usage()
            own.judge_on_cpu()
            seen.append(own.on_cpu)
            if own.on_cpu:
                break
        own.close()
        os.close(folder)

    looks = Thread(target=look)
    looks.start()
    looks.join()
    assert seen[-1] is True


def test_this_kernel_says_the_time_or_nothing() -> None:
    try:
        raw = Path("/proc/self/sched").read_bytes()
    except OSError:
        pytest.skip("this kernel has no /proc/self/sched")
    assert began_to_run_ns(raw[: waking._SCHED_BYTES]) > 0
    with pytest.raises(ValueError, match="not found"):
        began_to_run_ns(b"nothing of it")


@pytest.mark.parametrize("crowded", [0.0, 0.5])
def test_who_has_slept_on_is_asked_one_thing_unless_cpus_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, crowded: float
) -> None:
    child = subprocess.Popen(["sleep", "600"])
    folder = os.open(f"/proc/{child.pid}/task", os.O_RDONLY)
    made = KernelThread(child.pid, child.pid, 0, folder, "schedstat")
    try:

        def asleep() -> bool:
            made.read_state()
            return made.state == ord("S") and made.read_usage() == (0, 0)

        wait_for(asleep, "it does not sleep")
        made.crowded = crowded
        assert made.sleeps_on() == (not crowded)
        monkeypatch.setattr(threads, "_pread", lambda fd, size, at: b"1 2 3\n")
        assert not made.sleeps_on()
    finally:
        child.kill()
        child.wait()
        made.close()
        os.close(folder)


def test_who_stands_in_the_queue_is_not_read_again_until_it_was_given_a_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = os.open("/proc/self/task", os.O_RDONLY)
    made = KernelThread(get_native_id(), os.getpid(), 0, folder, "schedstat")
    roster = SimpleNamespace(hot=[made])
    stand: list[KernelThread] = []
    try:
        monkeypatch.setattr(threads, "_pread", lambda fd, size, at: made.used)
        assert Roster.awake(roster, stand) == [made]  # type: ignore[arg-type]
        made.stands = 5, stream.QUEUED, -1
        assert Roster.awake(roster, stand) == []  # type: ignore[arg-type]
        assert stand == [made]
        monkeypatch.setattr(threads, "_pread", lambda fd, size, at: b"1 2 3\n")
        assert Roster.awake(roster, stand) == [made]  # type: ignore[arg-type]
        assert stand == [made]
        assert made.stands is None
    finally:
        made.close()
        os.close(folder)


def test_counts_that_have_drifted_apart_are_learned_while_the_thread_sleeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = subprocess.Popen(["sleep", "600"])
    folder = os.open(f"/proc/{child.pid}/task", os.O_RDONLY)
    made = KernelThread(child.pid, child.pid, 0, folder, "schedstat")
    turns, lost = 1_000, 1_190  # as the kernel says them of one that has no CPU

    def switches() -> None:
        made._switches, made.asked = lost, True

    def told() -> bool | None:
        made.read_switches()
        made.judge_on_cpu()
        return made.on_cpu

    monkeypatch.setattr(KernelThread, "read_switches", lambda self: switches())
    monkeypatch.setattr(threads.ProcFile, "read", lambda self, size=64: b"5 6 %d\n" % turns)
    try:
        made._turns = b"%d\n" % turns
        assert told() is None
        assert made.drifted
        made.learn_drift()
        assert not made.drifted
        assert told() is False
        made._turns = b"%d\n" % (turns + 1)
        assert told() is True
        made._turns = b"%d\n" % (turns + 2)  # it was given one between the two looks
        assert told() is None
        assert not made.drifted
        lost += 1
        assert told() is True
        made._turns = b"%d\n" % turns
        assert told() is None
        assert made.drifted
    finally:
        child.kill()
        child.wait()
        made.close()
        os.close(folder)


@pytest.mark.parametrize("has_sched", [True, False])
def test_who_naps_is_asked_on_though_no_look_meets_its_naps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_sched: bool
) -> None:
    """Of who never sleeps nothing is asked but now and then: whether it has begun to."""
    monkeypatch.setattr(threads, "_HAS_SCHED", has_sched)
    own = tmp_path / "1"
    own.mkdir()
    (own / "stat").write_bytes(Path("/proc/self/stat").read_bytes())
    (own / "schedstat").write_bytes(b"5 6 7\n")

    def told(naps: int) -> None:
        (own / "sched").write_text(
            f"nr_switches : 9\n\nnr_switches : 9\nnr_voluntary_switches : {naps}\n"
        )
        counts = f"voluntary_ctxt_switches:\t{naps}\nnonvoluntary_ctxt_switches:\t4\n"
        (own / "status").write_text(f"Name:\tx\n{counts}")

    folder = os.open(tmp_path, os.O_RDONLY)
    made = KernelThread(1, 1, 0, folder, "schedstat")
    made.crowded = 0.5

    def asked(looks: int, naps_each: int) -> int:
        times = naps = 0
        for _ in range(looks):
            if made.worth_asking():
                told(naps)
                made.read_switches()
                times += 1
            made.awake += 1
            naps += naps_each
        return times

    try:
        assert asked(400, naps_each=9) == 400
        assert asked(1_000, naps_each=0) < 150
        assert asked(1_000, naps_each=9) > 900
    finally:
        made.close()
        os.close(folder)


def test_a_thread_tells_how_often_it_was_given_a_cpu_since_it_was_asked() -> None:
    seen: list[tuple[int, int]] = []

    def naps() -> None:
        folder = os.open("/proc/self/task", os.O_RDONLY)
        made = KernelThread(get_native_id(), os.getpid(), 0, folder, "schedstat")
        for times in (0, 20):
            made.turns()
            for _ in range(times):
                time.sleep(0.0005)
            made.read_usage()
            seen.append((times, made.turns()))
        assert made.turns() == 0
        made.close()
        os.close(folder)

    napping = Thread(target=naps)
    napping.start()
    napping.join()
    assert len(seen) == 2
    assert seen[1][1] >= 20
