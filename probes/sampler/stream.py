"""The stream of the sampler: blocks of bytes, little-endian, definitions before what uses them.

A block is one byte of kind, four of payload length, and the payload. `probes/stacks/own/decode`
reads it, with the structures of this file; numbers of kind "id" count from 0 and are never given
out twice between two RESETs.

    HELLO    version, t_ns
    PROCESS  id, pid, t_ns, status, PY_VERSION_HEX, reason             a process, or news of it
    THREAD   id, process id, tid, t_ns, CPU ns at first sight, comm    a kernel thread
    ENDED    thread id, t_ns
    CODE     id, first line, function, file                            a code object
    FRAME    id, code id, line                                         a place in it
    NODE     id, parent node + 1 (0: a root), frame id                 a stack is its innermost node
    TASK     id, name                                                  an asyncio task's name
    SAMPLES  t0_ns, then records of `SAMPLE`
    QUALITY  one second of the sampler as a whole
    TALLY    one second of one process
    PACE     t_ns, rate, share of a core, why                          the rate was changed
    RESET    forget CODE, FRAME, NODE and TASK: their ids begin anew
"""

from __future__ import annotations

import os
import struct

VERSION = 4
HELLO, PROCESS, THREAD, ENDED, CODE, FRAME, NODE, TASK = b"HPTECFNK"
SAMPLES, QUALITY, TALLY, PACE, RESET = b"SQWBR"

HEAD = struct.Struct("<BI")
HELLO_FIELDS = struct.Struct("<HQ")
PROCESS_FIELDS = struct.Struct("<IIQBI")
THREAD_FIELDS = struct.Struct("<IIIQQ")
ENDED_FIELDS = struct.Struct("<IQ")
CODE_FIELDS = struct.Struct("<IiI")
FRAME_FIELDS = struct.Struct("<IIi")
NODE_FIELDS = struct.Struct("<III")
TASK_FIELDS = struct.Struct("<I")
PACE_FIELDS = struct.Struct("<Qdd")
SAMPLES_FIELDS = struct.Struct("<Q")
SAMPLE = struct.Struct("<IIIQQIHBBHII")
"""µs since the block's t0, thread, node + 1 (0: no Python stack), on-CPU ns, run-queue ns,
minor faults, faults in the window of the read (capped), state (a character), flags, wait, task + 1,
µs since the sweep before (0: there was none).
"""
QUALITY_FIELDS = struct.Struct("<QQIIIQQdII")
"""t0_ns, t1_ns, sweeps, late ones, dropped records, own CPU ns, own RSS bytes, rate, processes,
processes that ended before they were looked at."""
TALLY_FIELDS = struct.Struct("<IQQIIIIIIQQ")
"""process, t0_ns, t1_ns, sweeps, samples, failed, unsteady, awake ones, those of them that were
read anew, process CPU ns, CPU ns in records."""

GIL_HELD, UNSTEADY, FAILED, WINDOW_VALID, ON_CPU, QUEUED, BIASED, BRIEF = (
    1 << bit for bit in range(8)
)
"""Flags of a sample. WINDOW_VALID: the faults in the window were counted, 0 means none. ON_CPU
and QUEUED: a thread that was runnable or held the GIL had, or waited for, a CPU when its stack was
read; neither: it was not asked. One whose CPU we were given had it until then: ON_CPU. BIASED:
such a look meets some code more often than it runs. BRIEF: the CPU since the last record was used
in turns on a CPU of less than 0.5 ms, in the mean."""

RESOLVING, SAMPLED, REFUSED, GONE = range(4)
"""Status of a process. RESOLVING: it has become another program, or begins."""
REASONS = (
    "not-python",
    "unknown-version",
    "no-right",
    "check-failed",
)
"""Why a process is refused."""

WAITS = (
    "",
    "sleep",
    "lock",
    "poll",
    "pipe",
    "socket",
    "disk",
    "child",
    "fault",
    "other",
    "gil",
    "futex",
)
"""What a sleeping thread waits for, as far as the kernel tells; the index is in the sample.
`lock` is none of the interpreter's, `futex` may be a lock or the GIL."""

_MOST_PENDING = 4 << 20
_MOST_SAMPLES_A_BLOCK = 1000


_Waiting = tuple[int, int, int, tuple[int, int, int, int], int, int, int, int, int]


class Writer:
    """Collects blocks and writes them; never blocks, and drops samples (counted) if it must."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._pending = bytearray()
        self._samples: list[_Waiting] = []
        self.sweep_us = 0
        """Since the sweep before; who runs the sweeps says so."""
        self.dropped = 0
        self.closed = False
        """The reader has gone."""

    def block(self, kind: int, payload: bytes) -> None:
        """Append a block. Samples that came before it stay before it."""
        if self._samples:
            self._end_samples()
        self._pending += HEAD.pack(kind, len(payload)) + payload

    def sample(
        self,
        t_ns: int,
        thread: int,
        node: int,
        amounts: tuple[int, int, int, int],
        state: int,
        flags: int,
        wait: int,
        task: int,
    ) -> None:
        """Append one record; `node` and `task` are -1 for none.

        Args:
            amounts: CPU and run-queue ns, faults, faults in the window.
        """
        self._samples.append((t_ns, thread, node, amounts, state, flags, wait, task, self.sweep_us))

    def _end_samples(self) -> None:
        """Encode them all at once: that is several times as quick as one after a sleep."""
        samples, self._samples = self._samples, []
        while samples:
            some, samples = samples[:_MOST_SAMPLES_A_BLOCK], samples[_MOST_SAMPLES_A_BLOCK:]
            if len(self._pending) > _MOST_PENDING:
                self.dropped += len(some)
                continue
            t0_ns = some[0][0]
            self._pending += HEAD.pack(SAMPLES, SAMPLES_FIELDS.size + SAMPLE.size * len(some))
            self._pending += SAMPLES_FIELDS.pack(t0_ns)
            for t_ns, thread, node, amounts, state, flags, wait, task, sweep_us in some:
                cpu, queue, faults, window = amounts
                self._pending += SAMPLE.pack(
                    min((t_ns - t0_ns) // 1000, 0xFFFFFFFF),
                    thread,
                    node + 1,
                    cpu,
                    queue,
                    min(faults, 0xFFFFFFFF),
                    min(window, 0xFFFF),
                    state,
                    flags,
                    wait,
                    task + 1,
                    sweep_us,
                )

    @property
    def pending(self) -> int:
        """Bytes that the reader has not taken yet."""
        return len(self._pending)

    def flush(self) -> None:
        """Write what the reader takes now."""
        self._end_samples()
        pending = self._pending
        if not pending:
            return
        try:
            written = os.write(self._fd, pending)
        except BlockingIOError:
            return
        except OSError:
            self.closed = True
            return
        if written == len(pending):
            self._pending = bytearray()
        else:
            del pending[:written]


def text(value: str) -> bytes:
    """Return a string of the target as bytes that decode again; lone surrogates become `?`."""
    return value.encode("utf-8", "replace")
