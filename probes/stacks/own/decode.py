"""From the sampler's bytes to records. The format is told in `probes/sampler/stream`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from perftui.probes.own.tuples import made
from perftui.probes.sampler import stream
from perftui.probes.stacks.own.records import (
    PaceChange,
    Place,
    ProcessRecord,
    Quality,
    Sample,
    StackNode,
    Tally,
    ThreadEnded,
    ThreadRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.stacks.own.records import OwnRecord, Reason, Status, WaitKind

_STATUS: tuple[Status, ...] = ("resolving", "sampled", "refused", "gone")
_MOST_BLOCK = 1 << 24
_WAITS = cast("tuple[WaitKind, ...]", stream.WAITS)
_STATES = tuple(map(chr, range(256)))


def _shown(flags: int) -> tuple[bool, bool | None, bool, bool, bool, bool, bool]:
    """Return what the flags of a sample say: whether the faults of the window were counted, and
    the fields of `Sample` in their order."""
    asked = flags & (stream.ON_CPU | stream.QUEUED)
    return (
        bool(flags & stream.WINDOW_VALID),
        bool(flags & stream.ON_CPU) if asked else None,
        bool(flags & stream.GIL_HELD),
        bool(flags & stream.UNSTEADY),
        bool(flags & stream.FAILED),
        bool(flags & stream.BIASED),
        bool(flags & stream.BRIEF),
    )


_SHOWN = tuple(map(_shown, range(256)))


class DamagedStream(ValueError):
    """These are not the bytes of a sampler of this version."""


class Decoder:
    """Feed it bytes as they come; it gives records in the order in which they were written."""

    def __init__(self, shift_ns: Callable[[], int] | None = None) -> None:
        """Begin.

        Args:
            shift_ns: Added to all times: the sampler runs where the clock is another.
        """
        self._shift_of = shift_ns
        self._shift_ns = 0
        self._rest = b""
        self.generation = 0
        """Times that the sampler has forgotten its numbers."""
        self._processes: dict[int, ProcessRecord] = {}
        self._threads: dict[int, ThreadRecord] = {}
        self._codes: dict[int, tuple[str, str, int]] = {}
        self._places: dict[int, Place] = {}
        self._nodes: list[StackNode] = []
        self._tasks: dict[int, str] = {}
        self._records: list[OwnRecord] = []
        self._take: dict[int, Callable[[bytes], None]] = {
            stream.HELLO: self._hello,
            stream.PROCESS: self._process,
            stream.THREAD: self._thread,
            stream.ENDED: self._ended,
            stream.CODE: self._code,
            stream.FRAME: self._frame,
            stream.NODE: self._node,
            stream.TASK: self._task,
            stream.SAMPLES: self._samples,
            stream.QUALITY: self._quality,
            stream.TALLY: self._tally,
            stream.PACE: self._pace,
            stream.RESET: self._reset,
        }

    def feed(self, data: bytes) -> list[OwnRecord]:
        """Return the records that are complete now.

        Raises:
            DamagedStream: the bytes make no sense.
        """
        data = self._rest + data if self._rest else data
        if self._shift_of is not None:
            self._shift_ns = self._shift_of()
        at = 0
        head = stream.HEAD.size
        try:
            while len(data) - at >= head:
                kind, size = stream.HEAD.unpack_from(data, at)
                if size > _MOST_BLOCK:
                    raise DamagedStream(f"a block of {size} bytes")
                end = at + head + size
                if end > len(data):
                    break
                self._take[kind](data[at + head : end])
                at = end
        except (KeyError, IndexError, UnicodeDecodeError, struct.error) as error:
            raise DamagedStream(f"{type(error).__name__}: {error}") from error
        self._rest = data[at:]
        records, self._records = self._records, []
        return records

    def _hello(self, raw: bytes) -> None:
        version, _ = stream.HELLO_FIELDS.unpack(raw)
        if version != stream.VERSION:
            raise DamagedStream(f"stream version {version}")

    def _process(self, raw: bytes) -> None:
        index, pid, t_ns, status, version = stream.PROCESS_FIELDS.unpack_from(raw)
        reason = cast("Reason", raw[stream.PROCESS_FIELDS.size :].decode())
        t_ns += self._shift_ns
        process = ProcessRecord(t_ns, index, pid, _STATUS[status], reason, version)
        if process.status == "gone":
            self._processes.pop(index, None)
        else:
            self._processes[index] = process
        self._records.append(process)

    def _thread(self, raw: bytes) -> None:
        index, process, tid, t_ns, cpu_ns = stream.THREAD_FIELDS.unpack_from(raw)
        comm = raw[stream.THREAD_FIELDS.size :].decode("utf-8", "replace")
        t_ns += self._shift_ns
        thread = ThreadRecord(t_ns, index, self._processes[process], tid, comm, cpu_ns)
        self._threads[index] = thread
        self._records.append(thread)

    def _ended(self, raw: bytes) -> None:
        index, t_ns = stream.ENDED_FIELDS.unpack(raw)
        self._records.append(ThreadEnded(t_ns + self._shift_ns, self._threads.pop(index)))

    def _code(self, raw: bytes) -> None:
        number, first_line, length = stream.CODE_FIELDS.unpack_from(raw)
        at = stream.CODE_FIELDS.size
        function = raw[at : at + length].decode("utf-8", "replace")
        file = raw[at + length :].decode("utf-8", "replace")
        self._codes[number] = (function, file, first_line)

    def _frame(self, raw: bytes) -> None:
        number, code, line = stream.FRAME_FIELDS.unpack(raw)
        function, file, first_line = self._codes[code]
        self._places[number] = Place(function, file, line, first_line)

    def _node(self, raw: bytes) -> None:
        number, parent, frame = stream.NODE_FIELDS.unpack(raw)
        if number != len(self._nodes) or parent > number:
            raise DamagedStream("nodes out of order")
        above = self._nodes[parent - 1] if parent else None
        self._nodes.append(StackNode(above, self._places[frame]))

    def _task(self, raw: bytes) -> None:
        (number,) = stream.TASK_FIELDS.unpack_from(raw)
        self._tasks[number] = raw[stream.TASK_FIELDS.size :].decode("utf-8", "replace")

    def _samples(self, raw: bytes) -> None:
        (t0_ns,) = stream.SAMPLES_FIELDS.unpack_from(raw)
        t0_ns += self._shift_ns
        append = self._records.append
        threads, nodes, tasks = self._threads, self._nodes, self._tasks
        body = memoryview(raw)[stream.SAMPLES_FIELDS.size :]
        for (
            since_us,
            thread,
            node,
            cpu_ns,
            queue_ns,
            faults,
            in_window,
            state,
            flags,
            wait,
            task,
            sweep_us,
        ) in stream.SAMPLE.iter_unpack(body):
            counted, on_cpu, gil_held, unsteady, failed, biased, brief = _SHOWN[flags]
            sample = (
                t0_ns + 1000 * since_us,
                threads[thread],
                nodes[node - 1] if node else None,
                cpu_ns,
                queue_ns,
                faults,
                in_window if counted else None,
                _STATES[state],
                on_cpu,
                gil_held,
                unsteady,
                failed,
                _WAITS[wait],
                tasks[task - 1] if task else None,
                1000 * sweep_us or None,
                biased,
                brief,
            )
            append(made(Sample, sample))

    def _quality(self, raw: bytes) -> None:
        t0_ns, t1_ns, *rest = stream.QUALITY_FIELDS.unpack(raw)
        shift_ns = self._shift_ns
        self._records.append(Quality(t0_ns + shift_ns, t1_ns + shift_ns, *rest))

    def _tally(self, raw: bytes) -> None:
        index, t0_ns, t1_ns, *numbers = stream.TALLY_FIELDS.unpack(raw)
        span = (t0_ns + self._shift_ns, t1_ns + self._shift_ns)
        self._records.append(Tally(self._processes[index], *span, *numbers))

    def _pace(self, raw: bytes) -> None:
        t_ns, rate_hz, share = stream.PACE_FIELDS.unpack_from(raw)
        why = raw[stream.PACE_FIELDS.size :].decode()
        t_ns += self._shift_ns
        self._records.append(PaceChange(t_ns, rate_hz, share, why))

    def _reset(self, raw: bytes) -> None:
        self.generation += 1
        for table in (self._codes, self._places, self._tasks):
            table.clear()
        self._nodes = []
