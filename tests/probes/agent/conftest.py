"""Real interpreters, with the agent and without it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.pythons import on_every_python
from support.waiting import wait_for as until

from perftui.probes.agent_link.launch import agent_environment

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence

ADDRESS = re.compile(r"at 0x[0-9a-f]+")
"""The one thing that differs from run to run anyway."""


class Outcome(NamedTuple):
    """What somebody outside sees of a program."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Recorded(NamedTuple):
    """A program's outcome and what its agent said."""

    outcome: Outcome
    lines: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["k"] == kind]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_every_python(metafunc)


def plain_environment(**extra: str) -> dict[str, str]:
    """An environment with nothing of the test run's own Python in it."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {**{k: os.environ[k] for k in keep if k in os.environ}, **extra}


def finish(
    process: subprocess.Popen[bytes], stdin: bytes, send: signal.Signals | None, wait_for: bytes
) -> Outcome:
    """Run to the end; with `send`, send that signal once `wait_for` was written to stdout."""
    seen = b""
    if send is not None:
        assert process.stdout is not None
        while wait_for not in seen:
            more = os.read(process.stdout.fileno(), 1 << 16)
            if not more:
                break
            seen += more
        until(lambda: rests(process.pid))  # it is on its way to where it waits
        process.send_signal(send)
    stdout, stderr = process.communicate(stdin, timeout=60)
    return Outcome(process.returncode, seen + stdout, stderr)


def rests(pid: int) -> bool:
    """Tell whether the main thread sleeps on, or has ended.

    One that waits for the GIL sleeps too, but for some milliseconds at a time.
    """
    first = sleeps(pid)
    if first:
        time.sleep(0.03)
    return bool(first) and first == sleeps(pid)


def sleeps(pid: int) -> tuple[str, ...]:
    """Return how often a sleeping main thread was given a CPU, () while it runs."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    if not any(line.startswith(("State:\tS", "State:\tZ")) for line in lines):
        return ()
    return ("asleep", *(line for line in lines if "ctxt_switches" in line))


def run_plain(
    argv: Sequence[str],
    env: dict[str, str],
    cwd: Path,
    stdin: bytes = b"",
    send: signal.Signals | None = None,
    wait_for: bytes = b"ready",
) -> Outcome:
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe)
    return finish(process, stdin, send, wait_for)


def run_watched(
    argv: Sequence[str],
    env: dict[str, str],
    cwd: Path,
    stdin: bytes = b"",
    send: signal.Signals | None = None,
    wait_for: bytes = b"ready",
    sampler_hz: float | None = None,
    by_gate: bool = False,
    hears_orders: bool = False,
) -> Recorded:
    child_env, fds, channel = agent_environment(
        env, sampler_hz=None if by_gate else sampler_hz, hears_orders=hears_orders
    )
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        argv, env=child_env, cwd=cwd, pass_fds=fds, stdin=pipe, stdout=pipe, stderr=pipe
    )
    channel.close_child_ends()
    channel.open_gate(sampler_hz=sampler_hz if by_gate else None)
    outcome = finish(process, stdin, send, wait_for)
    lines = [json.loads(line) for line in read_all(channel.read_fd).splitlines()]
    channel.close()
    return Recorded(outcome, lines)


def read_all(fd: int) -> bytes:
    """What is in a pipe that does not block."""
    data = b""
    while True:
        try:
            more = os.read(fd, 1 << 16)
        except BlockingIOError:
            return data
        if not more:
            return data
        data += more


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., Recorded]:
    """Run `argv` with the agent: keywords as `run_watched`."""

    def run(*argv: str, env: dict[str, str] | None = None, **options: Any) -> Recorded:
        return run_watched(argv, env or plain_environment(), tmp_path, **options)

    return run


@pytest.fixture
def same(tmp_path: Path) -> Callable[..., Recorded]:
    """Run `argv` without and with the agent and require the same bytes and exit code."""

    def run(
        *argv: str,
        env: dict[str, str] | None = None,
        ignore: str | None = None,
        agent: bool = True,
        **options: Any,
    ) -> Recorded:
        chosen = plain_environment() if env is None else env
        before = run_plain(argv, chosen, tmp_path, **options)
        after = run_watched(argv, chosen, tmp_path, **options)

        def shown(outcome: Outcome) -> tuple[int, str, str]:
            texts = []
            for stream in (outcome.stdout, outcome.stderr):
                text = ADDRESS.sub("at 0x", stream.decode("utf-8", "backslashreplace"))
                texts.append(re.sub(ignore, "", text) if ignore else text)
            return outcome.exit_code, texts[0], texts[1]

        assert shown(after.outcome) == shown(before)
        assert bool(after.of("hello")) is agent, "the agent was (not) there"
        return after

    return run
