"""1b: a compatibility test over releases of a storage format. Where do the seconds go?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from perftui.probes.text.units import format_bytes, format_seconds
from workload_report.markdown import named, percent, table, times
from workload_report.section import Data, Section

PROGRAM = Path(__file__).with_name("lance_compatibility.py")
RELEASES = ("12.0.0", "13.0.0", "14.0.2")
_LIMIT_S = 900.0
_STEPS = ("venv", "install", "check", "spawn", "import", "first calls", "later calls")


def measure(quick: bool) -> Data:
    """Make the environments in parallel, use the kept ones, and make them one by one; the making
    twice, A B B A: what else the machine does is in each of them."""
    found: dict[str, Any] = {"failed": [], "commands": [], "figures": [], "sweeps": []}
    found |= {"runs": 0, "contended": 0}
    with tempfile.TemporaryDirectory(prefix="perftui-report-") as folder:
        many, few = (
            ("--runs", "1" if quick else "3", "--calls", "20"),
            ("--runs", "1", "--calls", "2"),
        )
        for name, shelf, options in (
            ("in parallel", "one", ("--jobs", "4", *many)),
            ("kept", "one", many),
            ("one after the other", "two", ("--jobs", "1", *few)),
            ("one after the other", "three", ("--jobs", "1", *few)),
            ("in parallel", "four", ("--jobs", "4", *few)),
        ):
            data = Path(folder, f"data of {name}, {shelf}".replace(" ", "-"))
            data.mkdir()
            words = [
                *("matrix", f"{PROGRAM.name}:compatibility", "-p", f"folder={data}"),
                *("--package", "pylance", "--versions", ",".join(RELEASES)),
                *options,
            ]
            found["commands"].append("perftui " + " ".join(words).replace(str(data), "DIR"))
            told = _matrix(words, Path(folder, shelf))
            if isinstance(told, str):
                found["failed"].append({"command": found["commands"][-1], "why": told})
                break
            found["figures"].append({"name": name, **_kept(told)})
            found["runs"] += sum(len(version["runs"]) for version in told["versions"])
    return found


def _matrix(words: list[str], shelf: Path) -> dict[str, Any] | str:
    """Run it; returns its JSON, or why it failed."""
    print(f"   perftui {' '.join(words)}", file=sys.stderr, flush=True)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "perftui", *words, "--json", file.name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                cwd=PROGRAM.parent,
                env={**os.environ, "PERFTUI_CACHE": str(shelf)},
                timeout=_LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            return f"it took longer than {_LIMIT_S:.0f} s"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
        told: dict[str, Any] = json.loads(Path(file.name).read_text())
        return told


def _kept(told: dict[str, Any]) -> dict[str, Any]:
    """The parts that the page uses."""
    versions = [
        {key: version[key] for key in ("version", "failed", "figures", "breakdown", "environment")}
        for version in told["versions"]
    ]
    return {
        **{key: told[key] for key in ("environments_s", "runs_s", "jumps", "calls_per_process")},
        "versions": versions,
    }


def write(data: Data) -> str:
    """The environments, the releases, and where the seconds of each went."""
    matrices: dict[str, list[dict[str, Any]]] = {}
    for row in data["figures"]:
        matrices.setdefault(row["name"], []).append(row)
    first = matrices["in parallel"][0]
    releases = table(
        ("release", "import + first call", "modules", "warm call", "first/warm", "peak RSS"),
        [_release(version) for version in first["versions"] if not version["failed"]],
    )
    parts = [_says(matrices), releases, _steps_table(first)]
    return "\n\n".join(parts)


def _release(version: dict[str, Any]) -> tuple[str, ...]:
    figures = {key: figure["median"] for key, figure in version["figures"].items()}
    return (
        version["version"],
        format_seconds(figures["cold_start"]),
        f"{figures['first_modules']:.0f}",
        format_seconds(figures["warm_call"]),
        times(figures["cold_ratio"]),
        format_bytes(figures["peak_rss"]),
    )


def _steps_table(matrix: dict[str, Any]) -> str:
    """Where the seconds of each release went; the parts that are named, and the rest."""
    rows = []
    for version in matrix["versions"]:
        tree = version["breakdown"]
        seconds = _leaves(tree, {})
        whole = tree["seconds"]
        told = [seconds.get(step, 0.0) for step in _STEPS]
        cells = [f"{format_seconds(s)} ({percent(s / whole)})" if s else "–" for s in told]
        rows.append(
            (version["version"], format_seconds(whole), *cells, format_seconds(whole - sum(told)))
        )
    return (
        "Where the seconds of each release went, with its environment made anew (environments are "
        "made side by side, so that each waits for the others):\n\n"
        + table(("release", "all", *_STEPS, "rest"), rows)
    )


def _leaves(part: dict[str, Any], into: dict[str, float]) -> dict[str, float]:
    """Add up by name; a part that is named counts with all that is below it."""
    if part["name"] in _STEPS or not part["parts"]:
        into[part["name"]] = into.get(part["name"], 0.0) + part["seconds"]
        return into
    for each in part["parts"]:
        _leaves(each, into)
    return into


def _says(matrices: dict[str, list[dict[str, Any]]]) -> str:
    made = matrices["in parallel"][0]
    failed = [f"{v['version']} ({v['failed']})" for v in made["versions"] if v["failed"]]
    said = (
        f"Environments of {len(made['versions'])} releases were ready after "
        f"{_ready(matrices['in parallel'])}"
    )
    if "one after the other" in matrices:
        said += f", made one after the other after {_ready(matrices['one after the other'])}"
    if "kept" in matrices:
        kept_s = matrices["kept"][0]["environments_s"]
        fastest_s = min(row["environments_s"] for row in matrices["in parallel"])
        said += f"; kept ones after {format_seconds(kept_s)}, {times(fastest_s / kept_s)} as fast"
    said += "."
    if failed:
        said += f" Not measured: {named(failed)}."
    jumps = [jump for jump in made["jumps"] if jump["verdict"] in ("regressed", "improved")]
    if jumps:
        words = [
            f"{jump['figure'].replace('_', ' ')} {jump['change_pct']:+.0f} % "
            f"from {jump['from']} to {jump['to']}"
            for jump in jumps
        ]
        said += f" Beyond the noise: {named(words)}."
    return said


def _ready(rows: list[dict[str, Any]]) -> str:
    """Write after what time they were ready, each time that they were made."""
    return named([format_seconds(row["environments_s"]) for row in rows])


SECTION = Section("1b", "Releases of a storage format", measure, write)
