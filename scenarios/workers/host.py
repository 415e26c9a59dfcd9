"""The host's side of `workers.child`: start it, give orders, know what waiting and work took."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import perftui
from perftui.probes.own import interrupts
from perftui.probes.own.hang_up import hang_up
from perftui.probes.own.python import own_module
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRACE_S = 5.0


class Answer(NamedTuple):
    """What one order took, as seen from both sides."""

    waited_s: float
    """By the parent, from the order's first byte to the answer's last."""
    worked_s: float
    """By the worker's own clock."""
    rows: int
    modules: int
    """Imported meanwhile."""
    packages: dict[str, int]
    """The same by top-level package."""
    steps: dict[str, float]
    """What the work was made of: "import", "connect", "query" -> seconds."""


class Worker:
    """A worker process, started with exec and never forked; a `with` ends it.

    Raises:
        ScenarioError: It ended before it was ready.
    """

    def __init__(self) -> None:
        started = perf_counter()
        with perftui.phase("spawn"):
            with interrupts.held_back():
                self._process = subprocess.Popen(
                    own_module("perftui.scenarios.workers.child"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    bufsize=1,
                )
            self._read()
        self.spawn_s = perf_counter() - started
        """Until the new interpreter was ready for orders."""

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def ask(self, what: str, engine: str = "", files: Sequence[str] = ()) -> Answer:
        """Give an order and wait for the answer; see `workers.child` for the orders.

        Raises:
            ScenarioError: The worker has ended, or says that the order failed.
        """
        stdin = self._process.stdin
        assert stdin is not None
        started = perf_counter()
        with suppress(BrokenPipeError):  # then there is no answer to read either
            stdin.write(json.dumps({"do": what, "engine": engine, "files": list(files)}) + "\n")
            stdin.flush()
        answer = self._read()
        waited_s = perf_counter() - started
        if "error" in answer:
            raise ScenarioError(f"the worker could not {what} {engine}: {answer['error']}")
        told = (answer[name] for name in ("worked_s", "rows", "modules", "packages", "steps"))
        return Answer(waited_s, *told)

    def _read(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            code = self._process.wait()
            raise ScenarioError(f"the worker process ended with exit code {code}: see its messages")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the worker: its input ends, and if that does not help, it does."""
        hang_up(self._process, _GRACE_S)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
