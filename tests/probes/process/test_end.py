"""The end of a process that is not ours to wait for, with and without the kernel's descriptor."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from support.measuring import measured
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.process import end
from perftui.probes.process.end import EndOfProcess
from perftui.probes.process.opening import open_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(params=["told by the kernel", "looked for"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "looked for":
        monkeypatch.setattr(end, "_pidfd", lambda pid: -1)
    return str(request.param)


def waiting() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def waited(watch: EndOfProcess) -> tuple[Thread, list[bool]]:
    answers: list[bool] = []
    thread = Thread(target=lambda: answers.append(watch.wait()))
    thread.start()
    return thread, answers


def test_the_end_is_told_before_anybody_reaps_it(way: str) -> None:
    with waiting() as process:
        thread, answers = waited(EndOfProcess(open_process(process.pid)))
        assert process.stdin is not None
        process.stdin.close()
        thread.join(PATIENCE_S)
        assert answers == [True]


def test_whoever_leaves_is_told_nothing_and_the_process_lives(way: str) -> None:
    with waiting() as process:
        watch = EndOfProcess(open_process(process.pid))
        thread, answers = waited(watch)
        watch.leave()
        watch.leave()
        thread.join(PATIENCE_S)
        assert answers == [False]
        assert process.poll() is None


def test_no_descriptor_is_left() -> None:
    def opened() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = opened()
    with waiting() as process:
        reader = open_process(process.pid)
        for _ in range(20):
            watch = EndOfProcess(reader)
            watch.leave()
            assert watch.wait() is False
            del watch
        reader.close()
    # Threads that others have left may have files open for a moment.
    wait_for(lambda: opened() <= before, "descriptors are left")


def test_nobody_wakes_up_while_nothing_happens() -> None:
    if end._pidfd(os.getpid()) < 0:
        pytest.skip("this kernel has no pidfd_open")
    with waiting() as process:
        watch = EndOfProcess(open_process(process.pid))
        thread, _ = waited(watch)
        status = Path(f"/proc/self/task/{thread.native_id}/status")

        def woken() -> int:
            text = status.read_text()
            return int(text.rpartition("\nvoluntary_ctxt_switches:")[2].split()[0])

        def woken_in_a_while() -> int:
            before = woken()
            time.sleep(0.7)
            return woken() - before

        # At first it may have to wait for the GIL, which wakes it up too.
        most = measured(woken_in_a_while, lambda times: times <= 3, tries=20)
        assert most <= 3, "looking would be fourteen times"
        watch.leave()
        thread.join(PATIENCE_S)
