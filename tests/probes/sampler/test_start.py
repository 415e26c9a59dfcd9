"""The sampler's process: what it loads, with what it runs, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from support.sampler import ALL, clean_environment

from perftui.probes.stacks.own.records import Sample
from perftui.probes.stacks.own.source import START, OwnSampler

DEAR = {
    "typing",
    "re",
    "json",
    "random",
    "enum",
    "dataclasses",
    "subprocess",
    "threading",
    "shutil",
}
"""Modules that would each cost a fifth of the start or more."""


def test_it_loads_little_and_nothing_of_ours_around_it() -> None:
    text = (
        "import sys, ctypes; known = set(sys.modules)\n"  # in 3.14 that has threading
        f"sys.argv = ['start.py', 'x']; path = {str(START)!r}\n"
        "try: exec(open(path).read(), {'__name__': '__main__', '__file__': path})\n"
        "except SystemExit: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-E", "-c", text + "print(*set(sys.modules) - known)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "perftui_sampler.loop" in loaded
    assert not loaded & DEAR
    assert not any(name.split(".")[0] == "perftui" for name in loaded)


def test_a_wrong_argument_is_one_line() -> None:
    done = subprocess.run([sys.executable, str(START), "what"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("minor", sorted(ALL))
def test_every_python_can_run_it(minor: int) -> None:
    text = "def f():\n while True: sum(range(50))\nf()"
    target = subprocess.Popen([sys.executable, "-c", text], env=clean_environment())
    sampler = OwnSampler([target.pid], python=ALL[minor])
    try:
        for record in sampler.records():
            stack = record.stack if isinstance(record, Sample) else None
            if stack is not None and stack.place.function == "f":
                break
        else:
            pytest.fail("it ended without a stack")
    finally:
        code = sampler.close()
        target.kill()
        target.wait()
    assert code == 0


def test_it_ends_when_nobody_reads() -> None:
    target = subprocess.Popen([sys.executable, "-c", "while True: sum(range(50))"])
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-E", str(START), str(target.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
        target.kill()
        target.wait()


def test_an_interrupt_of_the_terminal_is_not_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C reaches it too, also while it starts: it goes on as long as its owner wants."""
    text = "def f():\n while True: sum(range(50))\nf()"
    target = subprocess.Popen([sys.executable, "-c", text], env=clean_environment())
    try:
        for delay_s in (0.01, 0.02, 0.04, 0.1):
            sampler = OwnSampler([target.pid])
            time.sleep(delay_s)
            os.kill(sampler.pid, signal.SIGINT)
            samples = (record for record in sampler.records() if isinstance(record, Sample))
            assert next(samples, None) is not None
            assert sampler.close() == 0
    finally:
        target.kill()
        target.wait()
    assert capfd.readouterr().err == ""
