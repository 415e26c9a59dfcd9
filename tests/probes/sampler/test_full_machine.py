"""Who had a CPU when the sampler was woken, of those that stand in the queue for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perftui.probes.sampler import threads
from perftui.probes.sampler.threads import KernelThread, began_to_run_ns
from perftui.probes.sampler.wake import Wake

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHED = """python3 (4711, #threads: 3)
-------------------------------------------------------------------
se.exec_start                                :      {:.6f}
se.vruntime                                  :        341496.943085
"""


class Told:
    """A file of /proc that says when its thread used its CPU last."""

    def __init__(self, ms: float) -> None:
        self.raw = SCHED.format(ms).encode()

    def read(self, _size: int) -> bytes:
        return self.raw

    def close(self) -> None:
        pass


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
    monkeypatch.setattr(threads, "_own", [Told(500.0)])
    thread._sched = Told(ran_ms)  # type: ignore[assignment]
    thread.judge_why_off()
    assert (thread.on_cpu, thread.biased) == (taken_over, not taken_over)


def test_our_own_wait_is_asked_only_if_somebody_wants_to_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited = iter((1_000_000, 1_010_000, 1_010_000, 9_000_000))
    monkeypatch.setattr(Wake, "_queued_ns", lambda: next(waited))
    told = []
    for asked in (True, True, False):
        monkeypatch.setattr(Wake, "asked", asked)
        Wake.sleeps()
        Wake.woken()
        told.append(Wake.at_once)
    assert told == [True, False, False]
    assert next(waited, None) is None


def test_who_sleeps_has_left_its_cpu_by_itself(
    thread: KernelThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is why we got it: at the end of every burst, however short."""
    monkeypatch.setattr(threads, "_own", [Told(500.0)])
    thread._sched = Told(500.0)  # type: ignore[assignment]
    thread.state = ord("S")
    thread.judge_why_off()
    assert (thread.on_cpu, thread.biased) == (False, False)


def test_a_kernel_that_does_not_tell_is_asked_once(
    thread: KernelThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Told(0)
    nothing.raw = b"python3 (4711, #threads: 3)\n"
    monkeypatch.setattr(threads, "_own", [nothing])
    thread._sched = Told(500.0)  # type: ignore[assignment]
    thread.judge_why_off()
    assert (thread.on_cpu, thread.biased) == (False, False)
    assert threads._own == [None]


def test_this_kernel_says_the_time_or_nothing() -> None:
    try:
        raw = Path("/proc/self/sched").read_bytes()
    except OSError:
        pytest.skip("this kernel has no /proc/self/sched")
    assert began_to_run_ns(raw[: threads._SCHED_BYTES]) > 0
    with pytest.raises(ValueError, match="not found"):
        began_to_run_ns(b"nothing of it")
