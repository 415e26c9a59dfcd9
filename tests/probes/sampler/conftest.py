"""Real programs under the own sampler, on every interpreter that it knows."""

from __future__ import annotations

import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from support.sampler import KNOWN, Watched, clean_environment
from support.waiting import PATIENCE_S, has_ended, wait_for

from perftui.probes.stacks.own.source import OwnSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perftui.probes.stacks.own.records import OwnRecord


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`python`: this interpreter and the newest; every other one is for the long run."""
    if "python" in metafunc.fixturenames:
        newest = max(KNOWN)
        metafunc.parametrize(
            "python",
            [
                pytest.param(
                    exe,
                    marks=[pytest.mark.live] if index and minor != newest else [],
                    id=f"3.{minor}",
                )
                for index, (minor, exe) in enumerate(KNOWN.items())
            ],
        )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Run a program under the sampler.

    It prints "go" when it begins, a last line "done", and waits for its standard input to end.
    """
    started: list[subprocess.Popen[str]] = []

    def run(
        python: str,
        text: str,
        *arguments: str,
        rate_hz: float = 100,
        early: bool = False,
        budget: float = 0.5,
        after_s: float = 0.0,
        until_its_end: bool = False,
    ) -> Watched:
        program = tmp_path / "program.py"
        program.write_text(text)
        process = subprocess.Popen(
            [python, "-u", str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            cwd=tmp_path,
        )
        started.append(process)
        assert process.stdout is not None
        output: list[str] = []
        if not early:
            assert process.stdout.readline() == "go\n"
        sampler = OwnSampler([process.pid], rate_hz=rate_hz, budget=budget)
        records: list[OwnRecord] = []
        reader = threading.Thread(target=lambda: records.extend(sampler.records()))
        reader.start()
        try:
            if not early:
                assert process.stdin is not None
                # What it used before the sampler came does not count.
                wait_for(lambda: records, "the sampler says nothing")
                process.stdin.write("\n")
                process.stdin.flush()
            for line in process.stdout:
                if line == "done\n":
                    break
                output.append(line.rstrip("\n"))
            if until_its_end:
                wait_for(lambda: has_ended(process.pid))
            time.sleep(after_s)
        finally:
            sampler.ask_to_end()
            reader.join(PATIENCE_S)
            code = sampler.close()
        assert code == 0
        assert not reader.is_alive()
        return Watched(output, records, process.pid)

    yield run
    for process in started:
        process.kill()
        process.communicate()
