"""Programs that do what profilers stumble over: they end as they would, and are recorded."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest
from support.faults.attacked import Attacked
from support.faults.programs import PHASES, SAYS_END, program

from perftui.probes.recording.read.reader import open_recording

if TYPE_CHECKING:
    from pathlib import Path

ROOT_ONLY = {"setuid", "pid namespace"}
LONG = {"exec", "200 forks", "300 threads"}


def survives(run: Attacked, last: str) -> None:
    assert run.wait_for_witness("begun"), run.said()[-2000:]
    assert run.wait_for_target(), "it did not end"
    assert run.wait_for_perftui() == 7, run.words()
    assert run.witness.read_text().splitlines()[-1] == last
    assert run.witness.read_text().count("begun") == 1
    assert "Traceback" not in run.said()
    assert run.unreadable() == ""
    assert run.left() == []


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.live if name in LONG else ()) for name in SAYS_END],
)
def test_it_ends_as_it_would(tmp_path: Path, name: str) -> None:
    if name in ROOT_ONLY and os.geteuid() != 0:
        pytest.skip("only root may")
    if name == "pid namespace" and shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    body, last = SAYS_END[name]
    run = Attacked(tmp_path, program(body))
    try:
        survives(run, last)
        if name == "floods":
            assert run.output().count(b"o") >= 40_000_000
    finally:
        run.close()


def test_perftui_that_is_stopped_and_continued_sends_the_program_no_signal(tmp_path: Path) -> None:
    """sigtimedwait told of one that nobody had sent, and perftui ended over it."""
    source = """
import signal
got = []
for number in set(range(1, 65)) - {signal.SIGCHLD}:
    try: signal.signal(number, lambda number, _: got.append(number))
    except (OSError, ValueError): pass
say("listening")
time.sleep(1.2)
say("end", got)
"""
    run = Attacked(tmp_path, program(source))
    try:
        assert run.wait_for_witness("listening")
        for _ in range(3):
            os.kill(run.perftui.pid, signal.SIGSTOP)
            time.sleep(0.2)  # longer than a step of its waiting
            os.kill(run.perftui.pid, signal.SIGCONT)
            time.sleep(0.02)
        survives(run, "end []")
    finally:
        run.close()


def test_more_phases_than_a_pipe_takes_are_told_or_counted(tmp_path: Path) -> None:
    """perftui ends soon after the program: it does not work off what nobody waits for."""
    dropped = 0
    for phases in (30_000, 120_000, 480_000):  # a program that gets no CPU says them slowly
        folder = tmp_path / str(phases)
        folder.mkdir()
        run = Attacked(folder, program(PHASES.replace("1_000_000", str(phases))))
        try:
            survives(run, f"end {phases - 1}")
            told, dropped = counted(run)
        finally:
            run.close()
        # Of other lines some may be dropped as well. The count of those that are dropped last is
        # in the last line of all, which finds no room where nobody reads for a fifth of a second.
        assert 1.8 * phases <= told + dropped <= 2 * phases + 100, (told, dropped)
        if dropped > 100:
            return
    raise AssertionError(f"{dropped} of {2 * phases} were dropped")


def counted(run: Attacked) -> tuple[int, int]:
    """Return how many beginnings and ends of phases are in a recording, and how many are lost."""
    reader = open_recording(run.recording)
    return len(reader.catalog.whole("phase_edges")), reader.status().dropped_records
