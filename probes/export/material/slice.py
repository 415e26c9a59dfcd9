"""What part of a recording is exported: a range of time, some threads, one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.export.material.error import ExportError
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import Phase, Reader
    from perftui.probes.spine.records import ThreadKey

_NAMED = 8
"""At most so many names are listed in an error."""


class Slice(NamedTuple):
    """A part of a recording."""

    t0_ns: int
    t1_ns: int
    """Half open, on the session's clock, within what was recorded."""
    threads: frozenset[ThreadKey] | None = None
    """(pid, tid) of the threads to keep; None keeps all."""
    pid: int | None = None
    """The process to keep; None keeps the whole tree."""
    phase: str | None = None
    """The phase that the range was chosen by."""
    by_line: bool = False
    """Lines of code instead of functions, in the formats that have one of both."""

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return (self.t1_ns - self.t0_ns) / NS_PER_S

    def has_thread(self, pid: int, tid: int) -> bool:
        """Tell whether a thread belongs to it."""
        if self.pid is not None and pid != self.pid:
            return False
        return self.threads is None or (pid, tid) in self.threads

    def has_process(self, pid: int) -> bool:
        """Tell whether a process belongs to it."""
        return self.pid is None or pid == self.pid

    def title(self, reader: RecordedReader) -> str:
        """Return a name for people: the recording, and what part of it."""
        start_ns = reader.status().t_start_ns
        words = [reader.path.name.removesuffix(".zip").removesuffix(".perftui")]
        if self.phase is not None:
            words.append(f"phase {self.phase}")
        begin, end = ((t - start_ns) / NS_PER_S for t in (self.t0_ns, self.t1_ns))
        words.append(f"{begin:.3f}-{end:.3f} s")
        return " · ".join(words)


def whole(reader: Reader) -> Slice:
    """Return all of a recording."""
    status = reader.status()
    # The last readings lie at the very end, and ranges are half open.
    return Slice(status.t_start_ns, status.t_end_ns + 1)


def slice_of(
    reader: RecordedReader,
    *,
    from_s: float | None = None,
    to_s: float | None = None,
    phase: str | None = None,
    thread: str | None = None,
    process: int | None = None,
    by_line: bool = False,
) -> Slice:
    """Return the part that a person asked for.

    Args:
        reader: The recording.
        from_s: Seconds since the start; below 0 it counts from the end.
        to_s: The same.
        phase: Name of a phase, NAME#2 for its second run.
        thread: Name of a thread (all that have it), its number, or PID/NUMBER.
        process: Its pid.
        by_line: Lines instead of functions.

    Raises:
        ExportError: it has no such part.
    """
    everything = whole(reader)
    start_ns, end_ns = everything.t0_ns, everything.t1_ns
    if process is not None:
        _check_process(reader, process)
    t0, t1 = start_ns, end_ns
    if phase is not None:
        found = _phase(reader.phases(start_ns, end_ns), phase, process)
        t0 = max(found.t0_ns, start_ns)
        t1 = end_ns if found.t1_ns is None else min(found.t1_ns, end_ns)
    if from_s is not None:
        t0 = max(t0, _moment(from_s, start_ns, end_ns))
    if to_s is not None:
        t1 = min(t1, _moment(to_s, start_ns, end_ns))
    if t1 <= t0:
        length = format_seconds((end_ns - start_ns) / NS_PER_S)
        raise ExportError(
            f"nothing lies from {(t0 - start_ns) / NS_PER_S:.6g} s to "
            f"{(t1 - start_ns) / NS_PER_S:.6g} s: {reader.path.name} is {length} long, and a "
            f"range begins before it ends"
        )
    threads = None if thread is None else _threads(reader, t0, t1, thread, process)
    return Slice(t0, t1, threads, process, phase, by_line)


def _moment(seconds: float, start_ns: int, end_ns: int) -> int:
    origin = end_ns if seconds < 0 else start_ns
    return origin + round(seconds * NS_PER_S)


def _check_process(reader: RecordedReader, pid: int) -> None:
    known = [process.pid for process in reader.processes()]
    if pid not in known:
        raise ExportError(
            f"there is no process {pid} in {reader.path.name}; there are {_list(map(str, known))}"
        )


def _phase(phases: Iterable[Phase], name: str, pid: int | None) -> Phase:
    mine = [phase for phase in phases if pid is None or phase.pid == pid]
    same = [phase for phase in mine if phase.name == name]
    if len(same) == 1:
        return same[0]
    if same:
        raise ExportError(
            f"phase {name!r} ran {len(same)} times: say {name}#1 to {name}#{len(same)}"
        )
    stem, _, number = name.rpartition("#")
    if stem and number.isascii() and number.isdigit():
        runs = [phase for phase in mine if phase.name == stem]
        if runs and 1 <= int(number) <= len(runs):
            return runs[int(number) - 1]
        if runs:
            raise ExportError(f"phase {stem!r} ran {len(runs)} times, not {number}")
    names = list(dict.fromkeys(phase.name for phase in mine))
    if not names:
        raise ExportError("there are no phases in it: use --from and --to")
    raise ExportError(f"there is no phase {name!r}; there are {_list(names)}")


def _threads(
    reader: Reader, t0_ns: int, t1_ns: int, wanted: str, pid: int | None
) -> frozenset[ThreadKey]:
    named: dict[ThreadKey, str] = {
        (thread.pid, thread.tid): thread.name for thread in reader.threads(t0_ns, t1_ns)
    }
    for tree in reader.call_tree(t0_ns, t1_ns):
        named.setdefault((tree.pid, tree.tid), tree.name)
    if pid is not None:
        named = {thread: name for thread, name in named.items() if thread[0] == pid}
    found = {
        thread
        for thread, name in named.items()
        if wanted in (name, str(thread[1]), f"{thread[0]}/{thread[1]}")
    }
    if not found:
        names = dict.fromkeys(name for name in named.values() if name)
        listed = f"; there are {_list(names)}" if names else ": there are none in this range"
        raise ExportError(f"there is no thread {wanted!r} in this range{listed}")
    return frozenset(found)


def _list(names: Iterable[str]) -> str:
    every = list(names)
    told = [name if name.isprintable() and len(name) <= 60 else repr(name)[:60] for name in every]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return ", ".join(told[:_NAMED]) + more
