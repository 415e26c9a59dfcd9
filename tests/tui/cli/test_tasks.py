"""A service of asyncio that hangs: the summary, its text and SQL say which task waits where."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.stuck_service import stuck_service
from support.waiting import wait_for

from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.tui.watch.last_tasks import take_last_tasks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the agent is for Linux")


BLOCKED = """
import asyncio, time

def query():
    time.sleep(1.5)

async def handler():
    await asyncio.sleep(0.2)
    query()
    await asyncio.sleep(0.2)

asyncio.run(handler())
"""


def perftui(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perftui", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_tasks_of_a_service_that_hangs(tmp_path: Path) -> None:
    script, recording = tmp_path / "service.py", tmp_path / "r.perftui"
    script.write_text(stuck_service(5))
    done = perftui(
        "run", "--headless", "--no-stacks", "--json", "-", "--record", str(recording), str(script)
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    tasks = {task["name"]: task for task in told["tasks"]}
    assert list(tasks)[1:] == [*(f"fetch-{n}" for n in range(5)), "writer"]
    assert [frame["function"] for frame in tasks["writer"]["frames"]][:2] == [
        "writer",
        "read_socket",
    ]
    assert tasks["writer"]["frames"][1]["file"] == str(script)
    assert tasks["writer"]["frames"][1]["line"] == 5
    assert all(tasks[f"fetch-{n}"]["awaits"].endswith("acquire") for n in range(5))
    again = json.loads(perftui("summary", str(recording), "--json").stdout)
    assert again["tasks"] == told["tasks"]
    text = perftui("summary", str(recording)).stdout
    assert "writer > read_socket service.py:5" in text
    assert "fetch-0, fetch-1, fetch-2 and 2 more" in text
    sql = "SELECT name FROM tasks WHERE awaits = 'sleep' AND name = 'writer'"
    assert "writer" in perftui("query", str(recording), sql).stdout
    threads = "SELECT count(*) AS n FROM thread_cpu WHERE name = 'perftui-agent'"
    rows = perftui("query", str(recording), threads, "--format", "json").stdout
    assert json.loads(rows) == [{"n": 0}], "our thread is none of the program's"


def test_a_blocked_loop_is_an_alert_with_the_stack_that_blocked_it(tmp_path: Path) -> None:
    script, recording = tmp_path / "service.py", tmp_path / "r.perftui"
    script.write_text(BLOCKED)
    run = ("run", "--headless", "--no-stacks", "--json", "-", "--record", str(recording))
    done = perftui(*run, "--fail-on", "loop_blocked", str(script))
    assert done.returncode == 1, done.stderr
    (alert,) = (a for a in json.loads(done.stdout)["alerts"] if a["kind"] == "loop_blocked")
    assert alert["severity"] in ("warn", "critical")
    assert "by handler (service.py:9), in query (service.py:5)" in alert["message"]
    assert "stack: handler (service.py:9) > query (service.py:5)" in alert["evidence"]
    sql = "SELECT took_s > 0.5 AS long, ended, n FROM loop_blocks ORDER BY t_ns DESC LIMIT 1"
    rows = json.loads(perftui("query", str(recording), sql, "--format", "json").stdout)
    assert rows == [{"long": True, "ended": True, "n": 1}]


def test_tasks_are_asked_for_when_the_time_is_over() -> None:
    ever = 1 << 62
    live = Session.launch(
        [sys.executable, "-c", "import asyncio; asyncio.run(asyncio.sleep(3600))"],
        "asleep",
        ProbeOptions(stacks=False),
        behind_screen=True,
    )
    try:

        def asleep() -> bool:  # the first list may come before it is
            return any(task.awaits == "sleep" for task in live.store.tasks(ever))

        wait_for(lambda: asleep() or not live.target_alive(), "the first list")
        before = live.store.tasks(ever)
        asked_ns = time.monotonic_ns()
        take_last_tasks(live, limit_s=60.0)
        (task,) = live.store.tasks(ever)
        assert task.t_ns >= asked_ns > before[0].t_ns
        assert task.awaits == before[0].awaits == "sleep"
    finally:
        live.stop_target()
        live.close()
