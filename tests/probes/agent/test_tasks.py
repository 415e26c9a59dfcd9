"""What asyncio's tasks wait for, told by the agent of real programs."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from support.measuring import measured
from support.stuck_service import stuck_service
from support.waiting import wait_for

from perftui.probes.agent_link.launch import agent_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]


def lists_of(recorded: Any) -> list[dict[str, dict[str, Any]]]:
    """Every list that was told, as tasks by name."""
    return [
        {line["name"]: line for line in recorded.of("task") if line["id"] == head["id"]}
        for head in recorded.of("tasks")
    ]


def test_every_task_is_named_with_what_it_awaits(watched: Run, python: str) -> None:
    def last_told() -> dict[str, dict[str, Any]]:
        recorded = watched(python, "-c", stuck_service(12))
        assert recorded.outcome == (0, b"", b"")
        assert not recorded.of("error")
        return [{}, *lists_of(recorded)][-1]

    # It is looked at once a second, and a full machine may leave that out, or to its very end.
    last = measured(last_told, lambda tasks: len(tasks) == 14)
    assert list(last)[1:] == [*(f"fetch-{i}" for i in range(12)), "writer"]
    names = [frame[0].rpartition(".")[2] for frame in last["writer"]["frames"]]
    assert names == ["writer", "read_socket", "sleep"]
    assert [frame[2] for frame in last["writer"]["frames"]][:2] == [13, 5]
    assert last["writer"]["awaits"] == "sleep"
    for n in range(12):
        assert last[f"fetch-{n}"]["frames"][0][2] == 8
        assert last[f"fetch-{n}"]["awaits"].rpartition(".")[2] == "acquire"


def test_a_list_is_told_when_it_has_changed(watched: Run) -> None:
    code = "import asyncio\nasync def main(): await asyncio.sleep(2.3)\nasyncio.run(main())\n"

    def lists() -> list[list[dict[str, Any]]]:
        return [
            [{k: v for k, v in task.items() if k not in ("id", "t")} for task in tasks.values()]
            for tasks in lists_of(watched(sys.executable, "-c", code))
        ]

    told = measured(lists, bool)
    # A slow machine may have had a look before the task slept.
    assert told and all(one != other for one, other in pairwise(told))


def test_tasks_are_told_when_asked_for_also_unchanged(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "async def reader():\n"
        "    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)\n"
        "asyncio.run(reader())\n"
    )
    env, fds, channel = agent_environment({"PATH": os.environ["PATH"]}, hears_orders=True)
    assert channel.board is not None
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, pass_fds=fds, stdin=subprocess.PIPE
    )
    channel.close_child_ends()
    channel.open_gate()
    said = b""

    def heads() -> int:
        nonlocal said
        with contextlib.suppress(BlockingIOError):
            said += os.read(channel.read_fd, 1 << 16)
        assert process.poll() is None, "it has ended"
        return said.count(b'"k":"tasks"')

    try:
        wait_for(lambda: heads() == 1, "the first list")
        for number in (2, 3):
            channel.board.ask_for_tasks(process.pid)
            wait_for(lambda number=number: heads() == number, "the list that was asked for")
        tasks = [json.loads(line) for line in said.splitlines() if b'"k":"task"' in line]
        assert [task["frames"][0][0] for task in tasks] == ["reader"] * 3
    finally:
        process.communicate(b"\n", timeout=60)
        channel.close()
    assert process.returncode == 0


def test_a_program_that_goes_on_without_tasks_has_none(watched: Run) -> None:
    code = (
        "import asyncio, time\n"
        "async def main(): await asyncio.sleep(1.6)\n"
        "asyncio.run(main())\n"
        "time.sleep(3.5)\n"
    )

    def told() -> list[int]:
        return [head["told"] for head in watched(sys.executable, "-c", code).of("tasks")]

    *while_it_ran, last = measured(told, lambda tasks: len(tasks) > 1 and not tasks[-1])
    assert set(while_it_ran) == {1}
    assert last == 0


def test_a_blocked_loop_is_told_with_what_blocks_it(watched: Run, python: str) -> None:
    code = (
        "import asyncio, time\n"
        "def query():\n"
        "    time.sleep(1.6)\n"
        "async def handler():\n"
        "    await asyncio.sleep(0.2)\n"
        "    query()\n"
        "    await asyncio.sleep(0.4)\n"
        "asyncio.run(handler())\n"
    )

    def told() -> list[dict[str, Any]]:
        recorded = watched(python, "-c", code)
        assert recorded.outcome == (0, b"", b"")
        # A machine that keeps it from its CPUs for 100 ms makes blocks of other places, too.
        return [line for line in recorded.of("loop_block") if "query (" in line["where"]]

    lines = measured(told, bool)
    assert [line["over"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert len({line["n"] for line in lines}) == 1
    assert 0.1e9 <= lines[-1]["took_ns"] < 60e9
    for line in lines:
        names = [place.rpartition(".")[2] for place in line["stack"].split(" > ")]
        assert names == ["handler (<string>:6)", "query (<string>:3)"]
        assert line["callback"].endswith("handler (<string>:6)")
        assert line["where"].endswith("query (<string>:3)")
        assert line["tid"] == line["pid"]


def test_a_loop_blocked_by_code_that_keeps_the_gil(watched: Run) -> None:
    code = (
        "import asyncio, time\n"
        "from pathlib import Path\n"
        "def query():\n"
        "    return sum(range(60_000_000))\n"
        "def looked_at():\n"
        "    told = [p.read_text() for p in Path('/proc/self/task').glob('*/status')]\n"
        "    ours = [text for text in told if 'perftui-agent' in text]\n"
        "    return ours and int(ours[0].split('voluntary_ctxt_switches:')[1].split()[0]) > 8\n"
        "async def handler():\n"
        "    while not looked_at(): await asyncio.sleep(0.1)\n"
        # Of a machine that is full the agent may get no CPU for the whole of one of them.
        "    for _ in range(3):\n"
        "        query()\n"
        "        await asyncio.sleep(0.4)\n"
        "asyncio.run(handler())\n"
    )

    def told() -> list[dict[str, Any]]:
        lines = watched(sys.executable, "-c", code).of("loop_block")
        return [line for line in lines if "query (<string>:4)" in line["where"]]

    blocks = measured(told, bool)
    assert blocks, "nobody could look while it lasted"
    assert blocks[-1]["over"]
    assert blocks[-1]["took_ns"] > 0.1e9


def test_many_blocks_are_counted_and_one_a_second_is_told(watched: Run) -> None:
    code = (
        "import asyncio, time\n"
        "async def handler():\n"
        "    for _ in range(5):\n"
        "        time.sleep(0.6)\n"
        "        await asyncio.sleep(0.02)\n"
        "asyncio.run(handler())\n"
    )

    def told() -> list[dict[str, Any]]:
        return list(watched(sys.executable, "-c", code).of("loop_block"))

    lines = measured(told, lambda lines: lines and lines[-1]["n"] <= 5)
    seconds = (lines[-1]["t"] - lines[0]["t"]) / 1e9
    assert 1 <= lines[-1]["n"] <= 5
    assert sum(line["over"] for line in lines) <= seconds + 2


def test_a_busy_loop_of_short_callbacks_is_not_blocked(watched: Run) -> None:
    code = (
        "import asyncio, time\n"
        "async def main():\n"
        "    end = time.monotonic() + 1.5\n"
        "    while time.monotonic() < end:\n"
        "        sum(range(5000))\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )

    def blocked_ns() -> int:
        lines = watched(sys.executable, "-c", code).of("loop_block")
        return sum(line["took_ns"] for line in lines if line["over"])

    # A machine that keeps the program from its cores for 100 ms makes a block of any callback.
    assert measured(blocked_ns, lambda ns: ns < 0.75e9) < 0.75e9


def test_programs_of_asyncio_cannot_tell(same: Run, python: str) -> None:
    """Not by `threading`, by warnings of forks, by debug flags, by what a signal does."""
    code = (
        "import asyncio, os, signal, sys, threading, time, warnings\n"
        "warnings.simplefilter('error')\n"
        "async def main():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    print(loop.get_debug(), loop.slow_callback_duration, threading.active_count())\n"
        "    print(type(loop).__init__.__qualname__, asyncio.BaseEventLoop.__init__.__qualname__)\n"
        "    await asyncio.sleep(0.3)\n"
        "    child = os.fork()\n"
        "    if child == 0: os._exit(3)\n"
        "    print(os.waitpid(child, 0)[1])\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "    print(signal.sigwait({signal.SIGUSR1}))\n"
        "    process = await asyncio.create_subprocess_exec('true')\n"
        "    print(await process.wait(), sorted(m for m in sys.modules if 'weakref' in m))\n"
        "    raise KeyError('the end')\n"
        "asyncio.run(main())\n"
    )
    same(python, "-c", code)


def test_a_forked_worker_has_no_tasks_of_its_parent(watched: Run) -> None:
    code = (
        "import asyncio, os, time\n"
        "async def main():\n"
        "    await asyncio.sleep(0.3)\n"
        "    child = os.fork()\n"
        "    if child == 0: time.sleep(1.5); os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "asyncio.run(main())\n"
    )

    def run() -> Any:
        return watched(sys.executable, "-c", code)

    recorded = measured(run, lambda recorded: recorded.of("tasks"))
    assert {head["pid"] for head in recorded.of("tasks")} == {recorded.of("hello")[0]["pid"]}
