"""What recording costs: CPU, memory and bytes, with 4 busy threads x 100 Hz x 30 frames.

    python benchmarks/recording_cost.py [--seconds 60]

Runs in real time through the program's own recorder process, its start apart, one sealing
included. Every stack is another one of 4,000. Goals: 0.5 % of a core, 20 MB/h. Bytes are those
of the closed recording, scaled to an hour.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from synthetic_recording import TARGET, seconds_of

from perftui.probes.recording.write.recorder import START_AFTER_S, Recorder
from perftui.probes.spine.log import SessionLog


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    log = SessionLog()
    seconds = list(seconds_of(log.tree, args.seconds + 1))
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(log, TARGET, Path(folder) / "cost.perftui", t_start_ns=0)
        recorder.start()
        for batch in seconds[0]:
            log.extend(batch)  # the imports are paid once, not per second
        time.sleep(START_AFTER_S + 4.0)
        start_s = recorder.cpu_s()
        longest_s = ingest_s = 0.0
        own_s = time.process_time()
        due_s = time.monotonic()
        for batches in seconds[1:]:
            for batch in batches:
                begin_s = time.perf_counter()
                log.extend(batch)
                took_s = time.perf_counter() - begin_s
                ingest_s += took_s
                longest_s = max(longest_s, took_s)
            due_s += 1.0
            time.sleep(max(0.0, due_s - time.monotonic()))
        own_s = time.process_time() - own_s
        pss_kb = _pss_kb(recorder)
        recorder.stop()
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    used_s = usage.ru_utime + usage.ru_stime - start_s
    print(f"recorder process  {used_s / args.seconds:.2%} of a core (goal 0.50 %)")
    print(f"its start         {start_s:.2f} s of CPU, once")
    print(f"its memory        {pss_kb / 1024:.0f} MiB PSS")
    print(f"in perftui        {own_s / args.seconds:.2%} of a core, this loop included")
    print(f"in the probes     {ingest_s / args.seconds:.3%}, longest {longest_s * 1e6:.0f} µs")
    print(f"on disk           {size / args.seconds * 3600 / 1e6:.1f} MB/h (goal 20)")
    print(f"dropped           {recorder.overflowed} records")


def _pss_kb(recorder: Recorder) -> int:
    process = recorder._process
    if process is None:
        raise SystemExit("the recorder did not start")
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return int(text.split("Pss:")[1].split()[0])


if __name__ == "__main__":
    main()
