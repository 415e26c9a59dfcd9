"""Be woken on time on a full machine, without taking more of it.

A sampler that has to wait for the CPU on which its target runs gets it when the target goes to
sleep: it would meet everything but the work, and short bursts of it least of all. Since Linux 6.12
a thread may ask for a shorter slice than others, which lets it preempt them when it wakes, and is
paid for with the length of its own turns; everybody may ask (sched(7), `sched_runtime` of
SCHED_OTHER). Earlier kernels take the number and do nothing with it.
"""

from __future__ import annotations

import ctypes
import os
import struct

PR_SET_TIMERSLACK = 29
SLICE_NS = 400_000
"""A sweep fits into it; others have 3 ms, and the kernel takes 0.1 ms to 100 ms."""
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = struct.Struct("<IIQiIQQQ")


def ask_to_be_woken_on_time() -> bool:
    """Ask for short slices and exact timers; return whether the kernel took the former."""
    # Timers may be late by 50 µs to be served together with others, such as the target's own.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)
    number = _SCHED_SETATTR.get(os.uname().machine)
    if number is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    return bool(libc.syscall(number, 0, ctypes.c_char_p(attributes), 0) == 0)
