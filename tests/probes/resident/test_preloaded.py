"""A real allocator put in place of malloc: named, and glibc's own figures are not believed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.preloaded import library_of

from perftui.probes.resident.parts import GivenOut, parts_of
from perftui.probes.resident.smaps import read_mappings

PROGRAM = """
import sys
kept = [bytes(200_000) + b"x" for _ in range(100)]
print("kept", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["jemalloc", "mimalloc"])
def test_what_it_has_is_under_its_name_and_the_parts_sum(name: str) -> None:
    library = library_of(name)
    if library is None:
        pytest.skip(f"{name} is not installed")
    pipe = subprocess.PIPE
    env = {"PATH": os.environ["PATH"], "LD_PRELOAD": library}
    argv = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=env) as target:
        assert target.stdin is not None and target.stdout is not None
        try:
            assert target.stdout.readline() == b"kept\n"
            mappings = read_mappings(Path(f"/proc/{target.pid}/smaps").read_bytes())
        finally:
            target.stdin.close()
    assert mappings.allocator == name
    glibc = {"malloc": GivenOut(10**9), "malloc mapped": GivenOut(10**9)}
    parts = {part.name: part.rss_bytes for part in parts_of(mappings, None, glibc)}
    assert sum(parts.values()) == mappings.rss_bytes
    assert parts[f"{name}, not told"] > 19_000_000
    # What the loader took from glibc's before the other one was there.
    assert sum(size for part, size in parts.items() if part.startswith("malloc")) < 1_000_000
