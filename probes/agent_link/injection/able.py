"""Whether the agent may be brought into a process that runs, and where its interpreter is told.

CPython 3.14+ has a place for it in the state of each thread: the path of a script, a flag that
there is one, and a bit that makes the thread look for flags (PEP 768; where they lie stands at the
start of the runtime). `sys.remote_exec` writes there, and so do we, for two reasons: it must be
called by an interpreter of the target's very version, and it takes nothing back. Where the target
has remote debugging turned off nothing would come, and nothing would be said: its own switch is
read first.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import NamedTuple

from perftui.probes.machine.rights import can_trace
from perftui.probes.process.free_threaded import free_threaded_build
from perftui.probes.process.implementations import other_implementation
from perftui.probes.sampler.cpython.elf import DEBUG_COOKIE, find_runtime
from perftui.probes.sampler.cpython.layout import PUBLISHED
from perftui.probes.sampler.memory import Memory

FIRST_MINOR = 14
_WORDS = {14: 92, 15: 108}
"""Minor version -> words of `_Py_DebugOffsets`; the last six are `debugger_support`."""
_SUPPORT = struct.Struct("<6Q")
_CANDIDATE = 0xC
_MOST_PLACE = 1 << 20
_INSTEAD = "`perftui run` has the agent from a program's first line"


class NotInjectable(Exception):
    """The agent cannot come; the argument says why, in one line."""


class Injectable(NamedTuple):
    """A process that the agent may be brought into, and addresses in its main thread's state."""

    pid: int
    version: str
    """As "3.14" or "3.15t"."""
    breaker: int
    """Word of bits, one of which makes the thread look for flags."""
    pending: int
    """Flag (32 bits) that there is a script."""
    path: int
    """The script's path, and so many bytes there are for it."""
    path_bytes: int


def injectable(pid: int) -> Injectable:
    """Return how the agent comes into a process.

    Raises:
        NotInjectable: it cannot.
    """
    if not sys.platform.startswith("linux"):
        raise NotInjectable(f"--inject works on Linux, not on {sys.platform}")
    right = can_trace(pid)
    if not right.ok:
        remedy = f"; {right.remedy}" if right.remedy else ""
        raise NotInjectable(f"the agent may not enter process {pid}: {right.reason}{remedy}")
    memory = Memory(pid)
    try:
        found = find_runtime(memory)
        if found is None:
            what = other_implementation(pid) or "no CPython of 3.11 or later"
            raise NotInjectable(f"process {pid} is {what}: --inject needs CPython 3.14; {_INSTEAD}")
        minor = _minor(found.version, pid)
        return _places(memory, found.address, minor, pid)
    except (OSError, struct.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NotInjectable(f"process {pid} cannot be read: {why}") from error


def _minor(version: int, pid: int) -> int:
    major, minor = version >> 24, version >> 16 & 255
    if (major, minor) < (3, FIRST_MINOR):
        raise NotInjectable(
            f"process {pid} runs Python {major}.{minor}: --inject needs 3.14 or later; {_INSTEAD}"
        )
    if major != 3 or minor not in _WORDS or version >> 4 & 15 < _CANDIDATE:
        known = f"3.{min(_WORDS)} to 3.{max(_WORDS)}"
        raise NotInjectable(
            f"process {pid} runs Python {major}.{minor}, of which perftui does not know where its "
            f"flags lie (it knows those of {known}): the agent cannot come; {_INSTEAD}"
        )
    return minor


def _places(memory: Memory, runtime: int, minor: int, pid: int) -> Injectable:
    count = _WORDS[minor]
    head = memory.read(runtime, 24 + 8 * count)
    names = PUBLISHED[minor].split()
    at = dict(zip(names, struct.unpack_from(f"<{len(names)}Q", head, 24), strict=True))
    breaker, support, enabled, pending, path, path_bytes = _SUPPORT.unpack_from(
        head, len(head) - _SUPPORT.size
    )
    sizes = breaker, support, enabled, pending, path, path_bytes, *at.values()
    if head[:8] != DEBUG_COOKIE or max(sizes) > _MOST_PLACE or path_bytes < 64:
        raise NotInjectable(f"process {pid} does not say where its flags lie: another layout")
    interpreter = memory.word(runtime + at["rt.interpreters"])
    while interpreter and memory.word(interpreter + at["in.id"]):
        interpreter = memory.word(interpreter + at["in.next"])
    main = interpreter and memory.word(interpreter + at["in.main_thread"])
    if not main:
        raise NotInjectable(f"process {pid} has no main thread yet, or none any more")
    if not int.from_bytes(memory.read(interpreter + enabled, 4), "little"):
        raise NotInjectable(
            f"process {pid} has remote debugging turned off (PYTHON_DISABLE_REMOTE_DEBUG, "
            f"-X disable-remote-debug, or built without): the agent cannot come; {_INSTEAD}"
        )
    if int.from_bytes(memory.read(main + support + pending, 4), "little"):
        raise NotInjectable(f"another debugger waits to enter process {pid}: try again later")
    version = free_threaded_build(pid) or f"3.{minor}"
    here = main + support
    return Injectable(pid, version, main + breaker, here + pending, here + path, path_bytes)


def same_root(pid: int) -> bool:
    """Tell whether a process sees the same files as we do: the same root, and the same mounts."""
    try:
        theirs, ours = Path(f"/proc/{pid}/root").stat(), Path("/").stat()
        mounts = [Path(f"/proc/{who}/ns/mnt").readlink() for who in (pid, "self")]
    except OSError:
        return False
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino) and len(set(mounts)) == 1
