"""How long two long recordings take to compare, and how large each output is.

    python benchmarks/compare_cost.py [--hours 1] [--keep DIR]

Writes two recordings with the program's own writer from synthetic records (the widest kind:
4 threads, 100 Hz, 30 frames deep, 1,500 functions), then compares them in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def compare_both(paths: list[Path]) -> None:
    from perftui.probes.compare.as_json import as_json
    from perftui.probes.compare.comparison import ComparedRun, compare
    from perftui.probes.compare.flame_picture import as_svg
    from perftui.probes.compare.markdown import as_markdown
    from perftui.probes.compare.place import place_of
    from perftui.probes.recording.read.reader import open_recording
    from perftui.tui.text.compare import compare_text

    readers = _timed("open both", lambda: [open_recording(path) for path in paths])
    base, new = (ComparedRun(r, r.path.name, place_of(r)) for r in readers)
    _timed("without the test", lambda: compare([base], [new], test=False))
    comparison = _timed("compare", lambda: compare([base], [new]))
    functions = comparison.functions
    told = sum(1 for row in functions.rows if row.sure)
    print(f"{len(functions.rows)} functions, {told} told apart, blocks {functions.blocks}")
    for name, make in (
        ("text", lambda: compare_text(comparison)),
        ("json", lambda: json.dumps(as_json(comparison))),
        ("markdown", lambda: as_markdown(comparison)),
        ("diff-svg", lambda: as_svg(comparison)),
    ):
        text = _timed(name, make)
        print(f"{'':<21} {len(text.encode()) / 1e3:6.1f} kB")
    peak_mib = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(f"peak RSS              {peak_mib:6.0f} MiB")


def _timed(label: str, call: Callable[[], T]) -> T:
    begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
    result = call()
    took_s = time.perf_counter() - begin_s
    print(f"{label:<21} {took_s:6.2f} s  CPU {time.process_time() - begin_cpu_s:6.2f} s")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--keep", type=Path, help="keep the recordings here, and use them if there")
    parser.add_argument("--compare", type=Path, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.compare is not None:
        compare_both(args.compare)
        return
    from recording_open import write

    with tempfile.TemporaryDirectory() as folder:
        paths = [(args.keep or Path(folder)) / f"{n}-{args.hours:g}h.perftui" for n in "ab"]
        for path in paths:
            if not (path / "meta.json").exists():
                write(path, args.hours)
        subprocess.run([sys.executable, __file__, "--compare", *map(str, paths)], check=True)


if __name__ == "__main__":
    main()
