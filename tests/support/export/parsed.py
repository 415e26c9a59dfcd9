"""What a stack format says, read back by its own rules: the other half of `export/`.

Each parser returns (process / thread label, frames outermost first, nanoseconds) of every stack.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Sample(NamedTuple):
    thread: str
    frames: tuple[str, ...]
    wall_ns: int
    cpu_ns: int | None = None
    phase: str | None = None
    more: tuple[int, ...] = ()
    """Waiting, touched and grown, where a format has them."""
    waits: str = ""
    """What for, where a format tells; "" while it ran."""


def speedscope(data: bytes) -> Iterator[Sample]:
    profile = json.loads(data)
    names = [frame["name"] for frame in profile["shared"]["frames"]]
    for thread in profile["profiles"]:
        assert thread["unit"] == "seconds"
        assert len(thread["samples"]) == len(thread["weights"])
        assert thread["endValue"] - thread["startValue"] == sum_about(thread["weights"])
        for stack, weight in zip(thread["samples"], thread["weights"], strict=True):
            assert weight > 0
            if stack:
                frames = tuple(names[index] for index in stack)
                yield Sample(thread["name"], frames, round(weight * 1e9))


def sum_about(values: list[float]) -> Any:
    import pytest

    return pytest.approx(sum(values), abs=1e-6)


def firefox(data: bytes) -> Iterator[Sample]:
    profile = json.loads(data)
    assert profile["meta"]["preprocessedProfileVersion"] == 60
    shared = profile["shared"]
    for table in ("stackTable", "frameTable", "funcTable", "sources"):
        check_columns(shared[table])
    stacks, strings = shared["stackTable"], shared["stringArray"]
    assert all(p is None or p < i for i, p in enumerate(stacks["prefix"]))
    for thread in profile["threads"]:
        samples = thread["samples"]
        check_columns(samples)
        check_columns(thread["markers"])
        assert samples["time"] == sorted(samples["time"])
        cpus = [*samples["threadCPUDelta"][1:], 0][: samples["length"]]
        for stack, weight, cpu in zip(samples["stack"], samples["weight"], cpus, strict=True):
            if stack is None:
                assert weight == 0
                continue
            frames = []
            at = stack
            while at is not None:
                func = shared["frameTable"]["func"][stacks["frame"][at]]
                frames.append(strings[shared["funcTable"]["name"][func]])
                at = stacks["prefix"][at]
            label = f"{thread['processName']} / {thread['name']}"
            category = shared["frameTable"]["category"][stacks["frame"][stack]]
            named = profile["meta"]["categories"][category]["name"].lower()
            waits = "" if named in ("python", "native") else named
            yield Sample(label, tuple(reversed(frames)), round(weight * 1e6), cpu, waits=waits)


def check_columns(table: dict[str, Any]) -> None:
    for name, column in table.items():
        if isinstance(column, list):
            assert len(column) == table["length"], name


def chrome_trace(data: bytes) -> Iterator[Sample]:
    """Self time of slices by nesting; rows that are no threads are left out.

    What a function waited for lies in slices below it, and is its own time.
    """
    events = json.loads(data)["traceEvents"]
    times = [event["ts"] for event in events]
    assert times == sorted(times)
    names: dict[tuple[int, int], str] = {}
    processes: dict[int, str] = {}
    for event in events:
        if event["name"] == "thread_name":
            names[event["pid"], event["tid"]] = event["args"]["name"]
        if event["name"] == "process_name":
            processes[event["pid"]] = event["args"]["name"]
    by_thread: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for event in events:
        if event["ph"] == "X" and event.get("cat") in ("py", "wait"):
            by_thread.setdefault((event["pid"], event["tid"]), []).append(event)
    for thread, slices in by_thread.items():
        label = f"{processes[thread[0]]} / {names[thread]}"
        yield from _self_times(label, slices)


def _self_times(label: str, slices: list[dict[str, Any]]) -> Iterator[Sample]:
    open_: list[list[Any]] = []  # name, end ns, own ns, is a wait

    def close() -> Iterator[Sample]:
        frames = tuple(row[0] for row in open_ if not row[3])
        name, _, own, waits = open_.pop()
        assert own >= 0
        if own:
            yield Sample(label, frames, own, waits=name if waits else "")

    for event in slices:
        begin, length = round(event["ts"] * 1000), round(event["dur"] * 1000)
        while open_ and open_[-1][1] <= begin:
            yield from close()
        if open_:
            assert begin + length <= open_[-1][1], "a slice must end within the one around it"
            assert not open_[-1][3], "nothing is called while it waits"
            open_[-1][2] -= length
        open_.append([event["name"], begin + length, length, event["cat"] == "wait"])
    while open_:
        yield from close()


def collapsed(data: bytes) -> Iterator[Sample]:
    for line in data.decode("utf-8").split("\n")[:-1]:
        stack, _, number = line.rpartition(" ")
        thread, *labels = stack.split(";")
        yield Sample(
            thread, tuple(label.rpartition(" (")[0] or label for label in labels), int(number)
        )


class _Fields:
    """A protocol buffer, field by field."""

    def __init__(self, data: bytes) -> None:
        self.found: dict[int, list[Any]] = {}
        at = 0
        while at < len(data):
            key, at = varint(data, at)
            if key & 7 == 0:
                value, at = varint(data, at)
                self.found.setdefault(key >> 3, []).append(value)
            else:
                assert key & 7 == 2
                size, at = varint(data, at)
                self.found.setdefault(key >> 3, []).append(data[at : at + size])
                at += size
        assert at == len(data)

    def one(self, field: int) -> Any:
        return self.found.get(field, [0])[0]

    def all(self, field: int) -> list[Any]:
        return self.found.get(field, [])


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value - (1 << 64) if value >> 63 else value, at
        shift += 7


def packed(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found


def pprof(data: bytes) -> Iterator[Sample]:
    profile = _Fields(gzip.decompress(data))
    strings = [text.decode("utf-8") for text in profile.all(6)]
    assert strings[0] == ""
    kinds = [strings[_Fields(kind).one(1)] for kind in profile.all(1)]
    functions = {f.one(1): strings[f.one(2)] for f in map(_Fields, profile.all(5))}
    places = {}
    mappings = {m.one(1): strings[m.one(5)] for m in map(_Fields, profile.all(3))}
    assert min(mappings) == 1, "no program has no mapping: viewers look it up"
    for place in map(_Fields, profile.all(4)):
        assert mappings[place.one(2)], "every place is in one"
        places[place.one(1)] = functions[_Fields(place.one(4)).one(1)]
    for sample in map(_Fields, profile.all(2)):
        frames = tuple(places[place] for place in reversed(packed(sample.one(1))))
        values = dict(zip(kinds, packed(sample.one(2)), strict=True))
        labels = {
            strings[label.one(1)]: strings[label.one(2)] for label in map(_Fields, sample.all(3))
        }
        thread = f"{labels['process']} / {labels['thread']}"
        more = (values["waiting"], values["touched"], values["grown"])
        phase, waits = labels.get("phase", ""), labels.get("waiting", "")
        yield Sample(thread, frames, values["wall"], values["cpu"], phase, more, waits)


def otlp(data: bytes) -> Iterator[Sample]:
    """By the generated code of the schema itself."""
    pytest.importorskip("opentelemetry.proto.profiles.v1development.profiles_pb2")
    from opentelemetry.proto.profiles.v1development.profiles_pb2 import (
        Function,
        KeyValueAndUnit,
        Link,
        Location,
        Mapping,
        ProfilesData,
        Stack,
    )

    whole = ProfilesData()
    whole.ParseFromString(data)
    assert whole.SerializeToString() == data, "nothing in it that the schema does not know"
    tables = whole.dictionary
    strings = tables.string_table
    empty = [
        (tables.mapping_table, Mapping()),
        (tables.location_table, Location()),
        (tables.function_table, Function()),
        (tables.link_table, Link()),
        (tables.attribute_table, KeyValueAndUnit()),
        (tables.stack_table, Stack()),
    ]
    assert strings[0] == ""
    assert len(set(strings)) == len(strings)
    for table, nothing in empty:
        assert table[0] == nothing, "entry 0 of every table is the empty one"
        entries = [entry.SerializeToString(deterministic=True) for entry in table]
        assert len(set(entries)) == len(entries), "nothing is there twice"

    def told(indices: Iterable[int]) -> dict[str, str | int]:
        assert len(set(indices)) == len(list(indices))
        found: dict[str, str | int] = {}
        for index in indices:
            attribute = tables.attribute_table[index]
            value = attribute.value
            key = strings[attribute.key_strindex]
            assert key not in found
            found[key] = getattr(value, value.WhichOneof("value"))
        return found

    by_sample: dict[tuple[int, int, tuple[int, ...]], dict[str, int]] = {}
    processes: dict[int, str] = {}
    names = set()
    for resource in whole.resource_profiles:
        about = {each.key: each.value for each in resource.resource.attributes}
        pid = about["process.pid"].int_value
        processes[pid] = about["process.command"].string_value
        assert about["service.name"].string_value
        (scope,) = resource.scope_profiles
        assert scope.scope.name == "perftui"
        for profile in scope.profiles:
            assert len(profile.profile_id) == 16
            names.add(bytes(profile.profile_id))
            assert strings[profile.sample_type.unit_strindex] in ("nanoseconds", "bytes")
            kind = strings[profile.sample_type.type_strindex]
            for sample in profile.samples:
                key = (pid, sample.stack_index, tuple(sample.attribute_indices))
                (value,) = sample.values
                assert value
                by_sample.setdefault(key, {})[kind] = value
    assert len(names) == sum(
        len(scope.profiles) for each in whole.resource_profiles for scope in each.scope_profiles
    )
    for (pid, stack, indices), values in by_sample.items():
        frames = []
        for place in reversed(tables.stack_table[stack].location_indices):
            location = tables.location_table[place]
            assert told(location.attribute_indices) == {"profile.frame.type": "cpython"}
            (line,) = location.lines
            frames.append(strings[tables.function_table[line.function_index].name_strindex])
        labels = told(indices)
        assert labels["thread.id"]
        thread = f"{processes[pid]} / {labels['thread.name']}"
        more = tuple(values.get(kind, 0) for kind in ("waiting", "touched", "grown"))
        phase, waits = str(labels.get("perftui.phase", "")), str(labels.get("perftui.waiting", ""))
        wall, cpu = values.get("wall", 0), values.get("cpu", 0)
        yield Sample(thread, tuple(frames), wall, cpu, phase, more, waits)


PARSERS: dict[str, Callable[[bytes], Iterator[Sample]]] = {
    "speedscope": speedscope,
    "firefox": firefox,
    "chrome-trace": chrome_trace,
    "collapsed": collapsed,
    "pprof": pprof,
    "otlp": otlp,
}
