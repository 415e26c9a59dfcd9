"""OpenTelemetry profiles: `ProfilesData` of opentelemetry.proto.profiles.v1development.

Written by hand, as pprof is; the schema is that of opentelemetry-proto 1.10 (one dictionary for
all, one kind of value per profile), which calls itself a development version and may change. A
process is a resource with a profile for each kind of value; threads, phases and what was waited
for are attributes of samples, named by the semantic conventions where these have a name. The same
bytes are what a collector takes at `/v1development/profiles`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from perftui.probes.export.material.names import plain
from perftui.probes.export.material.phases import PhaseClock
from perftui.probes.export.material.service import service_name
from perftui.probes.export.material.timeline import check_any, timeline
from perftui.probes.export.stacks.protobuf import fixed64, message, number, packed
from perftui.probes.export.stacks.sums import SAMPLE_TYPES, sums_of
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.text.units import NS_PER_S
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.material.timeline import StackTimeline, ThreadTimeline
    from perftui.probes.recording.read.face import RecordedReader

_FRAME_TYPE = "cpython"
_ORDER = ("wall", "cpu", "waiting", "grown", "touched")
"""Viewers show the first profile unasked."""

# Field numbers. Of ProfilesData and ResourceProfiles, of ScopeProfiles, of Profile, ...
_RESOURCE_PROFILES, _DICTIONARY = 1, 2
_RESOURCE, _SCOPE_PROFILES = 1, 2
_SCOPE, _PROFILES = 1, 2
_TYPE, _SAMPLES, _TIME, _DURATION, _PERIOD_TYPE, _PERIOD, _ID = 1, 2, 3, 4, 5, 6, 7
_MAPPINGS, _LOCATIONS, _FUNCTIONS, _LINKS, _STRINGS, _ATTRIBUTES, _STACKS = 1, 2, 3, 4, 5, 6, 7


def _any_text(text: str) -> bytes:
    """Return an AnyValue that is a text."""
    return message(1, text.encode("utf-8", "replace"))


def _any_number(value: int) -> bytes:
    """Return an AnyValue that is a number; a 0 must be there to be one."""
    return number(3, value) or b"\x18\0"


class _Dictionary:
    """The tables that everything else points into; entry 0 of each is the empty one."""

    def __init__(self, times: StackTimeline) -> None:
        self._times = times
        self._strings = {"": 0}
        self._functions: dict[bytes, int] = {b"": 0}
        self._locations: dict[bytes, int] = {b"": 0}
        self._attributes: dict[bytes, int] = {b"": 0}
        self._stacks: dict[bytes, int] = {b"": 0}
        self._of_timeline: dict[int, int] = {}
        self._cpython = self.attribute("profile.frame.type", _any_text(_FRAME_TYPE))

    def string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def attribute(self, key: str, value: bytes) -> int:
        body = number(1, self.string(key)) + message(2, value)
        return self._attributes.setdefault(body, len(self._attributes))

    def stack(self, stack: int) -> int:
        """Return the number of a stack: leaf first, as the schema wants it."""
        found = self._of_timeline.get(stack)
        if found is None:
            nodes = reversed(self._times.path(stack))
            body = packed(1, [self._location(node) for node in nodes])
            found = self._stacks.setdefault(body, len(self._stacks))
            self._of_timeline[stack] = found
        return found

    def _location(self, node: int) -> int:
        frame = self._times.frame(node)
        name = number(1, self.string(plain(frame.function) or "?"))
        body = name + number(3, self.string(plain(frame.file)))
        function = self._functions.setdefault(body, len(self._functions))
        line = number(1, function) + number(2, max(frame.line, 0))
        body = message(3, line) + packed(4, [self._cpython])
        return self._locations.setdefault(body, len(self._locations))

    def value_type(self, kind: str, unit: str) -> bytes:
        return number(1, self.string(kind)) + number(2, self.string(unit))

    def write(self, out: BinaryIO) -> None:
        """Write it as the last field of the whole."""
        texts = (text.encode("utf-8", "replace") for text in self._strings)
        tables: list[tuple[int, list[bytes]]] = [
            (_MAPPINGS, [b""]),
            (_LOCATIONS, list(self._locations)),
            (_FUNCTIONS, list(self._functions)),
            (_LINKS, [b""]),
            (_STRINGS, list(texts)),
            (_ATTRIBUTES, list(self._attributes)),
            (_STACKS, list(self._stacks)),
        ]
        body = b"".join(message(field, entry) for field, table in tables for entry in table)
        out.write(message(_DICTIONARY, body))


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """See `Exporter.write`."""
    times = timeline(reader, part, by_line=True, waits=True)
    check_any(times, part)
    dictionary = _Dictionary(times)
    clock = PhaseClock(reader, part)
    by_process: dict[int, list[ThreadTimeline]] = {}
    for thread in times.threads:
        by_process.setdefault(thread.pid, []).append(thread)
    for pid, threads in by_process.items():
        samples = _samples(dictionary, threads, clock)
        profiles = b"".join(
            message(_PROFILES, _profile(dictionary, reader, part, pid, kind, samples[kind]))
            for kind in _ORDER
            if samples[kind]
        )
        if not profiles:
            continue
        scope = message(1, b"perftui") + message(2, __version__.encode())
        scoped = message(_SCOPE, scope) + profiles
        resource = message(_RESOURCE, _resource(reader, pid, threads))
        out.write(message(_RESOURCE_PROFILES, resource + message(_SCOPE_PROFILES, scoped)))
    dictionary.write(out)


def _resource(reader: RecordedReader, pid: int, threads: list[ThreadTimeline]) -> bytes:
    target = reader.target()
    attributes = [
        ("service.name", _any_text(plain(service_name(target)))),
        ("process.pid", _any_number(pid)),
        ("process.command", _any_text(plain(threads[0].process))),
        ("process.runtime.name", _any_text("cpython")),
    ]
    if target.python is not None and pid == target.pid:
        attributes.append(("process.runtime.version", _any_text(target.python)))
    return b"".join(
        message(1, message(1, key.encode()) + message(2, value)) for key, value in attributes
    )


def _samples(
    dictionary: _Dictionary, threads: list[ThreadTimeline], clock: PhaseClock
) -> dict[str, bytearray]:
    """Return the samples of a process by kind of value."""
    written = {kind: bytearray() for kind, _ in SAMPLE_TYPES}
    for thread in threads:
        own = [
            dictionary.attribute("thread.id", _any_number(thread.tid)),
            dictionary.attribute("thread.name", _any_text(plain(thread.name))),
        ]
        for (stack, phase, doing), values in sums_of(thread, clock).items():
            attributes = list(own)
            if doing != "running":
                attributes.append(dictionary.attribute("perftui.waiting", _any_text(doing)))
            if phase:
                attributes.append(dictionary.attribute("perftui.phase", _any_text(plain(phase))))
            head = number(1, dictionary.stack(stack)) + packed(2, attributes)
            for (kind, _), value in zip(SAMPLE_TYPES, values, strict=True):
                if value:
                    written[kind] += message(_SAMPLES, head + packed(4, [value]))
    return written


def _profile(
    dictionary: _Dictionary,
    reader: RecordedReader,
    part: Slice,
    pid: int,
    kind: str,
    samples: bytearray,
) -> bytes:
    # The same recording gives the same bytes, and so the same name.
    name = f"{reader.meta.get('id')} {part.t0_ns} {part.t1_ns} {pid} {kind}"
    rate_hz = reader.status().stack_rate_hz
    head = message(_TYPE, dictionary.value_type(kind, dict(SAMPLE_TYPES)[kind]))
    tail = fixed64(_TIME, wall_ns(reader.meta, part.t0_ns) or 0)
    tail += number(_DURATION, part.t1_ns - part.t0_ns)
    if rate_hz:
        tail += message(_PERIOD_TYPE, dictionary.value_type("wall", "nanoseconds"))
        tail += number(_PERIOD, round(NS_PER_S / rate_hz))
    tail += message(_ID, hashlib.sha256(name.encode()).digest()[:16])
    return head + bytes(samples) + tail
