"""How often `perftui bench` is wrong: false alarms of A against A, and changes that it finds.

    python benchmarks/bench_verdicts.py collect runs.json --pairs 120    real runs, once
    python benchmarks/bench_verdicts.py judge runs.json                  hundreds of comparisons

`collect` runs three small programs, each also with a fifth more work and 15 % more memory, in fresh
processes, in turns, through the machinery of `perftui bench`, on whatever this machine is doing.
`judge` draws stretches of neighbouring runs out of that sequence, so that what disturbed the
machine for seconds or minutes is in a comparison as it would be, and lets the growing looks of
`bench` (5, 10, 20) judge them:

    A against A      in turns: pairs of neighbouring runs of the same program, either way round
    B against A      in turns: +20 % of work and CPU, +15 % of memory
    against a file   two stretches of the same program at different times
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

_HEAD = """
import sys
work, size = float(sys.argv[1]), int(sys.argv[2])
block = bytearray(size)
"""
PROGRAMS = {
    "loop": """
total = 0
for number in range(int(work * 4_000_000)):
    total += number & 7
""",
    "objects": """
import json, random
rng = random.Random(3)
rows = [{"id": n, "name": str(n * 7919 % 10007), "v": rng.random()} for n in range(30_000)]
for turn in range(int(work * 30)):
    back = json.loads(json.dumps(rows[:3000]))
    back.sort(key=lambda row: (row["name"], row["v"]))
    groups = {}
    for row in back:
        groups.setdefault(row["name"], []).append(row)
""",
    "arrays": """
import numpy
numbers = numpy.arange(2_000_000, dtype=numpy.float64)
for turn in range(int(work * 45)):
    other = numpy.sqrt(numbers) * 1.5 + numbers
    numpy.sort(other[:200_000][::-1].copy())
""",
}
"""Plain Python; many small objects, which feel the caches; native code that has threads."""
MORE_WORK = {"loop": 1.28, "objects": 1.36, "arrays": 1.6}
"""With what starts, a fifth to a quarter more CPU of the whole process."""
BYTES = 40_000_000
MORE_BYTES = {"loop": 47_550_000, "objects": 49_800_000, "arrays": 58_700_000}
"""15 % more of the whole process."""
COMPARISONS = 400
_SEED = 5


def collect(path: Path, pairs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subjects: dict[tuple[str, str], Subject] = {}
        for name, text in PROGRAMS.items():
            program = Path(folder, f"{name}.py")
            program.write_text(_HEAD + text)
            words = (sys.executable, str(program))
            subjects[name, "A"] = Subject(name, (*words, "1.0", str(BYTES)))
            more = (str(MORE_WORK[name]), str(MORE_BYTES[name]))
            subjects[name, "B"] = Subject(name, (*words, *more))
        found: list[tuple[str, str, LabRun]] = []
        for subject in subjects.values():
            lab_run(subject, "new", 0, LabOptions())
        for number in range(pairs // 2):
            for name in PROGRAMS:
                for side in "BAAB" if number % 2 else "ABBA":
                    run = lab_run(subjects[name, side], "new", 1, LabOptions())
                    found.append((name, side, run))
            print(f"{2 * (number + 1)} of {pairs} pairs of each", file=sys.stderr)
            _write(path, found)


def _write(path: Path, found: list[tuple[str, str, LabRun]]) -> None:
    path.write_text(
        json.dumps(
            [
                {
                    "program": name,
                    "side": side,
                    "figures": {key: list(each) for key, each in run.figures.items()},
                }
                for name, side, run in found
            ]
        )
    )


def judge(paths: list[Path], comparisons: int) -> None:
    together = [run for path in paths for run in json.loads(path.read_text())]
    rng = random.Random(_SEED)
    print(f"{len(together)} real runs, {comparisons} comparisons of each kind and program")
    everything = Gate({"growth": None})
    time = Gate({"peak_rss": None, "growth": None, "imports": None})
    memory = Gate({"duration": None, "cpu": None, "growth": None, "imports": None})
    for name in PROGRAMS:
        runs = [run for run in together if run["program"] == name]
        for how, draw in (("in turns", _turns), ("from a file", _file)):
            for what, new, gate in (
                ("A against A", "A", everything),
                ("B against A, its time alone (+20 %)", "B", time),
                ("B against A, its memory alone (+15 %)", "B", memory),
            ):
                found = [draw(runs, rng, "A", new, gate) for _ in range(comparisons)]
                _table(f"{name}: {what}, {how}", found)


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
        names = runs[at]["side"], runs[at + 1]["side"]
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
    before, after = ([run for run in runs if run["side"] == name] for name in (base, new))
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
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("--pairs", type=int, default=120, help="of each kind")
    parser.add_argument("--comparisons", type=int, default=COMPARISONS)
    args = parser.parse_args()
    if args.what == "collect":
        collect(args.file[0], args.pairs)
    else:
        judge(args.file, args.comparisons)


if __name__ == "__main__":
    main()
