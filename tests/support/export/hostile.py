"""A recording of a program whose names want to break out of every format, and that recurses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.records import (
    Alert,
    Count,
    ImportBegin,
    ImportEnd,
    LogLine,
    Mark,
    Metric,
    PhaseBegin,
    PhaseEnd,
    Pool,
    ProcessStart,
    Stack,
    ThreadCpu,
    ThreadName,
)
from support.enriched import feed
from support.recordings.synthetic import PID, T0, TARGET, S

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    """quotes"'`\\""",
    "<script>alert(1)</script>&amp;]]>",
    "semi;colon;",
    "line\nbreak\r\n\u2028\u2029\x85",
    "nul\0and\x1b]0;title\x07\x1b[31m",
    "bidi\u202eelif\u202c\u2066x\u2069",
    "zero\u200bwidth\ufeff",
    "=cmd|' /C calc'!A0",
    "{marker.data.x} %s %n ${HOME} `id`",
    " blank at both ends ",
    "",
    "combining e\u0301 \U0001f600 日本語",
    "x" * 65_536,
)
LONG = NAMES[-1]


def make_hostile(directory: Path) -> Path:
    """Record 10 s: each name calls itself and a leaf of the next name."""
    clock = [T0]
    tree = CallTree()
    recording = Recording(
        directory, tree, TARGET, T0, WriterOptions(seal_s=4.0), clock=lambda: clock[0]
    )
    ids = [tree.frame_id(name, f"/srv/{name}.py", 7) for name in NAMES]
    count = len(NAMES)
    leaves = [tree.intern([ids[n], ids[n], ids[(n + 1) % count]]) for n in range(count)]
    start = [
        ProcessStart(T0, PID, 1, ("/bin/" + NAMES[1], NAMES[0]), "3.12.1"),
        ThreadName(T0, PID, PID, NAMES[1] + NAMES[3]),
        ThreadName(T0, PID, PID + 1, NAMES[4]),
    ]
    feed(recording, start)
    for n, name in enumerate(NAMES):
        at = T0 + S // 10 * (n + 1)
        feed(
            recording,
            [
                PhaseBegin(at, PID, PID, 100 + n, name, None, 0.1, 1_000),
                PhaseEnd(at + S // 20, PID, 100 + n, 0.2, 2_000),
                ImportBegin(at, PID, PID, n + 1, name, None, 1_000),
                ImportEnd(at + S // 20, PID, n + 1, S // 20, S // 20, 2_000, ok=True),
                Mark(at, PID, name),
                Count(at, PID, name, float(n)),
                Pool(at, PID, name, 1_000 * n),
                LogLine(at, "stdout", name),
                Alert("mem_growth", "warn", at, at + 1, None, name, name),
            ],
        )
    for second in range(10):
        base = T0 + second * S
        batch: list[object] = [Metric(base + S // 2, PID, second * 0.5, 20_000_000)]
        batch += [ThreadCpu(base, PID, PID + k, "python", second * 0.2, "R") for k in (0, 1)]
        for k in (0, 1):
            for step in range(20):
                t = base + step * S // 20
                leaf = leaves[(second * 20 + step + k) % count]
                batch.append(Stack(t, t + S // 20, PID, PID + k, leaf, torn=step == 3))
        feed(recording, batch)  # type: ignore[arg-type] # of many kinds
        clock[0] += S
        recording.flush()
    recording.close()
    return directory
