"""What the program pays for `call`, `phase`, `count`, `watch`, a collection: profiled, and not.

    python benchmarks/agent_price.py [--python EXE]

CPU time of the program's own thread per use, the least of nine rounds (what else runs on the
machine can only add), less that of an empty loop; in a tight loop, the dearest use there is. Of so
many collections a tenth is timed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.own.python import own_module  # noqa: E402

PROGRAM = """
import gc, json, sys, time
try:
    import perftui
except ImportError:
    sys.path.insert(0, sys.argv[1])
    import perftui
cpu = time.thread_time_ns
def nothing(n):
    for _ in range(n): pass
def a_call(n):
    for _ in range(n):
        with perftui.call("c"): pass
def a_phase(n):
    for _ in range(n):
        with perftui.phase("p"): pass
def a_count(n):
    for _ in range(n): perftui.count("rows", 3)
def an_item_of_watch(n):
    for _ in perftui.watch(range(n), "w"): pass
def a_young_collection(n):
    for _ in range(n): gc.collect(0)
def per(loop, n=2000):
    best = 1 << 62
    for _ in range(9):
        began = cpu()
        loop(n)
        best = min(best, cpu() - began)
    return best / n / 1000
base = per(nothing)
loops = (a_call, a_phase, a_count, an_item_of_watch, a_young_collection)
print(json.dumps({loop.__name__: per(loop) - base for loop in loops}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    import perftui

    program = [args.python, "-c", PROGRAM, str(Path(perftui.__file__).parent.parent)]
    plain = json.loads(subprocess.check_output(program))
    watched = own_module("perftui", "run", "--headless", "--no-record", "--", *program)
    profiled = json.loads(subprocess.check_output(watched, stderr=subprocess.DEVNULL))
    print(f"{'':<18}{'plain µs':>10}{'profiled µs':>13}")
    for name, price_us in plain.items():
        words = name.replace("_", " ")
        print(f"{words:<18}{price_us:>10.2f}{profiled[name]:>13.2f}")


if __name__ == "__main__":
    main()
