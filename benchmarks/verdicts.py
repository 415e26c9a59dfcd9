"""Is the first finding the right one? Programs with known answers, and what `explain` says of them.

    python benchmarks/verdicts.py [NAME ...] [--cases FOLDER] [--scenarios] [--keep FOLDER]
    python benchmarks/verdicts.py --judge FOLDER [NAME ...]      judge kept recordings anew

Every program of `verdict_programs` runs under `perftui run --headless`. Right is a first finding of
the known kind that names the known function, whose figure is within a fifth of what the program
measured with its own clock, that says what it must, and whose SQL finds rows (and that figure) in
the recording. Of a healthy program nothing may be said but that it uses CPU. What had no free core
more than half of the time and is not right is counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from verdict_programs import CASES, KNOWN, SCENARIOS, Known

if TYPE_CHECKING:
    from perftui.probes.recording.read.reader import RecordingReader

PROGRAMS = Path(__file__).resolve().parent / "verdict_programs"
TOLERANCE = 0.2
MEANT = ("cpu", "cpu_native", "cpu_contention")
"""What may be said of a healthy program, and of a busy machine."""
STARVED = 0.5


class Judged(NamedTuple):
    """What is right about a verdict: None where there is nothing to judge."""

    kind: bool
    code: bool | None
    figure: bool | None
    says: bool | None
    proof: bool | None
    faults: tuple[str, ...]
    starved: bool
    """It had no core most of the time that it wanted one: what it did is not what it does."""

    @property
    def right(self) -> bool:
        """All of it."""
        return all(each in (True, None) for each in self[:5])


def record(python: str, name: str, argv: list[str], folder: Path) -> None:
    """Run a program under perftui; its recording and its last line are kept."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    program = [python, "-m", "perftui", "run", "--headless", "--record"]
    program += [str(folder / f"{name}.perftui"), *argv]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        program, capture_output=True, text=True, timeout=400, cwd=folder, env=env, check=False
    )
    lines = done.stdout.splitlines()
    (folder / "said.txt").write_text(lines[-1] if lines else "")
    (folder / "errors.txt").write_text(done.stderr)


def judge(folder: Path, name: str, known: Known) -> tuple[Judged, list[str]]:
    """Judge one kept recording; return what is right, and the verdict's lines."""
    from perftui.probes.recording.read.reader import open_recording
    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.ranked import verdict

    reader = open_recording(folder / f"{name}.perftui")
    found, case = verdict(reader), Case(reader)
    queue_ns = sum(case.waited.threads.get(("queue_ns", ""), {}).values())
    starved = queue_ns > STARVED * sum(case.waited.working_ns.values())
    lines = [each.line for each in found.findings] or [f"nothing stands out: {found.plain}"]
    faults = [text for each in found.findings for text in unproved(reader, each)]
    if not known.kinds:
        loud = [
            each
            for each in found.findings
            if each.kind not in MEANT and not each.text.startswith("holds ")
        ]
        return Judged(not loud, None, None, None, not faults, tuple(faults), starved), lines
    if not found.findings:
        return Judged(False, None, None, None, None, ("nothing is said",), starved), lines
    first = found.findings[0]
    said = " ".join((first.text, first.evidence, first.next_step))
    code = None
    if known.code:
        code = any(each in first.line for each in known.code)
    figure = None
    if known.figure:
        own = json.loads((folder / "said.txt").read_text())
        measured, told = own[known.figure], getattr(first, known.figure)
        if first.kind == "keeps" and "curve" in own:  # it is of a part of the time, and says so
            kept = case.keepers[0]
            at = [t for t, _ in own["curve"]]
            so_far = [0, *(size for _, size in own["curve"])]
            measured = sum(
                so_far[bisect(at, t1)] - so_far[bisect(at, t0)] for t0, t1 in case.looks_of(kept)
            )
        figure = told is not None and abs(told - measured) <= TOLERANCE * measured
        if not figure:
            faults.append(f"{known.figure} {told}, is {measured}")
    says = bool(re.search(known.says, said)) if known.says else None
    kind = first.kind in known.kinds
    return Judged(
        kind, code, figure, says, not faults or figure is False, tuple(faults), starved
    ), lines


def unproved(reader: RecordingReader, finding: Any) -> list[str]:
    """Run a finding's SQL; return what it does not show."""
    from perftui.probes.recording.sql.query import Query

    with Query(reader) as query, query.run(finding.sql) as result:
        rows = list(result.rows())
    if not rows:
        return [f"{finding.kind}: no rows: {finding.sql}"]
    wanted = finding.seconds
    if wanted and "FROM top_total WHERE function" in finding.sql and finding.kind != "imports":
        value = rows[0][2]
        if abs(value - wanted) > 0.02 * wanted + 0.01:
            return [f"{finding.kind}: the SQL says {value:.3f}, the finding {wanted:.3f}"]
    return []


def commands(asked: argparse.Namespace) -> dict[str, tuple[list[str], Known]]:
    """Return what is to run, by name: its command and its known answer."""
    found = {
        name: (["--", sys.executable, str(PROGRAMS / f"{name}.py")], known)
        for name, known in KNOWN.items()
    }
    if asked.scenarios:
        found |= {name: ([name], known) for name, known in SCENARIOS.items()}
    if asked.cases:
        for name, known in CASES.items():
            python = next((p for p in asked.python if known.python and known.python in p), None)
            if known.python and python is None:
                continue
            file = str(Path(asked.cases) / f"{name}.py")
            found[name] = ["--", python or sys.executable, file, *known.arguments], known
    return {name: each for name, each in found.items() if not asked.names or name in asked.names}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cases", help="a folder of programs that `CASES` knows")
    parser.add_argument("--scenarios", action="store_true", help="those of the catalogue, too")
    parser.add_argument("--python", action="append", default=[], help="for cases that need it")
    parser.add_argument("--perftui", default=sys.executable, help="a Python that has perftui")
    parser.add_argument("--keep", help="where the recordings stay")
    parser.add_argument("--judge", help="a folder of kept recordings: run nothing")
    parser.add_argument("-q", action="store_true", help="only the first line of each verdict")
    asked = parser.parse_args()
    right = whole = starved = 0
    with tempfile.TemporaryDirectory() as passing:
        shelf = Path(asked.judge or asked.keep or passing).resolve()
        for name, (argv, known) in commands(asked).items():
            folder = shelf / name
            if not asked.judge:
                record(asked.perftui, name, argv, folder)
            if not all((folder / f).exists() for f in ("said.txt", f"{name}.perftui")):
                continue
            judged, lines = judge(folder, name, known)
            if judged.starved and not judged.right:
                starved += 1
            else:
                right, whole = right + judged.right, whole + 1
            marks = "".join("-" if each is None else "✗✓"[each] for each in judged[:5])
            sign = "ok" if judged.right else "~~" if judged.starved else "  "
            print(f"{sign} {marks} {name:24}{lines[0]}", flush=True)
            for line in [*([] if asked.q else lines[1:]), *judged.faults]:
                print(f"{'':33}{line}", flush=True)
    print(f"{right} of {whole} right (marks: kind, code, figure, what it says, SQL)")
    if starved:
        print(f"~~: {starved} had no core more than half of the time: run them on a quiet machine")


if __name__ == "__main__":
    main()
