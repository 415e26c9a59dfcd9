from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import pytest
from support.waiting import PATIENCE_S

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Notice
from perftui.probes.stacks.recorder import SamplerMissing, find_sampler

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

R = TypeVar("R")


class Collected:
    """A log, and everything that was appended to it."""

    def __init__(self) -> None:
        self.log = SessionLog()
        self.log.connect(self)
        self.records: list[Record] = []

    def ingest(self, batch: Batch) -> None:
        self.records.extend(batch.raw)

    def of(self, kind: type[R]) -> list[R]:
        return [record for record in tuple(self.records) if isinstance(record, kind)]

    def troubles(self) -> list[str]:
        """What was said, but for the rate: on a full machine it is lowered, and that is said."""
        return [n.text for n in self.of(Notice) if "stack rate " not in n.text]

    def functions(self, node: int) -> list[str]:
        return [self.log.tree.frame(each).function for each in self.log.tree.path(node)]


def wait_until(condition: Callable[[], object], limit_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the awaited condition did not come true"
        time.sleep(0.01)


Launch = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def sampler() -> str:
    try:
        return find_sampler()
    except SamplerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a Python program from its text; returns once it has printed its first line."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *args: str) -> subprocess.Popen[str]:
        script = tmp_path / f"program{len(started)}.py"
        script.write_text("print('up', flush=True)\n" + text)
        process = subprocess.Popen(
            [sys.executable, str(script), *args],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        # With whatever it started itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
