"""One program under the real perftui: started as a person would, its recording read."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.python import own_module
from perftui.probes.profile.sums import function_sums
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.spine.calltree import ROOT
from perftui.probes.spine.reader import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.face import RecordedReader

PROGRAMS = Path(__file__).with_name("programs")
LIMIT_S = 90.0
"""A program takes at most 20 s; what takes as long as this hangs."""
_NOTHING = Weights(0, 0, 0, 0)


class TrialError(Exception):
    """A program could not be tried: the message says why in one line."""


class Trial(NamedTuple):
    """A program that was run, what it says itself, and what perftui has of it."""

    truth: dict[str, Any]
    """By its own clocks."""
    summary: dict[str, Any]
    """See docs/recordings.md."""
    reader: RecordedReader

    def weights(self, function: str) -> Weights:
        """Return what was spent in a function and what it called, over all threads."""
        found = _NOTHING
        for stack in self.reader.call_tree(*self._range()):
            for node, weights in stack.self_by_node.items():
                if function in self._names(node):
                    found = Weights(*map(sum, zip(found, weights, strict=True)))
        return found

    def most_cpu(self) -> str:
        """Return the function with the most CPU of its own; "" if no stack has any."""
        rows = function_sums(self.reader.tree, self.reader.call_tree(*self._range()))
        return max(rows, key=lambda row: row.self_.cpu_ns).function if rows else ""

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alerts that ask somebody to do something."""
        alerts: list[dict[str, Any]] = self.summary["alerts"]
        return [alert for alert in alerts if alert["severity"] in ("warn", "critical")]

    def _range(self) -> tuple[int, int]:
        status = self.reader.status()
        return status.t_start_ns, status.t_end_ns + 1

    def _names(self, node: int) -> Iterator[str]:
        tree = self.reader.tree
        while node != ROOT:
            yield tree.frame(node).function.rpartition(".")[2]
            node = tree.parent(node)


def try_program(name: str, folder: Path) -> Trial:
    """Run a program of `PROGRAMS` under perftui, and open its recording.

    Args:
        name: Of the file, without its ending.
        folder: An empty one, for the program, its recording and its summary.

    Raises:
        TrialError: perftui or the program failed.
    """
    program = folder / "program"
    shutil.copytree(PROGRAMS, program, ignore=shutil.ignore_patterns("__*"))
    summary, recording = folder / "summary.json", folder / "run.perftui"
    options = ("--headless", "--json", str(summary), "--record", str(recording))
    argv = own_module("perftui", "run", *options, str(program / f"{name}.py"))
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        raise TrialError(f"no end after {LIMIT_S:.0f} s") from None
    if done.returncode != 0 or not summary.exists():
        raise TrialError(_last_line(done.stderr) or f"perftui ended with {done.returncode}")
    truth = None
    with suppress(ValueError):
        truth = json.loads(_last_line(done.stdout))
    if not isinstance(truth, dict):
        raise TrialError("the program did not say what it knows")
    return Trial(truth, json.loads(summary.read_text()), open_recording(recording))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
