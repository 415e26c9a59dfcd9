"""pprof's protocol buffer, gzipped: for `go tool pprof`, and all that reads its format.

Written by hand, a few kinds of fields are all there is to it (profile.proto of google/pprof).
Every sample has five values (CPU, wall time, grown memory, wall time off the CPU, memory touched)
and the labels process, thread, phase and waiting (for what: gil, lock, io, ...); `-tagfocus` and
`-tagroot` work on those. What pprof calls a mapping, a binary that is loaded, is here the program
or the package that a location belongs to: `-focus=duckdb` finds it, too.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, BinaryIO

from perftui.probes.export.material.names import plain
from perftui.probes.export.material.phases import PhaseClock
from perftui.probes.export.material.timeline import check_any, timeline
from perftui.probes.export.stacks.protobuf import message, number, packed
from perftui.probes.export.stacks.sums import SAMPLE_TYPES, sums_of
from perftui.probes.profile.place import is_installed
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.spine.calltree import is_stdlib, module_of, package_of
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.material.timeline import StackTimeline
    from perftui.probes.recording.read.face import RecordedReader

DEFAULT_TYPE = "wall"
_RATE_HZ = 100

# Field numbers of profile.proto.
_SAMPLE_TYPE, _SAMPLE, _MAPPING, _LOCATION, _FUNCTION, _STRING = 1, 2, 3, 4, 5, 6
_TIME_NS, _DURATION_NS, _PERIOD_TYPE, _PERIOD, _COMMENT, _DEFAULT = 9, 10, 11, 12, 13, 14


class _Tables:
    """Strings, mappings, functions and locations, each written once."""

    def __init__(self, times: StackTimeline, program: str) -> None:
        self._times = times
        self.strings = {"": 0}
        self._mappings: dict[str, int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[tuple[int, int], int] = {}
        self._paths: dict[int, bytes] = {}
        self.written = bytearray()
        self._program = program
        self._mapping(program)  # the first is the main one, whose name viewers show

    def string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def path(self, stack: int) -> bytes:
        """Return the field location_id of a stack: leaf first, as pprof wants it."""
        found = self._paths.get(stack)
        if found is None:
            nodes = reversed(self._times.path(stack))
            found = self._paths[stack] = packed(1, [self._location(node) for node in nodes])
        return found

    def _location(self, node: int) -> int:
        frame = self._times.frame(node)
        function = self._function(frame.function, frame.file)
        key = (function, frame.line)
        found = self._locations.get(key)
        if found is None:
            found = self._locations[key] = len(self._locations) + 1
            line = number(1, function) + number(2, max(frame.line, 0))
            mapping = self._mapping(self._owner(frame.file))
            body = number(1, found) + number(2, mapping) + message(4, line)
            self.written += message(_LOCATION, body)
        return found

    def _owner(self, file: str) -> str:
        """Return whose code a file has: an installed package's, Python's own, the program's."""
        if is_stdlib(file):
            return "python"
        return package_of(module_of(file)) if is_installed(file) else self._program

    def _mapping(self, name: str) -> int:
        found = self._mappings.get(name)
        if found is None:
            found = self._mappings[name] = len(self._mappings) + 1
            # Functions, file names and line numbers are all there: nothing is to be looked up.
            told = number(7, 1) + number(8, 1) + number(9, 1)
            body = number(1, found) + number(5, self.string(plain(name))) + told
            self.written += message(_MAPPING, body)
        return found

    def _function(self, function: str, file: str) -> int:
        found = self._functions.get((function, file))
        if found is None:
            found = self._functions[function, file] = len(self._functions) + 1
            name = self.string(plain(function) or "?")
            path = self.string(plain(file))
            # Without a system name, which would be taken for C++ and lose what stands in <>.
            body = number(1, found) + number(2, name) + number(4, path)
            self.written += message(_FUNCTION, body)
        return found


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """See `Exporter.write`."""
    # Lines are a part of the format: functions are summed up by whoever reads it.
    times = timeline(reader, part, by_line=True, waits=True)
    check_any(times, part)
    tables = _Tables(times, part.title(reader))
    string = tables.string
    clock = PhaseClock(reader, part)
    # No time and no name in the head: the same recording gives the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as file:
        for kind, unit in SAMPLE_TYPES:
            file.write(message(_SAMPLE_TYPE, number(1, string(kind)) + number(2, string(unit))))
        for thread in times.threads:
            labels = _label(tables, "process", plain(thread.process)) + _label(
                tables, "thread", plain(thread.name)
            )
            labels += _number_label(tables, "pid", thread.pid)
            labels += _number_label(tables, "tid", thread.tid)
            for (stack, phase, doing), values in sums_of(thread, clock).items():
                body = tables.path(stack) + packed(2, values) + labels
                if doing != "running":
                    body += _label(tables, "waiting", doing)
                if phase:
                    body += _label(tables, "phase", plain(phase))
                file.write(message(_SAMPLE, body))
        file.write(bytes(tables.written))
        started_ns = wall_ns(reader.meta, part.t0_ns)
        file.write(number(_TIME_NS, started_ns or 0))
        file.write(number(_DURATION_NS, part.t1_ns - part.t0_ns))
        period = number(1, string("wall")) + number(2, string("nanoseconds"))
        file.write(message(_PERIOD_TYPE, period))
        rate_hz = reader.status().stack_rate_hz or _RATE_HZ
        file.write(number(_PERIOD, round(NS_PER_S / rate_hz)))
        file.write(number(_COMMENT, string(plain(part.title(reader)))))
        file.write(number(_DEFAULT, string(DEFAULT_TYPE)))
        for text in tables.strings:
            file.write(message(_STRING, text.encode("utf-8", "replace")))


def _label(tables: _Tables, key: str, text: str) -> bytes:
    return message(3, number(1, tables.string(key)) + number(2, tables.string(text)))


def _number_label(tables: _Tables, key: str, value: int) -> bytes:
    return message(3, number(1, tables.string(key)) + number(3, value))
