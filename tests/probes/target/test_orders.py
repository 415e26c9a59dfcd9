"""Our end of the socket to a target that keeps its process; the other end is the test's."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.spine.calltree import Frame
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Run
from perftui.probes.target.kept_process import CHILD_VARIABLE
from perftui.probes.target.orders import NotWaiting, Orders, at_rest
from perftui.scenarios.run import kept_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.enriched import Batch

MS = 1_000_000


class Target:
    """What a target would do, and what the session is told."""

    def __init__(self, runs: int, *, stay: bool) -> None:
        self.runs: list[Run] = []
        self.rests: list[int | None] = []
        log = SessionLog()
        log.connect(self)
        self.orders = Orders(runs, stay=stay)
        number, inode = self.orders.environment()[CHILD_VARIABLE].split(":")
        assert os.fstat(int(number)).st_ino == int(inode)
        self.end = socket.socket(fileno=os.dup(int(number)))
        self.end.settimeout(PATIENCE_S)
        self.orders.close_child_end()
        self.t_launch_ns = time.monotonic_ns() - 100 * MS
        self.orders.start(log, 7, self.t_launch_ns, self.rests.append)

    def ingest(self, batch: Batch) -> None:
        self.runs += [record for record in batch.raw if isinstance(record, Run)]

    def answer(self, **changes: Any) -> None:
        t = self.t_launch_ns
        run = {"cold": True, "held": 5 * MS, "t_main": t + 25 * MS, "t_work": t + 35 * MS}
        run |= {"t_done": t + 85 * MS, "ok": True, **changes}
        self.end.sendall(json.dumps({"run": run}).encode() + b"\n")

    def order(self) -> str:
        return self.end.recv(100).decode()

    def until(self, runs: int) -> None:
        wait_for(lambda: len(self.runs) >= runs)


@pytest.fixture
def staying() -> Iterator[Target]:
    target = Target(1, stay=True)
    yield target
    target.orders.close()
    target.end.close()


def test_what_was_waited_for_is_named() -> None:
    target = Target(1, stay=False)
    target.answer()
    assert target.order() == "", "one run was wanted: the target is let go"
    target.orders.close()
    (run,) = target.runs
    assert (run.n, run.cold, run.ok, run.pid) == (1, True, True, 7)
    parts = (run.spawn_ns, run.held_ns, run.load_ns, run.worked_ns)
    assert parts == (20 * MS, 5 * MS, 10 * MS, 50 * MS)
    assert run.waited_ns >= sum(part or 0 for part in parts)
    assert target.rests == [None], "nobody was waited for"


def test_so_many_runs_as_were_wanted() -> None:
    target = Target(3, stay=False)
    orders = []
    for _ in range(3):
        target.answer(cold=not orders)
        orders.append(target.order())
    assert orders == ["again\n", "again\n", ""]
    target.orders.close()
    assert [(run.n, run.cold) for run in target.runs] == [(1, True), (2, False), (3, False)]
    assert target.runs[1].spawn_ns is None and target.runs[1].load_ns is None


def test_a_run_that_fails_is_the_last() -> None:
    target = Target(3, stay=False)
    target.answer(ok=False)
    assert target.order() == ""
    target.orders.close()
    assert [run.ok for run in target.runs] == [False]


def test_a_person_gives_orders_when_it_waits(staying: Target) -> None:
    with pytest.raises(NotWaiting, match="still at work"):
        staying.orders.give("again")
    staying.answer()
    staying.until(1)
    assert staying.orders.waiting_since_ns == staying.rests[-1] == staying.runs[0].t_ns
    staying.orders.give("restart")
    assert staying.order() == "restart\n"
    assert staying.rests[-1] is None and staying.orders.waiting_since_ns is None
    with pytest.raises(NotWaiting, match="still at work"):
        staying.orders.give("again")
    staying.orders.let_go()
    assert staying.order() == ""


def test_a_target_that_goes_is_not_waited_for(staying: Target) -> None:
    staying.answer()
    staying.until(1)
    staying.end.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: staying.orders.waiting_since_ns is None)
    with pytest.raises(NotWaiting, match="has ended"):
        staying.orders.give("again")


def test_nonsense_is_no_answer(staying: Target) -> None:
    for line in (b"", b"{", b"[1]", b'{"run": 3}', b'{"run": {"t_main": true}}', b"\xff" * 50):
        staying.end.sendall(line + b"\n")
    staying.answer(t_work=-1)
    staying.answer(t_done=1 << 80)
    staying.answer()
    staying.until(1)
    assert len(staying.runs) == 1


def test_where_a_target_rests() -> None:
    def frame(function: str, file: str) -> Frame:
        return Frame(function, file, 70, "perftui.scenarios.run.kept_runs", "py")

    assert at_rest(frame("OrderLine.wait", str(kept_runs.__file__)))
    installed = "/venv/lib/python3.13/site-packages/perftui/scenarios/run/kept_runs.py"
    assert at_rest(frame("wait", installed))
    assert not at_rest(frame("OrderLine.wait", "/x/perftui/scenarios/run/kept_runs.py"))
    assert not at_rest(frame("OrderLine.wait", "/x/other.py"))
    assert not at_rest(frame("run_kept", str(kept_runs.__file__)))
