"""Threads that are known by address only: which of the kernel's are they?"""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from perftui.probes.stacks.procfs import number_of_thread, thread_ids

PROGRAM = """
import json, sys, threading
told = []
def tell():
    told.append((threading.get_ident(), threading.get_native_id()))
    if len(told) == 3: print(json.dumps(told), flush=True)
    stop.wait()
stop = threading.Event()
for _ in range(2): threading.Thread(target=tell, daemon=True).start()
tell()
"""
glibc = pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc",
    reason="only there it is known where",
)


@glibc
def test_each_thread_is_found_by_its_address() -> None:
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        assert len(told) == 3
        assert [number_of_thread(program.pid, address) for address, _ in told] == [
            number for _, number in told
        ]
        assert {number for _, number in told} <= thread_ids(program.pid)
        assert number_of_thread(program.pid, told[0][0] + 16) == 0
        assert number_of_thread(program.pid, 1 << 40) == 0
    finally:
        program.kill()
        program.communicate()
    assert number_of_thread(program.pid, told[0][0]) == 0
