"""Running a scenario through perftui, as a person would, and keeping what it told.

A run gives two things: the summary, which is what perftui saw from outside, and the scenario's
own figures, which is every single run behind the table that it prints.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from perftui.scenarios.say.figures import VARIABLE, read_figures

LIMIT_S = 600.0
_NOT_SHOWN = ("--headless", "--no-record")


class Run(NamedTuple):
    """One run of a scenario under perftui."""

    command: str
    """As a person would type it."""
    figures: list[dict[str, Any]]
    summary: dict[str, Any]
    """What perftui saw; empty of a sweep."""


class RunFailed(Exception):
    """A scenario could not be run; the message is its own last line."""


def scenario(name: str, **parameters: object) -> Run:
    """Run a scenario of the catalogue, recorded nowhere, without a screen.

    Raises:
        RunFailed: It did not end well.
    """
    words = ["run", name, *_parameters(parameters)]
    with tempfile.TemporaryDirectory(prefix="perftui-report-") as folder:
        figures, summary = Path(folder) / "figures.jsonl", Path(folder) / "summary.json"
        _perftui([*words, "--headless", "--no-record", "--json", str(summary)], figures)
        seen = json.loads(summary.read_text())
        return Run(shlex.join(["perftui", *words]), read_figures(figures), _kept(seen))


def sweep(name: str, *options: str, **parameters: object) -> tuple[str, dict[str, Any]]:
    """Run `perftui sweep`; returns the command and its JSON.

    Raises:
        RunFailed: It did not end well. That nothing can be said about growth is no failure.
    """
    words = ["sweep", name, *_parameters(parameters), *options]
    with tempfile.TemporaryDirectory(prefix="perftui-report-") as folder:
        file = Path(folder) / "sweep.json"
        _perftui([*words, "--json", str(file)], None, fine=(0, 3))
        found: dict[str, Any] = json.loads(file.read_text())
    return shlex.join(["perftui", *words]), found


def _parameters(parameters: dict[str, object]) -> list[str]:
    words: list[str] = []
    for name, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        words += ["-p", f"{name}={text}"]
    return words


def _perftui(words: list[str], figures: Path | None, fine: tuple[int, ...] = (0,)) -> None:
    environment = dict(os.environ)
    environment.pop(VARIABLE, None)
    if figures is not None:
        environment[VARIABLE] = str(figures)
    shown = [word for word in words[: words.index("--json")] if word not in _NOT_SHOWN]
    print(f"   perftui {shlex.join(shown)}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "perftui", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"it took longer than {LIMIT_S:.0f} s") from None
    if done.returncode not in fine:
        own = [line for line in done.stderr.splitlines() if line.startswith("perftui: ")]
        alerts = ("perftui: warn:", "perftui: critical:", "perftui: clear:", "perftui: info:")
        said = [line for line in own if not line.startswith(alerts)]
        why = (said or done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RunFailed(why.removeprefix("perftui: ").strip()[:300])


def _kept(summary: dict[str, Any]) -> dict[str, Any]:
    """The parts of a summary that the report uses: the whole would be megabytes."""
    phases: dict[str, dict[str, Any]] = {}
    for phase in summary["phases"]:
        known = phases.setdefault(
            phase["name"], {"name": phase["name"], "n": 0, "duration_s": 0.0, "peak_rss_bytes": 0}
        )
        known["n"] += 1
        known["duration_s"] += phase["duration_s"] or 0.0
        known["peak_rss_bytes"] = max(known["peak_rss_bytes"], phase["peak_rss_bytes"] or 0)
    contention = [alert for alert in summary["alerts"] if alert["kind"] == "cpu_contention"]
    return {
        "duration_s": summary["duration_s"],
        "cpu_s": summary["cpu_s"],
        "peak_rss_bytes": summary["peak_rss_bytes"],
        "phases": list(phases.values()),
        "contended": bool(contention),
    }


class Collected:
    """What the runs of one section gave; a run that fails is a finding, not the end."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.figures: list[dict[str, Any]] = []
        self.sweeps: list[dict[str, Any]] = []
        self.failed: list[dict[str, str]] = []
        self.runs = 0
        self.contended = 0

    def run(self, name: str, **parameters: object) -> None:
        """Run a scenario; its figures get the peak of the whole process tree beside them."""
        try:
            found = scenario(name, **parameters)
        except RunFailed as error:
            words = " ".join(["perftui run", name, *_parameters(parameters)])
            self.failed.append({"command": words, "why": str(error)})
            return
        self.commands.append(found.command)
        self.runs += 1
        self.contended += found.summary["contended"]
        peak = found.summary["peak_rss_bytes"]
        self.figures += [{**row, "tree_peak_bytes": peak} for row in found.figures]

    def sweep(self, name: str, *options: str, **parameters: object) -> None:
        """Run a sweep; `parameters` are kept beside its result."""
        try:
            command, found = sweep(name, *options, **parameters)
        except RunFailed as error:
            words = " ".join(["perftui sweep", name, *_parameters(parameters), *options])
            self.failed.append({"command": words, "why": str(error)})
            return
        self.commands.append(command)
        self.runs += len(found["runs"])
        kept = {key: found[key] for key in ("limit", "sizes", "time", "cpu", "memory")}
        self.sweeps.append({**{key: str(value) for key, value in parameters.items()}, **kept})

    def data(self) -> dict[str, Any]:
        """As it goes into the JSON file."""
        return dict(vars(self))
