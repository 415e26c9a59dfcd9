"""How right, how early and how costly the alerts are, on a labelled corpus of made traces.

python benchmarks/detector_scores.py [--seeds N] [--first SEED] [--holdout] [--errors]
python benchmarks/detector_scores.py --strangers  the second corpus, written apart from the first
python benchmarks/detector_scores.py --real       real programs, watched live: about 8 minutes

`--holdout` takes seeds that no rule was ever tuned on. The two simple baselines (a naive slope;
Mann-Kendall with Theil-Sen) judge the same traces, unless --no-baselines is given.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.detect import corpus, families, strangers
from support.detect.scorer import alerts_of, score, table, uses_the_future

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from support.detect.corpus import Trace

HOLDOUT_FIRST = 940_000


def real_programs(only: str) -> None:
    """Run every program under the probes; then judge its trace again without stacks."""
    from support.detect.real import ENVIRONMENT, SECONDS, watch

    live, replayed = [], {}
    for name in SECONDS:
        if only not in name:
            continue
        seen = watch(name)
        truths = {truth.kind for truth in seen.trace.truths}
        print(f"{name}: {', '.join(truths) or 'healthy'}, {seen.trace.duration_s:.0f} s")
        edges = [
            edge
            for edge in seen.edges
            if edge.kind not in ENVIRONMENT - truths and edge.severity != "info"
        ]
        for edge in edges:
            print(f"   {edge.severity} at {edge.t_detect_s:.1f} s: {edge.kind} {edge.message}")
        live.append(seen.trace)
        replayed[name] = edges
    print(table({"live": score(live, lambda trace: replayed[trace.name])}))


def _corpus(args: argparse.Namespace) -> ModuleType:
    return strangers if args.strangers else families


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=14, help="traces per family")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--holdout", action="store_true", help="seeds never tuned on")
    parser.add_argument("--strangers", action="store_true", help="the second corpus")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--errors", action="store_true", help="list what was wrong")
    parser.add_argument("--only", default="", help="families whose name contains this")
    parser.add_argument("--real", action="store_true", help="run the real programs instead")
    args = parser.parse_args()
    if args.real:
        real_programs(args.only)
        return
    first = HOLDOUT_FIRST if args.holdout else args.first
    seeds = range(first, first + args.seeds)
    names = [f.__name__ for f in (*_corpus(args).HEALTHY, *_corpus(args).UNHEALTHY)]
    names = [name for name in names if args.only in name]

    def made(seeds: Iterable[int]) -> Iterator[Trace]:
        if args.strangers:
            return strangers.traces([getattr(strangers, name) for name in names], seeds)
        return corpus.traces([getattr(families, name) for name in names], seeds)

    runners = {"perftui": alerts_of}
    if not args.no_baselines:
        from support.detect.baselines import mann_kendall, naive_slope

        runners = {"naive slope": naive_slope, "MK + Theil-Sen": mann_kendall, **runners}
    scores = {name: score(made(seeds), run) for name, run in runners.items()}
    print(f"{len(names)} families x {args.seeds} seeds from {first}")
    print(table(scores))
    future = sum(
        uses_the_future(trace, alerts_of(trace), trace.duration_s * 0.6)
        for trace in made(list(seeds)[:2])
    )
    print(f"traces whose alerts change when the future is cut off: {future}")
    if args.errors:
        ours = scores["perftui"]
        for name, edge in ours.false_alarms:
            print(f"FALSE {name} {edge.t_detect_s:.1f} {edge.kind} {edge.message}")
        for name, truth in ours.missed:
            print(f"MISSED {name} {truth}")


if __name__ == "__main__":
    main()
