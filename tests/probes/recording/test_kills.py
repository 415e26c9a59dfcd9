"""kill -9 of the recorder at random moments, also while it seals: no acknowledged row is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.recording.read.reader import open_recording

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITER = """
import sys
from pathlib import Path
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Mark, Metric, Stack, StackWindow
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.log import SessionLog

log = SessionLog()
tree = log.tree
target = Target("kill", ("python",), 7, None, True, True)
# Sealed every 4 of its seconds, merged every 48: most kills come while something is sealed.
now = [0]
S = 1_000_000_000
recording = Recording(
    Path(sys.argv[1]), tree, target, 0, WriterOptions(seal_s=4.0), clock=lambda: now[0]
)
log.connect(recording)
second = 0
while True:
    base = second * S
    node = tree.intern([tree.frame_id(f"f{second}", "/app/f.py", n) for n in range(3)])
    log.append(Mark(base, 7, f"mark {second}"), Metric(base, 7, second * 0.5, 1000 + second))
    stacks = [Stack(base + n * S // 100, base + (n + 1) * S // 100, 7, 7, node) for n in range(100)]
    log.append(*stacks, StackWindow(base, base + S, 7, 100, 100, 0, 0, 0.0, "py-spy"))
    now[0] = base + S
    recording.flush()
    second += 1
    print(second, flush=True)
"""


@contextmanager
def writer(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """Start the writer; when the block ends it is killed, and the list has what it acknowledged."""
    argv = [sys.executable, "-c", textwrap.dedent(WRITER), str(directory)]
    acknowledged: list[int] = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        acknowledged.append(int(process.stdout.readline()))  # it is at work
        try:
            yield process, acknowledged
        finally:
            process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith(b"\n")]


def kill_once(directory: Path, after: int, pause_s: float) -> int:
    """Kill the writer soon after it has acknowledged so many of its seconds; returns how many.

    By what it has done and not by the clock: on a full machine it would not yet have begun.
    """
    with writer(directory) as (process, acknowledged):
        assert process.stdout is not None
        while acknowledged[-1] < after:
            acknowledged.append(int(process.stdout.readline()))
        time.sleep(pause_s)
    return acknowledged[-1]


def kill_while_it_seals(directory: Path, rng: random.Random) -> int:
    """Stop the writer again and again until it stands in the midst of it, and kill it there."""
    with writer(directory) as (process, acknowledged):

        def stands_there() -> bool:
            process.send_signal(signal.SIGCONT)
            time.sleep(rng.uniform(0, 0.01))
            process.send_signal(signal.SIGSTOP)
            wait_for(lambda: state_of(process.pid) == "T", "it does not stop")
            return is_sealing(directory)

        wait_for(stands_there, "it never seals")
    return acknowledged[-1]


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def is_sealing(directory: Path) -> bool:
    """Tell whether some rows are in two files, or in one that is not yet whole."""
    files = [file.name for file in directory.iterdir()]
    sealed = {name.split(".")[0] for name in files if name.endswith(".parquet")}
    live = {name.split(".")[0] for name in files if name.endswith(".arrows")}
    return bool(sealed & live) or any(name.endswith(".tmp") for name in files)


def check(directory: Path, acknowledged: int) -> None:
    """See that all that was acknowledged is there, once."""
    reader = open_recording(directory)
    assert reader.state == "interrupted"
    assert reader.salvage is not None
    assert reader.salvage.startswith("interrupted, reason unknown: ")
    second_ns = 1_000_000_000
    names = [event.text for event in reader.events(0, 1 << 62) if event.kind == "mark"]
    assert names == [f"mark {n}" for n in range(len(names))]
    assert acknowledged <= len(names) <= acknowledged + 1
    (thread,) = reader.call_tree(0, acknowledged * second_ns)
    assert thread.wall_ns == acknowledged * second_ns
    functions = {reader.tree.frame(node).function for node in thread.self_by_node}
    assert functions == {f"f{n}" for n in range(acknowledged)}
    assert reader.highest("rss_bytes", 0, (acknowledged - 1) * second_ns) == 999 + acknowledged


def kills(folder: Path, times: int, seed: int) -> None:
    rng = random.Random(seed)
    for number in range(times):
        directory = folder / f"{number}.perftui"
        check(directory, kill_once(directory, rng.randrange(1, 50), rng.uniform(0, 0.03)))


def test_four_kills_lose_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 4, seed=1)


@pytest.mark.live
def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 20, seed=2)


@pytest.mark.live
def test_kills_while_it_seals_lose_nothing(tmp_path: Path) -> None:
    rng = random.Random(3)
    for number in range(5):
        directory = tmp_path / f"{number}.perftui"
        acknowledged = kill_while_it_seals(directory, rng)
        assert is_sealing(directory)
        check(directory, acknowledged)
