"""Each of perftui's processes killed, stopped and continued in random order: what survives?

    python benchmarks/fault_orders.py [--trials 200] [--seed N]

The long form of tests/probes/faults/test_orders.py. A trial is a real run of 1.5 s; the exit code
is 1 if anything was lost. Prints the table of docs/faults.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)
from support.faults.orders import trial  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    os.environ["PERFTUI_CONFIG"] = ""
    sent: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="perftui-faults-") as name:
        os.environ["PERFTUI_RECORDINGS"] = str(Path(name, "shelf"))
        for number in range(args.first, args.first + args.trials):
            place = Path(name, str(number))
            place.mkdir()
            outcome = trial(place, f"{args.seed}-{number}")
            kind = "on a screen" if outcome.screen else "headless"
            tried[kind] += 1
            survived[kind] += not outcome.lost
            sent.update(f"{signal} {role}" for signal, role in outcome.done)
            if outcome.lost:
                print(f"{args.seed}-{number} {kind} {outcome.done}: {outcome.lost}", flush=True)
    signals = ", ".join(f"{name} {count}" for name, count in sorted(sent.items()))
    for kind, count in sorted(tried.items()):
        print(f"{kind}: {survived[kind]} of {count} trials survived")
    print(f"{sum(tried.values())} trials, {signals}")
    return 0 if survived == tried else 1


if __name__ == "__main__":
    sys.exit(main())
