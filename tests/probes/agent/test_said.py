"""What a program may say, from inside the agent: loaded late, and at a price."""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from importlib.util import spec_from_file_location
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from perftui.probes.agent import wire
from perftui.probes.agent.runtime import SAYS, Agent
from perftui.probes.agent.said.words import FRESH_NS, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


class Kept:
    """A wire that ends here."""

    open = True
    dropped = 0

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def send(self, body: str) -> bool:
        self.lines.append(json.loads(body + "}"))
        return True

    def send_often(self, now_ns: int, body: str) -> None:
        self.send(body)

    def flush(self) -> None:
        pass


def loaded(file: str, name: str) -> ModuleType:
    return import_module(f"perftui.probes.agent.{file.replace('/', '.')}")


@pytest.fixture
def statm() -> Iterator[int]:
    fd = os.open("/proc/self/statm", os.O_RDONLY)
    yield fd
    os.close(fd)


def agent_of(kept: Kept, statm: int, load: Any = loaded) -> Agent:
    return Agent(cast("wire.Wire", kept), wire, statm, load)


def test_nothing_of_it_is_loaded_before_a_program_may_say_anything(statm: int) -> None:
    asked: list[str] = []

    def load(file: str, name: str) -> ModuleType:
        asked.append(file)
        return loaded(file, name)

    agent = agent_of(Kept(), statm, load)
    agent.flush()
    agent.emit(1, '{"k":"x"')
    assert asked == []
    agent.count("rows", 3)
    assert asked == ["said/words"]
    agent.plan("q", "SCAN", None, (1, None, None, None))
    assert asked == ["said/words", "said/plans"]
    assert agent.totals() == {"rows": 3}
    assert all(callable(getattr(agent, name)) for name in SAYS)
    with pytest.raises(AttributeError):
        agent.no_such_thing()


def test_a_file_that_cannot_be_loaded_is_no_exception_of_the_program(statm: int) -> None:
    kept = Kept()
    working = False

    def load(file: str, name: str) -> ModuleType:
        if not working:
            spec = spec_from_file_location(name, "/no/such/file.py")
            sys.modules["_frozen_importlib"]._load(spec)  # type: ignore[attr-defined]
        return loaded(file, name)

    agent = agent_of(kept, statm, load)
    assert agent.phase_begin("a") is None
    agent.phase_end(None)
    assert [line["k"] for line in kept.lines] == ["error"], "told once"
    working = True
    agent.phase_end(agent.phase_begin("a"))
    assert [line["k"] for line in kept.lines[1:]] == ["phase", "phase_end"]


def test_the_rss_of_a_phase_is_read_anew_unless_another_has_just_ended(
    statm: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept()
    agent = agent_of(kept, statm)
    readings = iter(range(1, 99))
    monkeypatch.setattr(agent, "rss", lambda: next(readings))
    said = Said(agent)
    now = time.monotonic_ns()
    for at_ns in (0, 10, 20, 30, 30 + FRESH_NS + 1, 40 + 2 * FRESH_NS):
        monkeypatch.setattr(
            "perftui.probes.agent.said.words.monotonic_ns", lambda at=at_ns: now + at
        )
        if at_ns in (0, 20, 30 + FRESH_NS + 1):
            opened = said.phase_begin("a")
        else:
            said.phase_end(opened)
    assert [line["rss"] for line in kept.lines] == [1, 2, 2, 3, 4, 5]


def test_the_last_line_waits_a_little_for_room_and_says_what_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "foreign", lambda _: False)  # in a program we have another name
    reading, writing = os.pipe2(os.O_NONBLOCK)
    try:
        status = os.fstat(writing)
        line = wire.Wire(writing, status.st_dev, status.st_ino)
        while line.send('{"k":"x","text":"' + "x" * 3_000 + '"'):
            pass
        assert line.dropped == 1
        # While it waits, the other side reads.
        sleeps_by(monkeypatch, lambda: os.read(reading, 1 << 20))
        line.send_last('{"k":"bye"')
        assert json.loads(os.read(reading, 1 << 20).splitlines()[-1]) == {"k": "bye", "dropped": 1}
    finally:
        os.close(reading)
        os.close(writing)


def sleeps_by(monkeypatch: pytest.MonkeyPatch, instead: Callable[[], object]) -> None:
    """Have the wire, and nobody else in this process, do something where it would sleep."""
    clock = SimpleNamespace(**vars(time) | {"sleep": lambda _: instead()})
    monkeypatch.setattr(wire, "time", clock)


def fill(line: wire.Wire) -> None:
    """Leave no room in the pipe, not even for a short line: two are dropped."""
    for length in (3_000, 10):
        while line.send('{"k":"call","name":"' + "x" * length + '"'):
            pass


def test_a_full_pipe_keeps_the_ends_of_phases_and_imports_and_drops_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "foreign", lambda _: False)
    reading, writing = os.pipe2(os.O_NONBLOCK)
    try:
        status = os.fstat(writing)
        line = wire.Wire(writing, status.st_dev, status.st_ino)
        fill(line)
        for n in range(3):
            line.send_often(0, f'{{"k":"phase_end","id":{n}')
            line.send('{"k":"call","name":"lost"')
            line.send(f'{{"k":"import_end","id":{n}')
        assert line.dropped == 2 + 3
        os.read(reading, 1 << 20)
        line.send('{"k":"call","name":"after"')
        told = [json.loads(row) for row in os.read(reading, 1 << 20).splitlines()]
        assert [(row["k"], row.get("id", row.get("name"))) for row in told] == [
            *[(kind, n) for n in range(3) for kind in ("phase_end", "import_end")],
            ("call", "after"),
        ]
        assert told[-1]["dropped"] == 5

        # What is kept has an end, too.
        fill(line)
        monkeypatch.setattr(wire, "KEPT_BYTES", 100)
        for n in range(9):
            line.send(f'{{"k":"import_end","id":{n}')
        os.read(reading, 1 << 20)
        line.flush()
        kept = [json.loads(row)["id"] for row in os.read(reading, 1 << 20).splitlines()]
        assert 0 < len(kept) < 9
        assert kept == list(range(len(kept)))
        assert line.dropped == 5 + 2 + 9 - len(kept)
    finally:
        os.close(reading)
        os.close(writing)


def test_what_was_kept_to_the_end_and_has_no_room_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "foreign", lambda _: False)
    monkeypatch.setattr(wire, "_LAST_NS", 1)
    reading, writing = os.pipe2(os.O_NONBLOCK)
    try:
        status = os.fstat(writing)
        line = wire.Wire(writing, status.st_dev, status.st_ino)
        fill(line)
        for n in range(5):
            line.send(f'{{"k":"phase_end","id":{n}')
        # Who reads takes something only when it is too late for what was kept.
        sleeps_by(monkeypatch, lambda: os.read(reading, 1 << 20))
        line.send_last('{"k":"bye"')
        told = [json.loads(row) for row in os.read(reading, 1 << 20).splitlines()]
        assert told[-1] == {"k": "bye", "dropped": 2 + 5}
    finally:
        os.close(reading)
        os.close(writing)
