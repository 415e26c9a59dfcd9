from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.stacks import procfs
from perftui.probes.stacks.pace import RelayPace
from perftui.probes.stacks.recorder import SpyRecorder, SpyRecording, classify, find_sampler

NOT_RUNNING = "Error: Failed to get process executable name. Check that the process is running."


@pytest.mark.parametrize(
    ("returncode", "stderr", "alive", "outcome"),
    [
        (0, "", True, "ok"),
        (1, f"{NOT_RUNNING}\nReason: No such file or directory (os error 2)", False, "gone"),
        (1, f"{NOT_RUNNING}\nReason: Permission denied (os error 13)", True, "denied"),
        (1, f"{NOT_RUNNING}\nReason: Permission denied (os error 13)", False, "gone"),
        (1, "Permission Denied: Try running again with elevated permissions", True, "denied"),
        (1, "Error: Operation not permitted (os error 1)", True, "denied"),
        (1, "Error: Failed to find python version from target process", True, "not_python"),
        (1, "Error: Unsupported version of Python: 3.99.1", True, "unsupported"),
        (-9, "", True, "killed"),
        (143, "", True, "killed"),
        (101, "thread 'main' panicked", True, "failed"),
        (1, "Error: input/output error (os error 5)", True, "failed"),
    ],
)
def test_why_a_recorder_ended(returncode: int, stderr: str, alive: bool, outcome: str) -> None:
    assert classify(returncode, "", stderr, alive=alive) == outcome


def test_falling_behind_is_noticed() -> None:
    said = "py-spy> 1.20s behind in sampling, results may be inaccurate."
    assert classify(0, said, "", alive=True) == "behind"


def drain(recorder: SpyRecorder, limit_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + limit_s
    while not recorder.ended:
        assert time.monotonic() < end
        for fd in select.select(list(recorder.open_fds()), [], [], 0.1)[0]:
            recorder.read(fd)


@pytest.mark.live
def test_a_pid_that_is_gone(sampler: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    recorder = SpyRecorder(sampler, process.pid, 100, 5)
    drain(recorder)
    recording = recorder.finish(alive=procfs.is_alive(process.pid))
    assert (recording.outcome, recording.data) == ("gone", b"")
    assert recording.t_ready_ns is None


@pytest.mark.live
def test_no_descriptor_and_no_process_is_left(sampler: str) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = opened()
    for _ in range(3):
        recorder = SpyRecorder(sampler, os.getpid(), 100, 5)
        recorder.kill()
        drain(recorder)
        recorder.finish(alive=True)
        assert not procfs.is_alive(recorder.pid)
    # Threads that others have left may have files open for a moment.
    wait_for(lambda: opened() <= before, "descriptors are left")
    with pytest.raises(OSError):
        SpyRecorder("/nonexistent/py-spy", os.getpid(), 100, 5)
    # Threads that others have left may have files open for a moment.
    wait_for(lambda: opened() <= before, "descriptors are left")


def test_the_sampler_beside_the_interpreter_is_found(sampler: str) -> None:
    assert find_sampler() == sampler
    assert os.access(sampler, os.X_OK)


def recorded(pace: RelayPace, cpu_share: float, outcome: str = "ok") -> SpyRecording:
    second = 1_000_000_000
    return SpyRecording(
        outcome,  # type: ignore[arg-type]
        b"[]", 100, 0, cpu_share, 0, 0, second, pace.rate_hz, "",
    )  # fmt: skip


def test_dear_sampling_halves_the_rate_and_cheap_sampling_restores_it() -> None:
    pace = RelayPace(100, 1.0)
    said = [pace.cost(recorded(pace, 0.20)) for _ in range(6)]
    assert said[:5] == [""] * 5
    assert said[5] == "stack rate lowered to 50 Hz, sampling took 20% of a core"
    assert pace.rate_hz == 50
    said = [pace.cost(recorded(pace, 0.03)) for _ in range(10)]
    assert said == [""] * 9 + ["stack rate raised to 100 Hz again"]
    assert pace.rate_hz == 100


def test_falling_behind_halves_at_once_but_not_below_ten() -> None:
    pace = RelayPace(100, 1.0)
    for _ in range(3):
        pace.cost(recorded(pace, 0.01))
    rates = []
    for _ in range(6):
        pace.cost(recorded(pace, 0.01, "behind"))
        rates.append(pace.rate_hz)
    assert rates == [50, 25, 12, 10, 10, 10]
    slow = RelayPace(5, 1.0)
    assert slow.rate_hz == 5


def test_the_first_windows_are_short() -> None:
    pace = RelayPace(100, 1.0)
    lengths = []
    for _ in range(5):
        lengths.append(pace.window_ns / 1e9)
        pace.cost(recorded(pace, 0.01))
    assert lengths == [0.2, 0.3, 0.5, 1.0, 1.0]
