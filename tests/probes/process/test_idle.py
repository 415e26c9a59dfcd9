"""A process that waits is asked whether it has run, not read anew at each tick."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.waiting import wait_for

from perftui.probes.text.units import NS_PER_S

if sys.platform != "linux":
    pytest.skip("/proc", allow_module_level=True)

from perftui.probes.process.linux import LinuxProcess

WAITS = """
import sys
print("up", flush=True)
for line in sys.stdin: print(sum(range(99999)), flush=True)
"""

BEGETS = """
import subprocess, sys
print(flush=True)
for line in sys.stdin:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
    print(child.pid, flush=True)
"""


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """Count what this thread asks of `os`: threads that other tests have left ask it too."""
    calls: list[object] = []
    function, own = getattr(os, name), threading.get_ident()

    def call(*arguments: object) -> object:
        if threading.get_ident() == own:
            calls.append(arguments)
        return function(*arguments)

    monkeypatch.setattr(os, name, call)
    return calls


def test_who_has_not_run_has_what_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        reader = LinuxProcess(process.pid)
        reads = counted(monkeypatch, "pread")

        def until_it_waits() -> None:
            """After its line it still has a little to do, and may have to wait for a CPU."""
            stat = Path(f"/proc/{process.pid}/stat")
            deadline = time.monotonic() + 60
            while stat.read_text().rpartition(")")[2].split()[0] != "S":
                assert time.monotonic() < deadline
                time.sleep(0.001)

        until_it_waits()
        reader.fast(1)
        first = reader.fast(2)
        asked = len(reads)
        assert reader.fast(NS_PER_S // 2)._replace(t_ns=2) == first
        assert len(reads) == asked
        later = reader.fast(2 * NS_PER_S)  # memory can be taken from who does not run
        assert len(reads) == asked + 1
        process.stdin.write(b"go\n")
        process.stdin.flush()
        process.stdout.readline()
        until_it_waits()
        ran = reader.fast(2 * NS_PER_S + 1)
        assert len(reads) == asked + 2
        assert ran.cpu_s > later.cpu_s
        reader.close()


def test_a_parent_that_has_not_run_is_not_asked_for_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BEGETS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        _until_it_sleeps(process.pid)
        reader = LinuxProcess(process.pid)
        assert reader.children() == []
        lists = counted(monkeypatch, "listdir")
        assert reader.children() == []
        assert not lists, "nothing can have changed"
        assert len(reader.threads(1)) == 1
        assert lists
        lists.clear()
        assert [row._replace(t_ns=1) for row in reader.threads(2)] == reader.threads(1)
        assert not lists
        reader.threads(2 * NS_PER_S)  # not for ever
        assert lists
        process.stdin.write(b"go\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        _until_it_sleeps(process.pid)
        assert reader.children() == [child]
        assert reader.children() == [child], "children may end without any CPU of their parent"
        process.stdin.close()
        reader.close()


def _until_it_sleeps(pid: int) -> None:
    stat = Path(f"/proc/{pid}/stat")
    wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "S")
