"""Time and size of every export of a long recording.

    python benchmarks/export_cost.py [--hours 1] [--keep DIR] [--format F]...

Records with the program's own writer from synthetic records (4 threads x 100 Hz, every sample
another stack, 20 Hz metrics: real programs mostly give less; `--keep` writes once and reads
again), then exports in a fresh process per format. The estimate is what a person is told first;
what it refuses is written only if its format is named.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from perftui.probes.text.units import format_bytes, format_seconds

_CODE = """
import json, resource, sys, time
from pathlib import Path
from perftui.probes.export.estimate import HUGE_BYTES, estimate
from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.slice import whole
from perftui.probes.export.write import Order, write_file
from perftui.probes.recording.read.reader import open_recording
reader = open_recording(sys.argv[1])
order = Order(exporter_of(sys.argv[2]), whole(reader))
begin = time.perf_counter()
told = estimate(reader, order)
asked = time.perf_counter()
if told is not None and told > HUGE_BYTES and sys.argv[4] != "huge":
    print(json.dumps({"estimate": told}))
    sys.exit()
written = write_file(reader, order, Path(sys.argv[3]))
end = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"estimate": told, "estimate_s": asked - begin, "write_s": end - asked,
                  "bytes": written.file_bytes, "peak_bytes": peak}))
"""


def measure(recording: Path, name: str, folder: Path, huge: bool) -> dict[str, float | None]:
    out = folder / "out"
    words = [sys.executable, "-c", _CODE, str(recording), name, str(out), "huge" if huge else ""]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    found: dict[str, float | None] = json.loads(told)
    if "bytes" not in found:
        return found
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    found["gz_bytes"] = sum(_gz_bytes(file) for file in files)
    if out.is_dir():
        shutil.rmtree(out)
    else:
        out.unlink()
    return found


def _gz_bytes(file: Path) -> int:
    size = 0

    class Counted:
        def write(self, data: bytes) -> int:
            nonlocal size
            size += len(data)
            return len(data)

        def flush(self) -> None: ...

    with file.open("rb") as source, gzip.GzipFile(fileobj=Counted(), mode="wb", mtime=0) as target:  # type: ignore[call-overload] # writes only
        shutil.copyfileobj(source, target, 1 << 20)
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--format", action="append", default=[])
    args = parser.parse_args()
    from recording_open import write

    from perftui.probes.export.formats import FORMATS

    with tempfile.TemporaryDirectory(prefix="perftui-export-") as folder:
        directory = args.keep or Path(folder) / "long.perftui"
        if not directory.exists():
            begin = time.perf_counter()
            write(directory, args.hours)
            print(f"written in {format_seconds(time.perf_counter() - begin)}")
        size = sum(file.stat().st_size for file in directory.iterdir())
        print(f"recording of {args.hours:g} h: {format_bytes(size)}\n")
        print("format         estimate     size     gzipped      time     peak RSS")
        for exporter in FORMATS:
            if args.format and exporter.name not in args.format:
                continue
            told = measure(directory, exporter.name, Path(folder), exporter.name in args.format)
            estimate = told["estimate"]
            if "bytes" not in told:
                said = f"{format_bytes(estimate or 0)}: refused without --force"
                print(f"{exporter.name:<13}{said:>11}", flush=True)
                continue
            cells = (
                "-" if estimate is None else format_bytes(estimate),
                format_bytes(told["bytes"] or 0),
                format_bytes(told["gz_bytes"] or 0),
                format_seconds(told["write_s"] or 0),
                format_bytes(told["peak_bytes"] or 0),
            )
            print(f"{exporter.name:<13}" + "".join(f"{cell:>11}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
