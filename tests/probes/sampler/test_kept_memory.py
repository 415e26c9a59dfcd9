"""What a sweep gives back stays with the sampler: the heap does not shrink and grow again."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

CODE = """
import ctypes, sys
from perftui.probes.sampler import memory
if sys.argv[1] == "keeps":
    memory.keep_what_is_freed()
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
blocks = [bytes(2_000) for _ in range(1_000)]
high = libc.sbrk(0)
del blocks
print(libc.sbrk(0) == high)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another allocator")
@pytest.mark.parametrize("how", ["keeps", "as it is"])
def test_the_heap_stays_as_long_as_it_was(how: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str(how == "keeps")
