"""Does `perftui explain` name a planted fault first, with SQL that runs and shows it?

    python benchmarks/explained.py [NAME ...] [--keep FOLDER]   run ten faulty and five sound ones
    python benchmarks/explained.py --judge FOLDER               judge recordings that were kept

Everything goes through the command lines that a person or an agent has: the program runs under
`perftui run --headless`, `perftui explain --json` names what it finds, and each finding's SQL is
given to `perftui query`. A fault counts as named if the first finding is of its kind, names its
code, says what it must, and its SQL has rows. Of a sound program nothing may be said but that it
uses CPU, or that the machine is busy. What had no core more than half of the time and is not right
(~~) is counted apart.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from explained_programs import KNOWN, PLANTED
from verdicts import MEANT, STARVED, record

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.verdict.case import Case

PROGRAMS = Path(__file__).resolve().parent / "explained_programs"
PERFTUI = (sys.executable, "-m", "perftui")


def explained(recording: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*PERFTUI, "explain", str(recording), "--json"], capture_output=True, text=True, check=True
    )
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return findings


def proves(recording: Path, finding: dict[str, Any]) -> bool:
    """Run a finding's SQL as a person would; tell whether it has rows."""
    done = subprocess.run(
        [*PERFTUI, "query", str(recording), finding["sql"], "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 and bool(json.loads(done.stdout))


def judge(name: str, recording: Path) -> tuple[bool, str]:
    """Tell whether what is said of a program is right, and what is said first."""
    known, findings = KNOWN[name], explained(recording)
    first = findings[0] if findings else None
    line = "nothing" if first is None else f"{first['text']}  {_code(first)}"
    proved = all(proves(recording, finding) for finding in findings)
    if not proved:
        line += "  (SQL that shows nothing)"
    if not known.kinds:
        loud = [each for each in findings if each["kind"] not in MEANT]
        loud = [each for each in loud if not each["text"].startswith("holds ")]
        if loud:
            line = f"{loud[0]['text']}  {_code(loud[0])}"
        return not loud and proved, line
    if first is None:
        return False, line
    said = json.dumps(first)
    right = (
        first["kind"] in known.kinds
        and (not known.code or any(code in said for code in known.code))
        and (not known.says or re.search(known.says, said) is not None)
        and proved
    )
    return right, line


def starved(recording: Path) -> bool:
    """Tell whether it had no core most of the time that it wanted one."""
    case = Case(open_recording(recording))
    queue_ns = sum(case.waited.threads.get(("queue_ns", ""), {}).values())
    return queue_ns > STARVED * sum(case.waited.working_ns.values())


def _code(finding: dict[str, Any]) -> str:
    return str(finding.get("code") or "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--keep", help="where the recordings stay")
    parser.add_argument("--judge", help="a folder of kept recordings: run nothing")
    asked = parser.parse_args()
    counts = {"planted": [0, 0], "sound": [0, 0]}
    with tempfile.TemporaryDirectory() as passing:
        shelf = Path(asked.judge or asked.keep or passing).resolve()
        programs = Path(passing) / "programs"  # elsewhere: code beside perftui may pass for its own
        shutil.copytree(PROGRAMS, programs)
        for name in asked.names or KNOWN:
            if not asked.judge:
                argv = ["--", sys.executable, str(programs / f"{name}.py")]
                record(sys.executable, name, argv, shelf / name)
            recording = shelf / name / f"{name}.perftui"
            right, line = judge(name, recording)
            count = counts["planted" if name in PLANTED else "sound"]
            sign = "ok" if right else "~~" if starved(recording) else "  "
            if sign != "~~":
                count[0] += right
                count[1] += 1
            print(f"{sign} {name:16} {line}", flush=True)
    print(f"{counts['planted'][0]} of {counts['planted'][1]} planted faults are named first")
    print(f"{counts['sound'][0]} of {counts['sound'][1]} sound programs are left in peace")


if __name__ == "__main__":
    main()
