"""A recording whose names mean harm, with everything in it that an export shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
    Count,
    Exit,
    ImportBegin,
    ImportEnd,
    LogLine,
    Metric,
    Overhead,
    PhaseBegin,
    PhaseEnd,
    Pool,
    ProcessStart,
    Stack,
    StackWindow,
    ThreadName,
)
from support.enriched import feed
from support.recordings.synthetic import PID, T0, S

if TYPE_CHECKING:
    from pathlib import Path

MARKUP = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
QUOTES = "\"'><svg/onload=alert(2)>&amp;]]>--><!--"
CONTROL = "a\x00b\x1b[31mc\x07d\u202eEVIL\u2066\u2028e\ud800f\nnew"
MARKDOWN = "|pipe|`tick`*b* [l](javascript:alert(3)) @everyone #1 <b>\\"
LONG = "long." + "x" * 65_000 + ".end"
NAMES = (MARKUP, QUOTES, CONTROL, MARKDOWN, LONG, "__proto__", "数据库.запрос", "constructor")


def make_hostile(directory: Path) -> Path:
    """Record ten seconds of every name in every place that takes one."""
    clock = [T0]
    tree = CallTree()
    target = Target(MARKUP, ("python", MARKUP), PID, QUOTES, launched=True, agent=True)
    recording = Recording(directory, tree, target, T0, WriterOptions(), clock=lambda: clock[0])
    feed(recording, [ProcessStart(T0, PID, 1, target.argv, "3.12.1")])
    for number, name in enumerate(NAMES):
        root = tree.frame_id(name, f"/srv/{name}.py", 1)
        leaf = tree.intern([root, tree.frame_id(name + "!", name, number)])
        t = T0 + number * S
        thread = PID + number
        feed(
            recording,
            [
                ThreadName(t, PID, thread, name),
                PhaseBegin(t, PID, PID, number, name, None, 0.0, 1_000_000),
                ImportBegin(t, PID, PID, number, name, None, 1_000_000),
                ImportEnd(t + S // 2, PID, number, S // 2, S // 2, 2_000_000, ok=True),
                LogLine(t, "stdout", name),
                *(Metric(t + n * S // 10, PID, n / 10, 10_000_000 * (n + 1)) for n in range(10)),
                *(Count(t + n * S // 10, PID, name, n * 10.0) for n in range(10)),
                *(Pool(t + n * S // 10, PID, name, 5_000_000) for n in range(10)),
                Stack(t, t + S, PID, thread, leaf),
                StackWindow(t, t + S, PID, 100.0, 100, 0, 0, 0.01, "py-spy"),
                Alert("mem_growth", "warn", t, t + S // 4, t + S // 2, name, name),
                PhaseEnd(t + S, PID, number, 0.5, 2_000_000),
                Overhead(t, 0.01 * number, 30_000_000, 0, 0, 0),
            ],
        )
        clock[0] += S
        recording.flush()
    feed(recording, [Exit(clock[0], PID, 0, None, 1.0, 0.5, 100_000_000)])
    recording.close()
    return directory
