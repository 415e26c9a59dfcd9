"""The host's end of the pipe."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.kept import Kept

from perftui.probes.agent_link.launch import agent_environment
from perftui.probes.agent_link.reader import AgentProbe
from perftui.probes.spine import records
from perftui.probes.spine.log import SessionLog

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fed:
    """A probe at the end of a pipe that the test writes into."""

    def __init__(self) -> None:
        self.log = SessionLog()
        self.kept = Kept()
        self.log.connect(self.kept)
        self.read_fd, self.write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.read_fd, False)
        self.hellos: list[dict[str, Any]] = []
        self.byes: list[tuple[int, int]] = []
        self.probe = AgentProbe(
            self.log,
            self.read_fd,
            on_hello=self.hellos.append,
            on_bye=lambda pid, held_ns: self.byes.append((pid, held_ns)),
        )

    def write(self, data: bytes) -> None:
        assert os.write(self.write_fd, data) == len(data)

    def close(self) -> None:
        self.probe.stop()
        os.close(self.read_fd)
        os.close(self.write_fd)


@pytest.fixture
def fed() -> Iterator[Fed]:
    fed = Fed()
    yield fed
    fed.close()


MARK = b'{"k":"mark","t":5,"pid":7,"name":"m"}\n'


def test_stop_takes_what_is_left(fed: Fed) -> None:
    fed.probe.start()
    fed.write(MARK * 500)
    fed.probe.stop()
    assert fed.kept.records == [records.Mark(5, 7, "m")] * 500
    fed.probe.stop()


def test_what_the_agent_says_of_itself(fed: Fed) -> None:
    fed.probe.start()
    fed.write(b'{"k":"notice","t":5,"pid":7,"text":"imports cannot be timed"}\n')
    fed.write(
        b'{"k":"hello","t":6,"pid":7,"ppid":1,"python":"3.13.9","implementation":"cpython",'
        b'"free_threaded":true,"executable":"/x","prefix":"/x","argv":[]}\n'
    )
    fed.probe.stop()
    text = "process 7: imports cannot be timed"
    assert fed.kept.records == [records.Notice(5, "warn", text)]
    assert fed.hellos[0]["free_threaded"] is True


def test_a_stop_without_a_start(fed: Fed) -> None:
    fed.probe.stop()
    assert fed.kept.records == []


def test_lines_in_pieces_and_garbage(fed: Fed) -> None:
    fed.probe.start()
    nonsense = [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"k":"mark","t":5,"pid":7}',
        b'{"k":"mark","t":-5,"pid":7,"name":"m"}',
        b'{"k":"mark","t":5,"pid":true,"name":"m"}',
        b'{"k":"mark","t":5,"pid":7,"name":["m"]}',
        b'{"k":"mark","t":9999999999999999999999,"pid":7,"name":"m"}',
        b'{"k":"count","t":5,"pid":7,"name":"m","total":NaN}',
        b'{"k":"count","t":5,"pid":7,"name":"m","total":1e999}',
        b'{"k":"count","t":5,"pid":7,"name":"m","total":"1"}',
        b'{"k":"what","t":5,"pid":7}',
        b'{"k":["mark"],"t":5,"pid":7}',
        b'{"k":"stack","t":5,"pid":7,"tid":7,"dur_ns":1,"files":[],"frames":[["f",0,1]]}',
        b'{"k":"stack","t":5,"pid":7,"tid":7,"dur_ns":9,"files":["a"],"frames":[]}',
        b'{"k":"stack","t":5,"pid":7,"tid":7,"dur_ns":9,"files":["a"],"frames":[["f",0,1]]}',
        b"[" * 9000,
        b"\xff\xfe" * 10,
    ]
    for line in nonsense:
        fed.write(line + b"\n")
    for byte in MARK:
        fed.write(bytes([byte]))
    fed.probe.stop()
    assert fed.kept.of(records.Mark) == [records.Mark(5, 7, "m")]
    assert fed.kept.of(records.Count) == []
    assert fed.probe.garbage == len(nonsense)


def test_an_endless_line_costs_no_memory_and_ends(fed: Fed) -> None:
    fed.probe.start()
    for _ in range(40):
        fed.write(b"x" * 50_000)
    fed.write(b"\n" + MARK)
    fed.probe.stop()
    assert fed.kept.records == [records.Mark(5, 7, "m")]
    assert fed.probe.garbage == 1


def test_any_bytes_at_all(fed: Fed) -> None:
    dice = random.Random(4)
    fed.probe.start()
    for _ in range(300):
        line = bytearray(dice.choice([MARK, HELLO, IMPORT]))
        for _ in range(dice.randrange(4)):
            line[dice.randrange(len(line))] = dice.randrange(256)
        fed.write(bytes(line) + b"\n")
    fed.write(MARK)
    fed.probe.stop()
    assert fed.kept.records[-1] == records.Mark(5, 7, "m")


HELLO = (
    b'{"k":"hello","t":1,"pid":7,"ppid":6,"python":"3.9.1","implementation":"cpython",'
    b'"executable":"/x/\\udcffpython","prefix":"/x","argv":["python","a"]}\n'
)
IMPORT = (
    b'{"k":"import","t":3,"pid":7,"id":1,"tid":8,"module":"m","parent":null,"rss":4096,'
    b'"function":"f","file":"a.py","line":2,"lazy":true}\n'
)


def test_every_kind_becomes_its_record(fed: Fed) -> None:
    fed.probe.start()
    lines = [
        HELLO,
        IMPORT,
        b'{"k":"import_end","t":9,"pid":7,"id":1,"self_ns":2,"total_ns":6,"rss":null,"ok":false}',
        b'{"k":"phase","t":10,"pid":7,"id":1,"name":"p","tid":8,"parent":2,"cpu_s":0.5,"rss":1}',
        b'{"k":"phase_end","t":11,"pid":7,"id":1,"cpu_s":1,"rss":2,"dropped":3}',
        b'{"k":"call","t":12,"pid":7,"tid":8,"name":"c","n":1,"dur_ns":4,"ok":true}',
        b'{"k":"count","t":13,"pid":7,"name":"n","total":2.5}',
        b'{"k":"pool","t":14,"pid":7,"name":"arrow","bytes":64,"backend":"mimalloc"}',
        b'{"k":"thread_name","t":15,"pid":7,"tid":8,"name":"MainThread"}',
        b'{"k":"stack","t":20,"pid":7,"tid":8,"dur_ns":5,"files":["a.py"],'
        b'"frames":[["f",0,1],["\\u2026",-1,0],["g",0,2]]}',
        b'{"k":"error","t":21,"pid":7,"text":"E: x"}',
        b'{"k":"bye","t":22,"pid":7,"dropped":4}',
        b'{"k":"mark","t":23,"pid":8,"name":"x","dropped":1}',
    ]
    fed.write(b"\n".join(line.strip() for line in lines) + b"\n")
    fed.probe.stop()
    *others, notice, mark, window = fed.kept.records
    assert isinstance(window, records.StackWindow)
    assert (window.backend, window.samples, window.errors) == ("in-process", 1, 0)
    stack = others.pop()
    assert others == [
        records.ImportBegin(3, 7, 8, 1, "m", None, 4096, "f", "a.py", 2, True),
        records.ImportEnd(9, 7, 1, 2, 6, None, False),
        records.PhaseBegin(10, 7, 8, 1, "p", 2, 0.5, 1),
        records.PhaseEnd(11, 7, 1, 1.0, 2),
        records.Call(12, 7, 8, "c", 1, 4, True),
        records.Count(13, 7, "n", 2.5),
        records.Pool(14, 7, "arrow", 64, "mimalloc"),
        records.ThreadName(15, 7, 8, "MainThread"),
    ]
    assert isinstance(stack, records.Stack)
    assert stack[:4] == (15, 20, 7, 8)
    tree = fed.log.tree
    frames = [tree.frame(node) for node in tree.path(stack.node)]
    assert [(f.function, f.file, f.line, f.kind) for f in frames] == [
        ("f", "a.py", 1, "py"),
        ("…", "", 0, "elided"),
        ("g", "a.py", 2, "py"),
    ]
    assert isinstance(notice, records.Notice) and "E: x" in notice.text
    assert mark == records.Mark(23, 8, "x")
    assert fed.probe.dropped == 5
    assert fed.byes == [(7, 0)]
    assert fed.hellos == [
        {
            "python": "3.9.1",
            "implementation": "cpython",
            "executable": "/x/?python",
            "prefix": "/x",
            "t": 1,
            "pid": 7,
            "ppid": 6,
            "argv": ["python", "a"],
        }
    ]
    assert fed.probe.garbage == 0


def test_batches_are_in_time_order(fed: Fed) -> None:
    lines = [b'{"k":"mark","t":%d,"pid":7,"name":"m"}\n' % t for t in (5, 3, 9, 1)]
    fed.write(b"".join(lines))
    fed.probe.start()
    fed.probe.stop()
    assert [mark.t_ns for mark in fed.kept.of(records.Mark)] == [1, 3, 5, 9]


def test_a_real_program(python: str) -> None:
    log, kept = SessionLog(), Kept()
    log.connect(kept)
    hellos: list[dict[str, Any]] = []
    env, fds, channel = agent_environment({"PATH": os.environ["PATH"]})
    probe = AgentProbe(log, channel.read_fd, on_hello=hellos.append)
    code = (
        "import perftui\n"
        "with perftui.phase('load'):\n    import decimal\n    perftui.count('rows', 7)\n"
        "with perftui.call('ask'): pass\n"
        "perftui.mark('here')\n"
    )
    with subprocess.Popen([python, "-c", code], env=env, pass_fds=fds) as process:
        channel.close_child_ends()
        probe.start()
        channel.open_gate()
    probe.stop()
    channel.close()
    assert process.returncode == 0
    assert probe.garbage == probe.dropped == 0
    assert [hello["pid"] for hello in hellos] == [process.pid]
    [load] = kept.of(records.PhaseBegin)
    assert (load.name, load.pid, load.tid) == ("load", process.pid, process.pid)
    [end] = kept.of(records.PhaseEnd)
    assert end.id == load.id
    assert end.t_ns > load.t_ns
    assert "decimal" in {record.module for record in kept.of(records.ImportBegin)}
    assert [record.total for record in kept.of(records.Count)] == [7.0]
    assert [record.name for record in kept.of(records.Call)] == ["ask"]
    assert [record.name for record in kept.of(records.Mark)] == ["here"]


def test_nothing_without_an_agent() -> None:
    """No agent, no work: functions stay themselves, iterators too, and nothing is imported."""
    code = (
        "import sys\nbefore = set(sys.modules)\nimport perftui\n"
        "new = set(sys.modules) - before\n"
        "def f(): pass\n"
        "assert perftui.phase('a')(f) is f and perftui.call('a')(f) is f\n"
        "with perftui.phase('x'), perftui.call('y'): perftui.count('n', 3); perftui.mark('m')\n"
        "it = iter([1]); assert perftui.watch(it) is it\n"
        "import json; print(json.dumps(sorted(new)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert all(name.split(".")[0] == "perftui" for name in json.loads(done.stdout))
