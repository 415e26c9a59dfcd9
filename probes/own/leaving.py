"""How a command of ours ends: without taking hundreds of modules apart first.

The interpreter clears every module and frees every object before it leaves, and threads that still
run meet globals that are None by then. The kernel takes back all of that at once: 5 % of the CPU
of a short command (`benchmarks/start_cost.py`).
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress


def leave(code: int) -> int:
    """End this process, after all that asked to be called at its end.

    Args:
        code: Its exit code. All that was said must have been written.

    Returns:
        The code, if other threads have to come to their end first: the interpreter waits then.
    """
    others = set(threading.enumerate()) - {threading.current_thread()}
    if any(not thread.daemon for thread in others):
        return code
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or None
            stream.flush()
    os._exit(code & 0xFF)
