"""What the sampler writes is what comes out on our side, in whatever pieces it arrives."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.sampler_stream import Collected, decode

from perftui.probes.sampler import stream
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.stream import Writer
from perftui.probes.stacks.own.decode import DamagedStream, Decoder
from perftui.probes.stacks.own.records import OwnRecord, PaceChange, Sample, ThreadRecord

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.text(max_size=30)
STACKS = st.lists(
    st.tuples(NAMES, NAMES, st.integers(0, 10**6), st.integers(-1, 10**6)), max_size=20
)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**63)


def begin(writer: Writer, comm: str = "main") -> None:
    writer.block(stream.HELLO, stream.HELLO_FIELDS.pack(stream.VERSION, 5))
    writer.block(stream.PROCESS, stream.PROCESS_FIELDS.pack(0, 123, 6, stream.SAMPLED, 0x030D00F0))
    fields = stream.THREAD_FIELDS.pack(0, 0, 124, 7, 8)
    writer.block(stream.THREAD, fields + stream.text(comm))


@UNHURRIED
@given(
    st.lists(
        st.tuples(STACKS, U64, U64, U32, st.integers(0, 65535), st.booleans(), NAMES),
        min_size=1,
        max_size=8,
    ),
    st.lists(U32, max_size=6),
    st.integers(0, 10**18),
    st.booleans(),
)
def test_round_trip(
    samples: list[tuple[list[tuple[str, str, int, int]], int, int, int, int, bool, str]],
    cuts: list[int],
    t0_ns: int,
    reset: bool,
) -> None:
    writer = Collected()
    begin(writer)
    names = Names(writer)
    for i, (places, cpu, queue, faults, window, held, task) in enumerate(samples):
        if reset and i == len(samples) // 2:
            names.reset()
        frames = tuple(
            names.frame(names.code(function, file, first), line)
            for function, file, first, line in places
        )
        flags = stream.GIL_HELD * held | stream.WINDOW_VALID
        amounts = cpu, queue, faults, window
        said = ord("R"), flags, 3, names.task(task)
        writer.sample(t0_ns + 1000 * i, 0, names.stack(frames), amounts, *said)
    records = decode(writer.take(), cuts)
    found = [record for record in records if isinstance(record, Sample)]
    assert len(found) == len(samples)
    for i, (got, wanted) in enumerate(zip(found, samples, strict=True)):
        places, cpu, queue, faults, window, held, task = wanted
        assert got.t_ns == t0_ns + 1000 * i
        assert (got.cpu_ns, got.run_queue_ns, got.faults) == (cpu, queue, faults)
        assert (got.faults_in_window, got.state, got.gil_held) == (window, "R", held)
        assert (got.wait, got.on_cpu) == (stream.WAITS[3], None)
        told = [(p.function, p.file, p.first_line, p.line) for p in got.stack or ()]
        assert told == [(as_sent(a), as_sent(b), c, d) for a, b, c, d in places]
        assert got.task == as_sent(task)
        assert got.thread.tid == 124


def as_sent(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def test_equal_stacks_are_one_object() -> None:
    writer = Collected()
    begin(writer)
    names = Names(writer)
    frame = names.frame(names.code("f", "f.py", 1), 2)
    for _ in range(2):
        writer.sample(10, 0, names.stack((frame, frame)), (0, 0, 0, 0), 83, 0, 0, -1)
    one, other = (r for r in decode(writer.take(), []) if isinstance(r, Sample))
    assert one.stack is other.stack
    assert one.stack is not None
    assert one.stack.depth == 2
    assert one.stack.parent is not None


def test_a_reader_that_does_not_read_costs_samples_not_names_nor_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_MOST_PENDING", 1 << 17)
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK)
    try:
        writer = Writer(write_fd)
        begin(writer)
        for i in range(20_000):
            writer.sample(i, 0, -1, (1, 0, 0, 0), 82, 0, 0, -1)
            if i % 100 == 0:
                writer.flush()
        assert writer.dropped > 0
        assert writer.pending < 1 << 18
        writer.block(stream.PACE, stream.PACE_FIELDS.pack(1, 2.0, 0.5) + b"budget")
        decoder, records = Decoder(), list[OwnRecord]()
        while writer.pending:
            records += decoder.feed(os.read(read_fd, 1 << 20))
            writer.flush()
        while True:
            try:
                records += decoder.feed(os.read(read_fd, 1 << 20))
            except BlockingIOError:
                break
    finally:
        os.close(read_fd)
        os.close(write_fd)
    samples = [record for record in records if isinstance(record, Sample)]
    assert len(samples) + writer.dropped == 20_000
    assert isinstance(records[1], ThreadRecord)
    assert records[-1] == PaceChange(1, 2.0, 0.5, "budget")


def test_a_reader_that_has_gone_is_noticed() -> None:
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK)
    os.close(read_fd)
    writer = Writer(write_fd)
    begin(writer)
    writer.flush()
    os.close(write_fd)
    assert writer.closed


@UNHURRIED
@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_refused(raw: bytes) -> None:
    decoder = Decoder()
    with contextlib.suppress(DamagedStream):
        decoder.feed(raw)
        decoder.feed(raw)


def test_another_version_of_the_stream_is_refused() -> None:
    writer = Collected()
    writer.block(stream.HELLO, stream.HELLO_FIELDS.pack(stream.VERSION + 1, 5))
    with pytest.raises(DamagedStream, match="version"):
        Decoder().feed(writer.take())
