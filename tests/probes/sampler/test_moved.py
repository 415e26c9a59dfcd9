"""A thread that goes on between two of our questions about it, and then sleeps for long."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from support.sampler import clean_environment
from support.sampler_stream import Collected, decode
from support.waiting import wait_for

from perftui.probes.sampler import stream
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.target import SampledProcess
from perftui.probes.sampler.threads import KernelThread
from perftui.probes.stacks.own.records import Sample

if TYPE_CHECKING:
    import pytest

PROGRAM = """
import sys, time
def first(): sys.stdin.readline()
def second(): time.sleep(600)
print("go", flush=True)
first()
print("on", flush=True)
second()
"""


def test_who_goes_to_sleep_elsewhere_while_it_is_looked_at_is_found_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its stack is read, it runs on and sleeps, and then it is asked what it has used."""
    program = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    assert program.stdin is not None
    assert program.stdout is not None
    stdin, stdout = program.stdin, program.stdout
    writer = Collected()
    writer.block(stream.HELLO, stream.HELLO_FIELDS.pack(stream.VERSION, 0))
    state = Path(f"/proc/{program.pid}/stat")
    raw = b""

    def met() -> list[str]:
        """Sweep once; return where it was met in all sweeps."""
        nonlocal raw
        seen.sweep(time.monotonic_ns())
        raw += writer.take()
        samples = [record for record in decode(raw, []) if isinstance(record, Sample)]
        return [next(iter(sample.stack or ())).function for sample in samples if sample.stack]

    def asleep() -> bool:
        return state.read_text().rpartition(") ")[2].startswith("S")

    try:
        assert stdout.readline() == "go\n"
        wait_for(asleep, "it does not sleep")
        seen = SampledProcess(program.pid, 0, Names(writer), writer, born=True)
        wait_for(lambda: met()[-1:] == ["first"], "it is not met where it waits")
        asked = KernelThread.read_state

        def goes_on(thread: KernelThread) -> int:
            monkeypatch.setattr(KernelThread, "read_state", asked)
            stdin.write("\n")
            stdin.flush()
            assert stdout.readline() == "on\n"
            wait_for(asleep, "it does not sleep again")
            return asked(thread)

        monkeypatch.setattr(KernelThread, "read_state", goes_on)
        met()
        assert KernelThread.read_state is asked
        wait_for(lambda: met()[-1] == "second", "it is not found where it sleeps now")
        records = len(met())
        assert len(met()) == records  # it sleeps on, and is not told again and again
        seen.close()
    finally:
        program.kill()
        program.communicate()
