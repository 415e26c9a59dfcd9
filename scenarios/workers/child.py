"""A process that stays and works off orders: `python -m perftui.scenarios.workers.child`.

One JSON object a line, in and out. Every answer says how long the work itself took, so that who
waited can tell work from transport, how long each step of it, and how many modules it imported:

    {"do": "ping"}                            nothing: the price of the pipe
    {"do": "import", "engine": "duckdb"}      import the engine
    {"do": "connect", "files": [...]}         open the data
    {"do": "warm up"}                         the smallest query that the engine can be asked
    {"do": "query"}                           run the engine's query once
    {"do": "call", "engine": ..., "files": ...}   all of these, as far as not done: a naive call

Only this module's own imports are loaded before the first order.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from perftui.probes.own import interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.scenarios.engines.queries import EngineQuery


class _Worker:
    def __init__(self) -> None:
        self._engine: EngineQuery | None = None
        self._connected = False
        self.steps: dict[str, float] = {}
        """What the last order was made of: step -> seconds."""

    def do(self, order: dict[str, Any]) -> int:
        """Carry out one order; the result is the rows that it gave."""
        what = order["do"]
        self.steps = {}
        if what == "ping":
            return 0
        if what == "import" or (what == "call" and self._engine is None):
            with self._step("import"):
                from perftui.scenarios.engines.queries import ENGINE_QUERIES

                self._engine = ENGINE_QUERIES[order["engine"]]()
        if what == "connect" or (what == "call" and not self._connected):
            with self._step("connect"):
                self._loaded().connect(order["files"])
                self._connected = True
        if what == "warm up":
            with self._step("warm up"):
                self._loaded().warm_up()
        if what not in ("query", "call"):
            return 0
        with self._step("query"):
            return self._loaded().query()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.steps[name] = perf_counter() - started

    def _loaded(self) -> EngineQuery:
        if self._engine is None:
            raise ValueError("the engine has not been imported")
        return self._engine


def main() -> int:
    """Answer orders until standard input ends."""
    # Ctrl-C reaches us too, and our owner says what is to be said about it.
    interrupts.end_without_a_word()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    worker = _Worker()
    answers.write(json.dumps({"pid": os.getpid(), "modules": len(sys.modules)}) + "\n")
    for line in sys.stdin:
        answers.write(json.dumps(_answer(worker, json.loads(line))) + "\n")
    return 0


def _answer(worker: _Worker, order: dict[str, Any]) -> dict[str, Any]:
    before = set(sys.modules)
    started = perf_counter()
    try:
        rows = worker.do(order)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # panics of Rust libraries are no `Exception`
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    worked_s = perf_counter() - started
    packages: dict[str, int] = {}
    for name in set(sys.modules) - before:
        top = name.partition(".")[0]
        packages[top] = packages.get(top, 0) + 1
    return {
        "worked_s": worked_s,
        "steps": worker.steps,
        "rows": rows,
        "modules": sum(packages.values()),
        "packages": packages,
    }


if __name__ == "__main__":
    sys.exit(main())
