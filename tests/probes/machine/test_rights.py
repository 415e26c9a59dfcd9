from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time

import pytest

from perftui.probes.machine import rights

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
PRCTL = (
    "import ctypes,sys\nctypes.CDLL(None).prctl(4,0,0,0,0)\nprint(1,flush=True)\nsys.stdin.read()"
)


def test_a_pid_that_is_gone_is_named() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    right = rights.can_trace(process.pid)
    assert not right.ok
    assert str(process.pid) in right.reason


@linux_only
def test_a_zombie_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    right = rights.can_trace(process.pid)
    process.wait()
    process.stdout.close()
    assert (right.ok, right.reason) == (False, f"process {process.pid} has ended")


@linux_only
def test_our_own_child_may_be_read() -> None:
    if rights.yama_scope() in (2, 3) and not rights.has_trace_capability():
        pytest.skip("this kernel lets nobody read")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    right = rights.can_trace(process.pid)
    process.communicate(b"\n")
    assert right.ok, right
    assert right.reason


@linux_only
@pytest.mark.parametrize("scope", [0, 1, 2, 3])
def test_what_each_yama_scope_means(monkeypatch: pytest.MonkeyPatch, scope: int) -> None:
    monkeypatch.setattr(rights, "yama_scope", lambda: scope)
    monkeypatch.setattr(rights, "has_trace_capability", lambda: False)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    right = rights.can_trace(process.pid)
    process.communicate(b"\n")
    assert right.ok is (scope in (0, 1))
    if scope >= 2:
        assert f"ptrace_scope is {scope}" in right.reason
        assert right.remedy
    if scope == 1:
        assert "tracer" in right.reason


@linux_only
def test_another_user_and_a_hidden_process_are_denied() -> None:
    """Asked from a process that gave up root: the kernel's answer, not a simulated one."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    target = subprocess.Popen(
        [sys.executable, "-c", PRCTL], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert target.stdout is not None
    target.stdout.readline()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            other = rights.can_trace(target.pid)
            answer = f"{other.ok}|{other.reason}|{other.remedy}"
        except BaseException as error:
            answer = repr(error)
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    ok, reason, remedy = os.read(reader, 4096).decode().split("|")
    os.close(reader)
    target.communicate()
    assert ok == "False"
    assert "belongs to user 0" in reason
    assert "sudo" in remedy


@linux_only
def test_a_process_that_is_not_dumpable_is_denied() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to start a process of another user")

    def become_nobody() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become_nobody()
            target = os.fork()
            if target == 0:
                ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
                os.write(writer, b"!")
                time.sleep(60)
            os.read(reader, 1)
            right = rights.can_trace(target)
            os.write(writer, f"{right.ok}|{right.reason}".encode())
            os.kill(target, 9)
        except BaseException as error:
            os.write(writer, repr(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    ok, reason = os.read(reader, 4096).decode().split("|")
    os.close(reader)
    assert ok == "False"
    assert "not dumpable" in reason
