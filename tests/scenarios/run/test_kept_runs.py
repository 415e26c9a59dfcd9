"""A scenario that keeps its process, as a real child of the test: warm, cold, failing, let go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import argv
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Run
from perftui.probes.target.kept_process import CHILD_VARIABLE
from perftui.probes.target.orders import Orders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perftui.probes.spine.enriched import Batch

pytestmark = [pytest.mark.live, pytest.mark.core]

OWN = """
import atexit, json, os, sys, threading
RUNS = []
def work(how: str = "well"):
    RUNS.append(how)
    say = {"pid": os.getpid(), "runs": len(RUNS), "cwd": os.getcwd(), "argv": sys.argv[1:],
           "changed": os.environ.get("CHANGED"), "decimal": "decimal" in sys.modules,
           "orders": os.environ.get("PERFTUI_ORDERS")}
    print(json.dumps(say))
    import decimal
    os.environ["CHANGED"] = "yes"
    os.chdir("/")
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    atexit.register(print, json.dumps({"atexit": True}))
    if how == "badly": raise LookupError("no such thing")
    if how == "exit": sys.exit(3)
"""


def _buffered() -> dict[str, str]:
    """Return our environment without what would hide a flush that is missing."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


class Kept:
    """A child and our end of its orders."""

    def __init__(self, folder: Path, *words: str, runs: int = 1) -> None:
        (folder / "own.py").write_text(OWN)
        self.runs: list[Run] = []
        self._folder = folder
        log = SessionLog()
        log.connect(self)
        self.orders = Orders(runs, stay=True)
        t_launch_ns = time.monotonic_ns()
        self.child = subprocess.Popen(
            argv("own.py:work", *words),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**_buffered(), **self.orders.environment()},
            pass_fds=[self.orders.child_fd],
        )
        self.orders.close_child_end()
        self.orders.start(log, self.child.pid, t_launch_ns, lambda since: None)

    def ingest(self, batch: Batch) -> None:
        self.runs += [record for record in batch.raw if isinstance(record, Run)]

    def until_it_waits(self, runs: int) -> None:
        def waits() -> bool:
            assert self.child.poll() is None
            return len(self.runs) >= runs and self.orders.waiting_since_ns is not None

        wait_for(waits)

    def ended(self) -> tuple[int, list[dict[str, object]], str]:
        stdout, stderr = self.child.communicate(timeout=PATIENCE_S)
        return self.child.returncode, [json.loads(line) for line in stdout.splitlines()], stderr


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


def test_again_is_warm_and_restart_is_cold(folder: Path) -> None:
    kept = Kept(folder)
    kept.until_it_waits(1)
    kept.orders.give("again")
    kept.until_it_waits(2)
    kept.orders.give("restart")
    kept.until_it_waits(3)
    kept.orders.let_go()
    code, said, stderr = kept.ended()
    assert (code, stderr) == (0, "")
    first, again, atexit_1, atexit_2, anew, atexit_3 = said
    assert atexit_1 == atexit_2 == atexit_3 == {"atexit": True}
    assert [run["runs"] for run in (first, again, anew)] == [1, 2, 1]
    assert {run["pid"] for run in (first, again, anew)} == {kept.child.pid}
    assert (again["decimal"], again["changed"], again["cwd"]) == (True, "yes", "/")
    assert {**anew} == {**first}, "nothing of the old program is left"
    assert first["cwd"] == str(folder) and first["orders"] is None
    assert [(run.n, run.cold) for run in kept.runs] == [(1, True), (2, False), (3, True)]
    for run in kept.runs:
        parts = (run.spawn_ns or 0, run.held_ns or 0, run.load_ns or 0, run.worked_ns)
        assert 0 < sum(parts) <= run.waited_ns
        assert run.held_ns in (0, None), "nobody held it back"
    assert (kept.runs[2].spawn_ns or 0) > 5_000_000, "an interpreter takes its time"
    kept.orders.close()


@pytest.mark.parametrize(("how", "code", "word"), [("badly", 1, "LookupError"), ("exit", 3, "")])
def test_a_run_that_fails_does_not_end_the_process(
    folder: Path, how: str, code: int, word: str
) -> None:
    kept = Kept(folder, f"how={how}", runs=5)
    kept.until_it_waits(1)
    assert [run.ok for run in kept.runs] == [False], "and is not repeated"
    kept.orders.give("again")
    kept.until_it_waits(2)
    kept.orders.close()
    returned, said, stderr = kept.ended()
    assert returned == code
    assert word in stderr
    assert len(said) == 4


def test_it_does_not_outlive_us(folder: Path) -> None:
    # What a kill of perftui does: the socket ends, without a word.
    kept = Kept(folder)
    kept.until_it_waits(1)
    kept.orders._socket.shutdown(2)
    assert kept.ended()[0] == 0
    kept.orders.close()


def test_a_stale_descriptor_is_left_alone(folder: Path) -> None:
    (folder / "own.py").write_text(OWN)
    with (folder / "other").open("w") as other:
        env = {**os.environ, CHILD_VARIABLE: f"{other.fileno()}:1"}
        done = subprocess.run(
            argv("own.py:work"),
            cwd=folder,
            capture_output=True,
            text=True,
            env=env,
            pass_fds=[other.fileno()],
            timeout=PATIENCE_S,
        )
    assert done.returncode == 0, done.stderr
    assert (folder / "other").read_text() == ""


def test_being_kept_imports_nothing_more(folder: Path) -> None:
    # What our side of it imported, the scenario would no longer import itself.
    (folder / "own.py").write_text("def work():\n    import sys; print(*sorted(sys.modules))\n")
    plain = subprocess.run(
        argv("own.py:work"), cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert plain.returncode == 0, plain.stderr
    bare = subprocess.run(
        [sys.executable, "-c", "import pathlib, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    # From 3.14 on pathlib itself imports one of them.
    ours = {"json", "fcntl", "perftui.probes.target.orders", "perftui.probes.spine.records"}
    assert ours.difference(bare.stdout.split()).isdisjoint(plain.stdout.split())
