"""What recording costs: CPU and bytes, with 4 busy threads x 100 Hz x 30 frames, all distinct.

    python benchmarks/recording_cost.py [--seconds 60]

Runs in real time through the program's own writer; the goal is 0.5 % of a core and 20 MB/h.
Bytes are those after sealing, when the recording is closed, scaled to an hour.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from synthetic_recording import TARGET, seconds_of

from perftui.probes.log import SessionLog
from perftui.probes.recording.writer import RecordingWriter, WriterOptions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seal", type=float, default=20.0, help="seconds per segment (300)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = SessionLog()
        options = WriterOptions(seal_s=args.seal)
        writer = RecordingWriter(log, TARGET, Path(folder) / "cost.perftui", options, t_start_ns=0)
        seconds = list(seconds_of(log.tree, args.seconds))
        writer.start()
        time.sleep(2.5)  # the imports of the first flush are paid once, not per second
        clocks = [_cpu_of("perftui-recorder")]
        longest_s = ingest_s = 0.0
        due_s = time.monotonic()
        for batches in seconds:
            for batch in batches:
                begin_s = time.perf_counter()
                log.extend(batch)
                took_s = time.perf_counter() - begin_s
                ingest_s += took_s
                longest_s = max(longest_s, took_s)
            due_s += 1.0
            time.sleep(max(0.0, due_s - time.monotonic()))
        clocks.append(_cpu_of("perftui-recorder"))
        writer.stop()
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    used_s = clocks[1] - clocks[0]
    print(f"recorder thread  {used_s / args.seconds:.2%} of a core (goal 0.50 %)")
    print(f"in the probes    {ingest_s / args.seconds:.3%}, longest {longest_s * 1e6:.0f} µs")
    print(f"on disk          {size / args.seconds * 3600 / 1e6:.1f} MB/h (goal 20)")
    print(f"dropped          {writer.dropped} records")


def _cpu_of(name: str) -> float:
    """CPU seconds of one of our own threads."""
    for thread in threading.enumerate():
        if thread.name == name and thread.native_id is not None:
            text = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
            return int(text.split()[0]) / 1e9
    raise SystemExit(f"there is no thread {name}")


if __name__ == "__main__":
    main()
