"""The whole way: a program, what it is made of, its recording, SQL and the summary."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.session import ProbeOptions, RecordOptions, Session
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import ctypes, time
kept = [object() for _ in range(2_000_000)]
big = bytearray(b"x" * 50_000_000)
time.sleep(600)
"""


@pytest.mark.live
def test_a_recording_says_of_memory_what_the_session_said(tmp_path: Path) -> None:
    session = Session.launch(
        [sys.executable, "-c", PROGRAM],
        "program",
        ProbeOptions(stacks=False),
        behind_screen=True,
        record=RecordOptions(directory=tmp_path / "a.perftui"),
    )
    try:
        wait_for(lambda: (session.reader.last("part:Python heap") or 0) > 32_000_000)
        # A part of its own once the agent has asked malloc, and a reading came after that.
        wait_for(lambda: (session.reader.last("part:malloc") or 0) > 50_000_000)
    finally:
        session.stop_target()
        session.close()
    told = summarize(session.store)["memory"]
    recorded = summarize(open_recording(tmp_path / "a.perftui"))["memory"]
    assert told["counted"] == "RSS"
    assert {"Python heap", "malloc", "libraries", "stacks"} <= told["parts"].keys()
    assert recorded["parts"] == told["parts"]
    assert recorded["pools"] == told["pools"]
    assert recorded["peak_pss_bytes"] == told["peak_pss_bytes"]
