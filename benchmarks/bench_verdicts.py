"""How often `perftui bench` is wrong: false alarms of A against A, and changes that it finds.

    python benchmarks/bench_verdicts.py collect runs.json --pairs 120    real runs, once
    python benchmarks/bench_verdicts.py judge runs.json                  hundreds of comparisons

`collect` runs a small program and one with a fifth more work and 15 % more memory in fresh
processes, in turns, through the machinery of `perftui bench`, on whatever this machine is doing.
`judge` draws stretches of neighbouring runs out of that sequence, so that what disturbed the
machine for seconds or minutes is in a comparison as it would be, and lets the growing looks of
`bench` (5, 10, 20) judge them:

    A against A      in turns: pairs of neighbouring runs of the same program, either way round
    B against A      in turns: +20 % of work and CPU, +15 % of memory
    A against a file two stretches of the same program at different times
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.compare.facts import Figure
from perftui.scenarios.bench.answer import Stored, answer
from perftui.scenarios.bench.bench import LOOKS
from perftui.scenarios.bench.gate import Gate
from perftui.scenarios.bench.lab_run import LabOptions, LabRun, lab_run
from perftui.scenarios.bench.series import LabSeries
from perftui.scenarios.bench.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.bench.answer import BenchAnswer

PROGRAM = """
import sys
work, size = float(sys.argv[1]), int(sys.argv[2])
block = bytearray(size)
total = 0
for number in range(int(work * 4_000_000)):
    total += number & 7
"""
WORK, MORE_WORK = 1.0, 1.2
BYTES = 40_000_000
"""Of a peak of which the interpreter has about 10 MB: 15 % more of the whole are 7.5 MB."""
MORE_BYTES = 47_500_000
COMPARISONS = 400
_SEED = 5


def collect(path: Path, pairs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "program.py")
        program.write_text(PROGRAM)
        words = [sys.executable, str(program)]
        subjects = {
            "A": Subject("A", (*words, str(WORK), str(BYTES))),
            "B": Subject("B", (*words, str(MORE_WORK), str(MORE_BYTES))),
        }
        found: list[tuple[str, LabRun]] = []
        for subject in subjects.values():
            lab_run(subject, "new", 0, LabOptions())
        for number in range(pairs // 2):
            for name in "AABBBBAA" if number % 2 else "BBAAAABB":
                run = lab_run(subjects[name], "new", 1, LabOptions())
                found.append((name, run))
            print(f"{8 * (number + 1)} of {4 * pairs} runs", file=sys.stderr)
            _write(path, found)


def _write(path: Path, found: list[tuple[str, LabRun]]) -> None:
    path.write_text(
        json.dumps(
            [
                {"program": name, "figures": {key: list(each) for key, each in run.figures.items()}}
                for name, run in found
            ]
        )
    )


def judge(path: Path, comparisons: int) -> None:
    runs = json.loads(path.read_text())
    rng = random.Random(_SEED)
    print(f"{len(runs)} real runs, {comparisons} comparisons of each kind, looks at 5, 10, 20 runs")
    everything = Gate()
    time = Gate({"peak_rss": None, "growth": None})
    memory = Gate({"duration": None, "cpu": None, "growth": None})
    for how, draw in (("in turns", _turns), ("from a file", _file)):
        for what, new, gate in (
            ("A against A", "A", everything),
            ("B against A, its time alone (+20 %)", "B", time),
            ("B against A, its memory alone (+15 %)", "B", memory),
        ):
            found = [draw(runs, rng, "A", new, gate) for _ in range(comparisons)]
            _table(f"{what}, {how}", found)


def _turns(
    runs: list[dict[str, Any]], rng: random.Random, base: str, new: str, gate: Gate
) -> BenchAnswer:
    """Judge a stretch of neighbouring pairs, which way round drawn as A B B A would."""
    pairs = _pairs(runs, base, new)
    most = LOOKS[-1][0]
    at = rng.randrange(len(pairs) - most + 1)
    stretch = pairs[at : at + most]
    if base == new:
        turned = rng.random() < 0.5
        stretch = [pair[::-1] if turned ^ (n % 2 == 1) else pair for n, pair in enumerate(stretch)]
    sides = [[pair[side] for pair in stretch] for side in (0, 1)]
    return _looked(lambda n: (_series(sides[1][:n]), _series(sides[0][:n], "base"), None), gate)


def _pairs(runs: list[dict[str, Any]], base: str, new: str) -> list[tuple[Any, Any]]:
    pairs, at = [], 0
    while at + 1 < len(runs):
        names = runs[at]["program"], runs[at + 1]["program"]
        if names == (base, new):
            pairs.append((runs[at], runs[at + 1]))
            at += 2
        elif names == (new, base):
            pairs.append((runs[at + 1], runs[at]))
            at += 2
        else:
            at += 1
    return pairs


def _file(
    runs: list[dict[str, Any]], rng: random.Random, base: str, new: str, gate: Gate
) -> BenchAnswer:
    """Judge two stretches that do not overlap, either first."""
    most = LOOKS[-1][0]
    before, after = ([run for run in runs if run["program"] == name] for name in (base, new))
    while True:
        at, other = rng.randrange(len(before) - most + 1), rng.randrange(len(after) - most + 1)
        if abs(at - other) >= most:
            break
    old = [_figures(run) for run in before[at : at + most]]
    stored = Stored(
        "file",
        {key: [run[key].value for run in old if key in run] for key in old[0]},
        {},
        single=False,
    )
    return _looked(lambda n: (_series(after[other : other + n]), None, stored), gate)


def _looked(
    sides: Callable[[int], tuple[LabSeries, LabSeries | None, Stored | None]], gate: Gate
) -> BenchAnswer:
    for until, share in LOOKS:
        new, base, stored = sides(until)
        found = answer(new, base, stored, gate, share)
        if found.clear:
            break
    return found


def _series(runs: list[dict[str, Any]], side: str = "new") -> LabSeries:
    series = LabSeries("base" if side == "base" else "new")
    for number, run in enumerate(runs, 1):
        series.add(_lab_run(run, series.side, number))
    return series


def _lab_run(run: dict[str, Any], side: Any, number: int) -> LabRun:
    from perftui.scenarios.bench.steadiness import steadiness

    return LabRun(side, number, "", _figures(run), (), steadiness(()), (), None, {})  # type: ignore[arg-type]


def _figures(run: dict[str, Any]) -> dict[str, Figure]:
    return {key: Figure(*values) for key, values in run["figures"].items() if key != "growth"}


def _table(what: str, answers: list[BenchAnswer]) -> None:
    words = ("regressed", "suspect", "ok", "improved", "inconclusive")
    print(f"\n{what}")
    print(f"  {'':22}" + "".join(f"{word:>13}" for word in words) + f"{'runs a side':>13}")
    rows: dict[str, list[Any]] = {"the whole": [found.verdict for found in answers]}
    for found in answers:
        for row in found.rows:
            if row.threshold is not None:
                rows.setdefault(row.figure.label, []).append(row.verdict)
    taken = sorted(len(found.rows[0].new) for found in answers)
    for name, found_words in rows.items():
        shares = [found_words.count(word) * 100 / len(answers) for word in words]
        runs = f"{taken[len(taken) // 2]:13d}" if name == "the whole" else ""
        print(f"  {name:22}" + "".join(f"{share:11.1f} %" for share in shares) + runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("collect", "judge"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--pairs", type=int, default=120, help="of each kind")
    parser.add_argument("--comparisons", type=int, default=COMPARISONS)
    args = parser.parse_args()
    if args.what == "collect":
        collect(args.file, args.pairs)
    else:
        judge(args.file, args.comparisons)


if __name__ == "__main__":
    main()
