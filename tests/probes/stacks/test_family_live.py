from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from perftui.probes.spine.records import Notice, Stack, StackWindow
from perftui.probes.stacks import procfs
from perftui.probes.stacks.family import FamilyStackProbe

from .conftest import Collected, Launch, wait_until

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
PARENT = """
import multiprocessing, subprocess, sys, time
def child():
    while True: sum(range(2000))
def parent():
    while True: time.sleep(0.05)
sleep = subprocess.Popen(["sleep", "60"])
for _ in range(int(sys.argv[1])):
    multiprocessing.get_context("fork").Process(target=child, daemon=True).start()
parent()
"""


@linux_only
@pytest.mark.live
def test_every_python_process_of_the_tree_has_stacks(
    collected: Collected, sampler: str, launch: Launch
) -> None:
    process = launch(PARENT, "2")
    wait_until(lambda: len(procfs.children_of(process.pid)) == 3)
    children = procfs.children_of(process.pid)
    python = {pid for pid in children if procfs.looks_python(pid)}
    assert len(python) == 2
    probe = FamilyStackProbe(
        collected.log,
        process.pid,
        lambda: [process.pid, *procfs.children_of(process.pid)],
        window_s=0.3,
        sampler=sampler,
    )
    probe.start()
    wait_until(lambda: {stack.pid for stack in collected.of(Stack)} == {process.pid, *python})
    wait_until(lambda: {w.rate_hz for w in collected.of(StackWindow)} >= {33})
    for pid, function in ((process.pid, "parent"), *((pid, "child") for pid in python)):
        nodes = [stack.node for stack in collected.of(Stack) if stack.pid == pid]
        assert any(function in collected.functions(node) for node in nodes)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not set(probe.sampled) & {process.pid, *python})
    probe.stop()
    assert collected.troubles() == []


@linux_only
@pytest.mark.live
def test_more_processes_than_places(collected: Collected, sampler: str, launch: Launch) -> None:
    process = launch(PARENT, "3")
    wait_until(lambda: len(procfs.children_of(process.pid)) == 4)
    probe = FamilyStackProbe(
        collected.log,
        process.pid,
        lambda: [process.pid, *procfs.children_of(process.pid)],
        most=2,
        sampler=sampler,
    )
    probe.start()
    wait_until(lambda: collected.of(Notice))
    wait_until(lambda: len(probe.sampled) == 2)
    probe.stop()
    assert "2 processes at once" in collected.of(Notice)[0].text


@linux_only
def test_what_python_looks_like(launch: Launch) -> None:
    assert procfs.looks_python(launch("import time; time.sleep(60)").pid)
    other = subprocess.Popen(["sleep", "60"])
    try:
        wait_until(lambda: procfs.image_of(other.pid).endswith(("sleep", "coreutils", "busybox")))
        assert procfs.looks_python(other.pid) is False
    finally:
        other.kill()
        other.wait()
    assert procfs.looks_python(other.pid) is None
    assert not procfs.is_alive(other.pid)
    assert procfs.thread_ids(other.pid) == set()
