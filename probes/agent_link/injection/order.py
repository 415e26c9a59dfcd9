"""Tells a running interpreter to run a script, and takes that back."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.agent_link.injection.able import Injectable

_PLEASE_STOP = 1 << 5
"""`_PY_EVAL_PLEASE_STOP_BIT` of 3.14 and 3.15: the thread looks for flags."""


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def order(target: Injectable, script: str) -> None:
    """Have the target's main thread run a script the next time that it runs Python.

    Raises:
        OSError: its memory cannot be written.
    """
    path = os.fsencode(script) + b"\0"
    if len(path) > target.path_bytes:
        raise OSError(36, os.strerror(36))
    _write(target.pid, target.path, path)
    _write(target.pid, target.pending, b"\1\0\0\0")
    # One byte: the bits above are a version, which others may be counting on.
    with open(f"/proc/{target.pid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        bits = os.pread(memory.fileno(), 1, target.breaker)
    _write(target.pid, target.breaker, bytes([bits[0] | _PLEASE_STOP]))


def take_back(target: Injectable) -> None:
    """Have it look for no script, if it has not found it yet.

    Raises:
        OSError: its memory cannot be written.
    """
    _write(target.pid, target.pending, bytes(4))


def _write(pid: int, address: int, data: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    write = libc.process_vm_writev
    write.restype = ctypes.c_ssize_t
    content = ctypes.create_string_buffer(data, len(data))
    ours = _Piece(ctypes.addressof(content), len(data))
    theirs = _Piece(address, len(data))
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    done = write(ctypes.c_int(pid), ctypes.byref(ours), one, ctypes.byref(theirs), one, none)
    if done != len(data):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
