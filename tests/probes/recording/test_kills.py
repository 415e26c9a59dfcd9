"""kill -9 of the recorder at random moments, also while it seals: no acknowledged row is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from tempfile import mkdtemp

import pytest
from support.measuring import measured

from perftui.probes.recording.read.reader import open_recording

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


def kill_once(directory: Path, after_s: float) -> int:
    """Run the writer, kill it after a while; returns the seconds that it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(directory)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()  # it is at work
    time.sleep(after_s)
    process.kill()
    acknowledged = [1, *(int(line) for line in process.stdout if line.endswith(b"\n"))][-1]
    process.stdout.close()
    process.wait()
    return acknowledged


def check(directory: Path, acknowledged: int) -> bool:
    """See that all that was acknowledged is there, once; True if the kill hit a sealing."""
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
    files = [file.name for file in directory.iterdir()]
    sealed = {name.split(".")[0] for name in files if name.endswith(".parquet")}
    live = {name.split(".")[0] for name in files if name.endswith(".arrows")}
    return bool(sealed & live) or any(name.endswith(".tmp") for name in files)


def kills(folder: Path, times: int, seed: int) -> int:
    rng = random.Random(seed)
    hits = 0
    for number in range(times):
        directory = folder / f"{number}.perftui"
        hits += check(directory, kill_once(directory, rng.uniform(0.05, 1.2)))
    return hits


def test_four_kills_lose_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 4, seed=1)


@pytest.mark.live
def test_twenty_kills_lose_nothing_also_while_sealing(tmp_path: Path) -> None:
    hits = measured(lambda: kills(Path(mkdtemp(dir=tmp_path)), 20, seed=2), bool, tries=3)
    assert hits > 0, "no kill came while a segment was sealed"
