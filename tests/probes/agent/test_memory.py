"""Allocators that are asked for what they have given out."""

from __future__ import annotations

import json
import os
import sys
import threading
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from support.fresh import said_afresh
from support.waiting import wait_for

from perftui.probes.agent import beside, memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Agent:
    """What the counters need of one."""

    def __init__(self) -> None:
        self.wire = self
        self.open, self.ends, self.pid = True, False, os.getpid()
        self.before_bye: list[Callable[[], None]] = []
        self.lines: list[str] = []
        self.said: list[str] = []
        self.launched = True
        self.say = self.report = self.said.append
        self.send = self.lines.append
        self.quote = json.dumps


def test_a_counter_that_does_not_answer_harms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are asked as before, a fork waits no longer, and it is not asked again."""
    monkeypatch.setattr(memory, "LOOK_S", 0.1)
    monkeypatch.setattr(memory, "EVERY_S", 0.02)
    monkeypatch.setattr(beside, "STOP_S", 0.1)
    agent, answer, asked = Agent(), Event(), []

    def stuck() -> Any:
        asked.append(1)
        answer.wait()
        return [("late", 1, None)]

    counters = memory.Counters(agent, beside.Beside)  # type: ignore[arg-type]
    counters.add("good", lambda: [("good", 5, None)])
    wait_for(lambda: len(agent.lines) > 2)
    counters.add("bad", stuck)
    wait_for(lambda: bool(agent.said))
    before = len(agent.lines)
    wait_for(lambda: len(agent.lines) > before + 2)
    child = os.fork()
    if child == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    answer.set()
    before = len(agent.lines)
    wait_for(lambda: len(agent.lines) > before + 2)
    for end in agent.before_bye:
        end()
    assert agent.said == ["bad is not asked for its memory any more: it does not answer"]
    assert asked == [1]
    assert {json.loads(line + "}")["name"] for line in agent.lines} == {"good"}


@pytest.mark.parametrize("lie", [-5, 10**30])
def test_a_counter_that_lies_is_asked_once_and_that_is_said(lie: int) -> None:
    agent = Agent()
    counters = memory.Counters(agent, beside.Beside)  # type: ignore[arg-type]
    counters.add("bad", lambda: [("bad", lie, None)])
    wait_for(lambda: bool(agent.said))
    for end in agent.before_bye:
        end()
    assert agent.said == [f"bad is not asked for its memory any more: ValueError: {lie} bytes"]
    assert not agent.lines


@pytest.mark.parametrize(
    "error", [RuntimeError("no figures today"), SystemExit(3), KeyboardInterrupt(), None]
)
def test_a_counter_that_fails_is_asked_once_and_that_is_said(error: BaseException | None) -> None:
    agent, asked = Agent(), []

    def failing() -> Any:
        asked.append(1)
        if error is not None:
            raise error
        return [("no", "number", None)]

    counters = memory.Counters(agent, beside.Beside)  # type: ignore[arg-type]
    counters.add("bad", failing)
    counters.add("good", lambda: [("good", 5, None)])
    wait_for(lambda: len(agent.lines) > 1 and bool(agent.said))
    for end in agent.before_bye:
        end()
    (said,) = agent.said
    assert said.startswith("bad is not asked for its memory any more: ")
    assert asked == [1]
    assert {json.loads(line + "}")["name"] for line in agent.lines} == {"good"}


def test_duckdb_tells_by_tag_and_no_database_is_kept_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.setattr(memory, "DUCKDB_EVERY_S", 0.0)
    module = SimpleNamespace(connect=duckdb.connect)
    databases = memory.DuckDb()
    databases.hook(module)
    assert module.connect.__name__ == "connect" and module.connect.__doc__

    def told() -> dict[str, int]:
        return {name: size for name, size, _ in databases()}

    con = module.connect()
    con.execute("CREATE TABLE t AS SELECT range AS a FROM range(2000000)")
    path = tmp_path / "x.duckdb"
    file = module.connect(path)
    file.execute("CREATE TABLE t AS SELECT 1")
    before = told()
    assert 3_000_000 < before["duckdb IN_MEMORY_TABLE"] < 60_000_000
    counters = memory.Counters(Agent(), beside.Beside)  # type: ignore[arg-type]
    counters._counters["duckdb"] = databases
    monkeypatch.setattr(counters, "_asker", SimpleNamespace(start=lambda: None))
    monkeypatch.setattr(counters, "_watch", SimpleNamespace(start=lambda: None))
    counters._in_child()
    assert {row[0]: row[1] for row in counters._counters["duckdb"]()} == before
    del file
    # Another configuration is refused while somebody has it open.
    duckdb.connect(path, config={"threads": 1}).close()
    con.close()
    assert told()["duckdb IN_MEMORY_TABLE"] == 0


def test_a_database_is_told_once_by_whatever_names_and_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while connections to it come and go; what was there before us by its figures."""
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.setattr(memory, "DUCKDB_EVERY_S", 0.0)
    monkeypatch.chdir(tmp_path)
    module = SimpleNamespace(connect=duckdb.connect)
    databases = memory.DuckDb()
    databases.hook(module)

    def told() -> int:
        return sum(size for _, size, _ in databases())

    con = module.connect("x.duckdb")
    con.execute("CREATE TABLE t AS SELECT range a, random() b FROM range(200_000)")
    others = [module.connect("./x.duckdb"), module.connect(database=tmp_path / "x.duckdb")]
    once = con.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()[0]
    assert told() == once > 1_000_000
    others.pop(0).close()
    del others
    assert told() == once, "the first connection lives"
    shop = [module.connect(":memory:shop") for _ in range(2)]
    shop[0].execute("CREATE TABLE t AS SELECT range a FROM range(200_000)")
    in_memory = shop[0].execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
    assert told() == once + in_memory[0]

    late = memory.DuckDb()
    here = type(sys)("here")
    here.con, here.cursor, here.shop = con, con.cursor(), shop[0]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "here", here)
    late.take_up(duckdb)
    assert sum(size for _, size, _ in late()) == once + in_memory[0]


def test_a_program_can_close_its_database_while_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duckdb = pytest.importorskip("duckdb")
    asked, closed = threading.Event(), threading.Event()

    def answer(_: int) -> int:
        asked.set()
        closed.wait(60)
        return 7

    module = SimpleNamespace(connect=duckdb.connect)
    databases = memory.DuckDb()
    databases.hook(module)
    con = module.connect()
    con.create_function("answer", answer, ["BIGINT"], "BIGINT")
    monkeypatch.setattr(memory, "DUCKDB", "SELECT 'x', answer(1)")
    told: list[memory.Told] = []
    asking = threading.Thread(target=lambda: told.append(databases()))
    asking.start()
    assert asked.wait(60)
    try:
        con.close()
    finally:
        closed.set()
        asking.join(60)
    assert told == [[("duckdb x", 7, None)]]


def test_a_module_that_makes_its_names_up_is_not_asked_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would be in the program's own thread, within its import."""
    agent = Agent()
    asked: list[str] = []
    for name in memory.LIBRARIES:
        own = type(sys)(name)
        own.__spec__ = SimpleNamespace(_initializing=False)  # type: ignore[assignment]
        own.__getattr__ = asked.append  # type: ignore[method-assign]
        monkeypatch.setitem(sys.modules, name, own)
        memory.Allocators(agent, beside.Beside).imported(name)  # type: ignore[arg-type]
    assert not asked and not agent.lines


def test_malloc_tells_what_is_in_use() -> None:
    said = said_afresh("""
        import ctypes, json
        from perftui.probes.agent import memory
        malloc = memory.Malloc(lambda name, why: None)
        known = malloc.begin()
        looks = []
        if known:
            looks.append({name: size for name, size, _ in malloc()})
            kept = bytearray(200_000_000)
            looks.append({name: size for name, size, _ in malloc()})
        print(json.dumps(looks))
    """)
    if not json.loads(said):
        pytest.skip("a C library without mallinfo2")
    used, more = json.loads(said)
    assert more["malloc"] - used["malloc"] > 190_000_000
    assert more["malloc mapped"] - used["malloc mapped"] > 190_000_000


def test_modules_of_the_programs_own_by_those_names_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = Agent()
    asked = memory.Allocators(agent, beside.Beside)  # type: ignore[arg-type]
    for name in memory.LIBRARIES:
        own = type(sys)(name)
        own.__spec__ = SimpleNamespace(_initializing=False)  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, name, own)
        asked.imported(name)
        assert set(vars(own)) == {"__name__", "__doc__", "__package__", "__loader__", "__spec__"}
    assert not agent.lines and not agent.said
