"""Whole sessions on real programs, below the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import has_ended, wait_for, whole_line

from perftui.probes.machine.rights import Right
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.probes.session_parts import base as base_module
from perftui.probes.session_parts import stacks as stacks_module
from perftui.probes.summary import summarize
from perftui.probes.target.target import LaunchError

BUSY = "import time\ndef burn():\n while time.process_time() < 1.0: sum(range(500))\nburn()"


def launch(code: str, *, behind_screen: bool = True) -> Session:
    argv = [sys.executable, "-c", code]
    return Session.launch(argv, "test", ProbeOptions(), behind_screen=behind_screen)


def test_without_the_right_to_trace_stacks_come_from_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    denied = Right(False, "ptrace is not permitted", "run as root")
    monkeypatch.setattr(stacks_module, "can_trace", lambda _: denied)
    session = launch(BUSY)
    assert session.wait(60)
    session.close()
    summary = summarize(session.store)
    assert summary["stacks"]["backend"] == "in-process"
    assert summary["stacks"]["top"][0]["function"] == "burn"
    assert summary["stacks"]["coverage"] > 0.5
    said = [notice.text for notice in session.store.status().notices]
    assert "no stacks from outside: ptrace is not permitted; run as root" in said


def test_output_of_a_program_behind_the_screen_is_live_although_it_is_no_terminal() -> None:
    session = launch("import time\nprint('at once')\ntime.sleep(600)")
    try:
        wait_for(lambda: session.store.log_lines(0, 1 << 62))
        assert session.store.log_lines(0, 1 << 62)[0].text == "at once"
    finally:
        session.stop_target()
        session.close()
    end = session.exit()
    assert end is not None
    assert end.signal == 15


def test_a_program_behind_the_screen_has_empty_input() -> None:
    session = launch("import sys; sys.exit(len(sys.stdin.read()) + 4)")
    assert session.wait(60)
    session.close()
    end = session.exit()
    assert end is not None
    assert end.exit_code == 4


def test_python_children_have_stacks_too() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    session = launch(code)
    assert session.wait(60)
    session.close()
    functions = {row["function"] for row in summarize(session.store)["stacks"]["top"]}
    assert "burn" in functions
    assert len(session.store.processes()) == 2


def test_exec_keeps_the_session_alive() -> None:
    code = (
        "import os, sys, time\ntime.sleep(0.5)\n"
        f"os.execv(sys.executable, [sys.executable, '-c', {BUSY!r}])"
    )
    session = launch(code)
    assert session.wait(60)
    session.close()
    functions = {row["function"] for row in summarize(session.store)["stacks"]["top"]}
    assert "burn" in functions


def test_closing_an_attached_session_leaves_the_process_running() -> None:
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
    try:
        session = Session.attach(process.pid, ProbeOptions())
        wait_for(lambda: session.store.call_tree(0, 1 << 62))
        session.close()
        assert process.poll() is None
        assert "State:\tT" not in Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.kill()
        process.wait()


def test_a_suspended_and_resumed_target_is_still_watched() -> None:
    session = launch("import time\nfor n in range(120): time.sleep(0.01)")
    session.send(19)  # SIGSTOP
    time.sleep(0.6)
    session.send(18)  # SIGCONT
    assert session.wait(60)
    session.close()
    end = session.exit()
    assert end is not None
    assert end.exit_code == 0


def test_a_secret_on_the_command_line_is_in_no_title() -> None:
    argv = [sys.executable, "-c", "pass", "--token", "s3cret"]
    session = Session.launch(argv, " ".join(argv), ProbeOptions(), behind_screen=True)
    assert session.wait(60)
    session.close()
    assert "s3cret" not in repr(session.store.target())
    assert "s3cret" not in repr(session.store.processes())


def test_a_target_that_cannot_be_watched_is_ended_and_not_left_unsaid(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"

    def fail(*_: object, **__: object) -> None:
        whole_line(pid_file)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(base_module, "DetectorProbe", fail)
    code = (
        "import os, time\n"
        f"with open({str(pid_file)!r}, 'w') as file: print(os.getpid(), file=file)\n"
        "time.sleep(99)\n"
    )
    argv = [sys.executable, "-I", "-c", code]
    with pytest.raises(LaunchError, match=r"cannot be watched .*new thread.*: it was ended"):
        Session.launch(argv, "test", ProbeOptions(), behind_screen=True)
    assert has_ended(int(whole_line(pid_file)))
