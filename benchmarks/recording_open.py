"""How fast a long recording opens and answers, and in how much memory.

    python benchmarks/recording_open.py [--hours 24] [--keep DIR]

Writes a recording with the program's own writer from synthetic records, faster than real time
(a few minutes for 24 h; `--keep` writes once and reads again), then opens it in a fresh process.
Goals: open 1 s, any five minutes with flame and top 0.5 s, the whole range 1.5 s, 300 MiB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
FIVE_MINUTES_NS = 300 * NS_PER_S


def write(directory: Path, hours: float) -> None:
    from synthetic_recording import TARGET, seconds_of

    from perftui.probes.recording.write.writer import Recording
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enricher import Enricher

    now_ns = [0]
    tree = CallTree()
    enricher = Enricher()
    recording = Recording(directory, tree, TARGET, 0, clock=lambda: now_ns[0])
    for second, batches in enumerate(seconds_of(tree, round(hours * 3600))):
        now_ns[0] = (second + 1) * NS_PER_S
        for batch in batches:
            recording.ingest(enricher.enrich(batch))
        recording.flush()
        if second % 5 == 0:
            recording.heartbeat()
    recording.close()


def read(directory: Path) -> None:
    begin_s = time.perf_counter()
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    from perftui.probes.profile.sums import function_sums
    from perftui.probes.recording.read.reader import open_recording

    print(f"imports               {time.perf_counter() - begin_s:6.3f} s")
    reader = _timed("open", lambda: open_recording(directory))
    status = reader.status()
    end_ns = status.t_end_ns
    names = ("rss_bytes", "cpu_percent", "rate:rows")
    _timed("first picture", lambda: [reader.metric(n, 0, end_ns, 200) for n in names])
    for label, at_ns in (("middle", end_ns // 2), ("odd place", end_ns * 617 // 1000 + 12_345)):
        span = (at_ns, at_ns + FIVE_MINUTES_NS)
        tree = _timed(f"5 min {label}: flame", lambda s=span: reader.call_tree(*s))
        _timed(f"5 min {label}: top", lambda t=tree: function_sums(reader.tree, t))
        _timed(f"5 min {label}: threads", lambda s=span: reader.threads(*s))
        _timed(f"5 min {label}: metrics", lambda s=span: [reader.metric(n, *s, 200) for n in names])
    tree = _timed("whole: flame", lambda: reader.call_tree(0, end_ns + 1))
    _timed("whole: top", lambda: function_sums(reader.tree, tree))
    half = (end_ns // 4 + 777, 3 * end_ns // 4 + 999)
    _timed("half of it: flame", lambda: reader.call_tree(*half))
    _timed(
        "an hour: metrics", lambda: [reader.metric(n, 0, 12 * FIVE_MINUTES_NS, 200) for n in names]
    )
    peak_mib = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(f"peak RSS              {peak_mib:6.0f} MiB (goal 300)")


def _timed(label: str, call: Callable[[], T]) -> T:
    begin_s = time.perf_counter()
    result = call()
    print(f"{label:<21} {time.perf_counter() - begin_s:6.3f} s")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--keep", type=Path, help="keep the recording here, and use it if it is")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read is not None:
        read(args.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        directory = (args.keep or Path(folder)) / f"open-{args.hours:g}h.perftui"
        if not (directory / "meta.json").exists():
            begin_s = time.perf_counter()
            write(directory, args.hours)
            print(f"written in {time.perf_counter() - begin_s:.0f} s")
        size = sum(file.stat().st_size for file in directory.iterdir())
        count = sum(1 for _ in directory.iterdir())
        print(f"{args.hours:g} h, {size / 1e6:.0f} MB in {count} files")
        command = [sys.executable, __file__, "--read", str(directory)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
