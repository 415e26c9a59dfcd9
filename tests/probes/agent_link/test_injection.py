"""The agent comes into a program that runs, and leaves it as it was."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.pythons import interpreters
from support.sampler import clean_environment
from support.waiting import PATIENCE_S, has_ended, wait_for

from perftui.probes.agent_link.injection import able
from perftui.probes.agent_link.injection import channel as channels
from perftui.probes.agent_link.injection.able import NotInjectable, injectable
from perftui.probes.agent_link.injection.channel import InjectedChannel
from perftui.probes.agent_link.injection.wake import end_wait, waits_for_events
from perftui.probes.machine.rights import has_trace_capability, yama_scope
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.tui.errors import UserError
from perftui.tui.watch.injecting import agreed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PYTHONS = [each for each in interpreters(free_threaded=False) if each.minor >= 14]
NEWEST = sorted(PYTHONS, key=lambda each: each.minor)[-1:]

PROGRAM = """
import asyncio, gc, json, os, sys, threading

def state():
    bootstrap = sys.modules["_frozen_importlib"]
    files = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            files[name] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            pass
    return {
        "modules": sorted(sys.modules),
        "path": sys.path,
        "finders": [repr(finder) for finder in sys.meta_path],
        "hooks": [repr(hook) for hook in sys.path_hooks],
        "importer_cache": sorted(sys.path_importer_cache),
        "threads": [len(os.listdir("/proc/self/task")), threading.active_count()],
        "files": files,
        "environment": dict(os.environ),
        "locks": [bootstrap._ModuleLock.__mro__.__len__(),
                  bootstrap._ModuleLockManager.__mro__.__len__()],
        "loop": asyncio.base_events.BaseEventLoop.__init__.__code__.co_filename,
        "tracing": [sys.gettrace() is None, sys.getprofile() is None],
        "collector": [repr(callback) for callback in gc.callbacks],
        "tools": [sys.monitoring.get_tool(number) for number in range(6)],
    }

def late():
    import this_module_comes_late
    import perftui
    gc.collect()
    with perftui.phase("late phase"):
        perftui.count("rows", 7)

async def waits():
    await asyncio.Event().wait()

async def main():
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    task = asyncio.create_task(waits(), name="the one that waits")
    while True:
        line = (await reader.readline()).decode().strip()
        if line == "state":
            print(json.dumps(state()), flush=True)
        elif line == "late":
            late()
            print('"done"', flush=True)
        elif line == "fork":
            pid = os.fork()
            if not pid:
                os._exit(len(os.listdir("/proc/self/task")) + 10 * len(gc.callbacks))
            print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])), flush=True)
        else:
            sys.exit(7)

asyncio.run(main())
"""


class Program:
    """A program that does what it is told, and says what it is like."""

    def __init__(self, python: str, folder: Path) -> None:
        (folder / "this_module_comes_late.py").write_text("import wave\n")
        file = folder / "program.py"
        file.write_text(PROGRAM)
        self.process = subprocess.Popen(
            [python, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, word: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        return json.loads(line)

    def ask_until(self, holds: Callable[[Any], object]) -> Any:
        """Have it run Python until something holds; returns its state then."""
        states: list[Any] = []

        def asked() -> object:
            states[:] = [self.ask("state")]
            return holds(states[0])

        wait_for(asked)
        return states[0]

    def is_again(self, before: dict[str, Any]) -> None:
        """Wait until it is as it was; fail with what is not."""
        last: list[dict[str, Any]] = []

        def asked() -> bool:
            last[:] = [self.ask("state")]
            return last[0] == before

        try:
            wait_for(asked)
        except AssertionError:
            other = {key: (before[key], last[0][key]) for key in before}
            raise AssertionError(
                {key: pair for key, pair in other.items() if pair[0] != pair[1]}
            ) from None

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate("end\n", PATIENCE_S)
        return self.process.returncode, out, err


@pytest.fixture
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    made = Program(request.param, tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


on_newest = pytest.mark.parametrize(
    "program", [each.executable for each in NEWEST], indirect=True, ids=lambda path: path[-4:]
)
on_each = pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            each.executable,
            id=f"3.{each.minor}",
            marks=[] if each in NEWEST else [pytest.mark.live],
        )
        for each in PYTHONS
    ],
    indirect=True,
)
OPTIONS = ProbeOptions(stacks=False)


@on_each
def test_it_sees_what_comes_and_leaves_all_as_it_was(program: Program) -> None:
    before = program.ask("state")
    session = Session.attach(program.pid, OPTIONS, inject=injectable(program.pid))
    try:
        program.ask_until(lambda _: session.reader.target().agent)
        there = program.ask("state")
        assert there["modules"] != before["modules"]
        assert there["threads"][0] > before["threads"][0]

        # Only one at a time.
        said: list[str] = []
        second = InjectedChannel(injectable(program.pid))
        second.bring(lambda _, text: said.append(text), lambda: True)
        program.ask_until(lambda _: said)
        second.leave(alive=True)
        second.close()
        begin = f"the agent did not come into process {program.pid}"
        assert said == [f"{begin}: another perftui has its agent there"]

        assert program.ask("late") == "done"
        reader = session.store
        far = 1 << 62
        wait_for(
            lambda: (
                {each.name for each in reader.phases(0, far)} >= {"late phase"}
                and reader.tasks(far)
            )
        )
        imported = {each.module for each in reader.imports(0, far)}
        assert {"this_module_comes_late", "wave"} <= imported
        assert "the one that waits" in {each.name for each in reader.tasks(far)}
        wait_for(lambda: any(each.generation == 2 for each in reader.collected(0, far)))
        assert program.ask("fork") > 1  # a child is seen inside, too
    finally:
        session.close()
    after = program.ask_until(lambda state: state["threads"] == before["threads"])
    own = {"this_module_comes_late", "wave", "perftui", "struct", "_struct"}
    gained = set(after.pop("modules")) - set(before.pop("modules"))
    assert {name for name in gained if name.startswith("_perftui")} == set()
    assert own & gained >= {"this_module_comes_late", "wave", "perftui"}
    after["importer_cache"] = before["importer_cache"]  # the program imported a module itself
    assert after == before
    assert program.ask("fork") == 1
    assert program.ask("late") == "done"  # what it says now is said to nobody
    assert program.end() == (7, "", "")


@pytest.mark.skipif(
    yama_scope() not in (None, 0) and not has_trace_capability(),
    reason="who is no ancestor of it may not enter a program here",
)
@on_newest
def test_it_leaves_when_perftui_is_killed(program: Program) -> None:
    before = program.ask("state")
    code = (
        "import time; from perftui.probes.session import Session\n"
        "from perftui.probes.session_options import ProbeOptions\n"
        "from perftui.probes.agent_link.injection.able import injectable\n"
        f"s = Session.attach({program.pid}, ProbeOptions(stacks=False),"
        f" inject=injectable({program.pid}))\n"
        "while not s.reader.target().agent: time.sleep(.01)\n"
        "print('there', s._channel._meeting.path, flush=True); time.sleep(1000)"
    )
    host = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    ready, _, _ = select.select([host.stdout], [], [], 0)
    while not ready and host.poll() is None:
        program.ask("state")
        ready, _, _ = select.select([host.stdout], [], [], 0.05)
    there, _, folder = host.stdout.readline().strip().partition(" ")
    assert there == "there"
    assert len(program.ask("state")["files"]) > len(before["files"])
    host.kill()
    host.communicate()
    program.is_again(before)
    assert not os.path.exists(folder)  # noqa: PTH110
    assert program.end() == (7, "", "")


@pytest.mark.skipif(not NEWEST, reason="no Python 3.14 or later is here")
def test_who_runs_no_python_is_waited_for_and_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main thread stands in C: the order is taken back, and the program sees nothing of it."""
    monkeypatch.setattr(channels, "LATE_S", 0.05)
    monkeypatch.setattr(channels, "LIMIT_S", 0.2)
    text = "import os, sys; print('go', flush=True); os.read(0, 9); print(len(sys.modules))"
    words = [NEWEST[0].executable, "-I", "-c", text]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        plain = subprocess.run(words, input="x", capture_output=True, text=True).stdout
        said: list[tuple[str, str]] = []
        # Within the call: what comes before it is Python.
        wait_for(lambda: "pipe" in wchan(process.pid) or has_ended(process.pid))
        brought = InjectedChannel(injectable(process.pid))
        brought.bring(lambda how, what: said.append((how, what)), lambda: True)
        wait_for(lambda: said and said[-1][0] == "warn")
        assert [how for how, _ in said] == ["info", "warn"]
        assert said[0][1] == channels.WAITS
        assert "has run no Python for" in said[-1][1]
        brought.leave(alive=True)
        brought.close()
        out, err = process.communicate("x", PATIENCE_S)
        assert (process.returncode, "go\n" + out, err) == (0, plain, "")


IDLE = """
import asyncio, signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda number, _: print("signal", number, flush=True))
async def main():
    await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    print("go", flush=True)
    await asyncio.Event().wait()
    print("woke up", flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("newer", [each.executable for each in PYTHONS], ids=lambda path: path[-4:])
def test_a_server_without_events_is_entered_and_does_not_notice(newer: str) -> None:
    with subprocess.Popen([newer, "-c", IDLE], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "go\n"
            wait_for(lambda: waits_for_events(process.pid))
            session = Session.attach(process.pid, OPTIONS, inject=injectable(process.pid))
            try:
                wait_for(lambda: session.reader.target().agent or has_ended(process.pid))
            finally:
                session.close()
            wait_for(lambda: waits_for_events(process.pid))
        finally:
            process.kill()
        assert process.stdout.read() == "", "no signal and no event of its own"


def test_who_is_gone_or_does_not_wait_is_not_woken() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        assert not waits_for_events(process.pid)
        process.kill()
    assert not waits_for_events(process.pid)
    assert not end_wait(process.pid)


def wchan(pid: int) -> str:
    with open(f"/proc/{pid}/wchan") as file:  # noqa: PTH123
        return file.read()


@pytest.mark.skipif(not NEWEST, reason="no Python 3.14 or later is here")
@pytest.mark.parametrize("how", ["option", "environment"])
def test_where_it_is_turned_off_it_is_said(how: str) -> None:
    words = [NEWEST[0].executable, *(["-X", "disable-remote-debug"] if how == "option" else [])]
    environment = clean_environment()
    if how == "environment":
        environment["PYTHON_DISABLE_REMOTE_DEBUG"] = "1"
    pipe = subprocess.PIPE
    text = "print('go', flush=True); input()"
    with subprocess.Popen(
        [*words, "-c", text], stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        with pytest.raises(NotInjectable, match="has remote debugging turned off"):
            injectable(process.pid)
        process.communicate(b"\n")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python is new enough")
def test_an_older_python_is_refused() -> None:
    minor = sys.version_info[1]
    with pytest.raises(NotInjectable, match=rf"runs Python 3\.{minor}: --inject needs 3\.14"):
        injectable(os.getpid())


@pytest.mark.parametrize("version", [0x031000A2, 0x031000F0, 0x030F00A3])
def test_a_python_that_is_not_known_yet_is_refused(version: int) -> None:
    with pytest.raises(NotInjectable, match="does not know where its flags lie"):
        able._minor(version, 1)


def test_what_is_no_python_is_refused() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        wait_for(lambda: "nanosleep" in wchan(process.pid) or has_ended(process.pid))
        with pytest.raises(NotInjectable, match=r"is no CPython of 3\.11 or later"):
            injectable(process.pid)
        process.kill()


@on_newest
def test_nobody_is_entered_without_a_word(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program.ask("state")
    with pytest.raises(UserError, match="add --yes"):
        agreed(program.pid, yes=False)
    target = agreed(program.pid, yes=True)
    assert target is not None

    class Terminal:
        def __init__(self, says: str) -> None:
            self.says = says

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return self.says

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for says, wanted in (("y\n", target), ("n\n", None), ("\n", None), ("", None)):
        monkeypatch.setattr(sys, "stdin", cast("Any", Terminal(says)))
        assert agreed(program.pid, yes=False) == wanted
    assert "takes itself out when perftui leaves. Go on? [y/N]" in capsys.readouterr().err
    assert target.version == f"3.{NEWEST[0].minor}"
