"""Real programs under the own sampler, on every interpreter that it knows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import pytest

from perftui.probes.stacks.own.records import Sample
from perftui.probes.stacks.own.source import OwnSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perftui.probes.stacks.own.records import OwnRecord, Thread

Record = TypeVar("Record")
FIRST, LAST = 11, 15
TOLD = "PERFTUI_PYTHONS"
"""Further interpreters, separated like PATH."""


def version(executable: str) -> tuple[int, int] | None:
    """Major and minor version of a CPython with the GIL, None for others."""
    text = "import sys; print('%d.%d' % sys.version_info[:2], getattr(sys, 'abiflags', ''))"
    try:
        done = subprocess.run([executable, "-c", text], capture_output=True, text=True)
    except OSError:
        return None
    found = re.fullmatch(r"(\d+)\.(\d+) (\w*)\s*", done.stdout)
    if done.returncode or not found or "t" in found[3]:
        return None
    return int(found[1]), int(found[2])


def candidates() -> Iterator[str]:
    yield sys.executable
    yield from filter(None, os.environ.get(TOLD, "").split(os.pathsep))
    homes = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    homes.append(Path.home() / ".local" / "share" / "uv" / "python")
    for minor in range(9, LAST + 1):
        name = f"python3.{minor}"
        yield from (str(p) for home in homes for p in sorted(home.glob(f"*/bin/{name}")))
        yield shutil.which(name) or ""


def interpreters() -> dict[int, str]:
    """One interpreter of every minor version of Python 3, this one first."""
    found: dict[int, str] = {}
    for candidate in candidates():
        told = version(candidate) if candidate else None
        if told is not None and told[0] == 3:
            found.setdefault(told[1], candidate)
    return found


ALL = interpreters()
KNOWN = {minor: exe for minor, exe in ALL.items() if FIRST <= minor <= LAST}


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


class Watched(NamedTuple):
    """What a program said of itself, and what the sampler said of it."""

    output: list[str]
    records: list[OwnRecord]
    pid: int

    def of(self, kind: type[Record]) -> list[Record]:
        return [record for record in self.records if isinstance(record, kind)]

    def by_thread(self) -> dict[Thread, list[Sample]]:
        found: dict[Thread, list[Sample]] = {}
        for sample in self.of(Sample):
            found.setdefault(sample.thread, []).append(sample)
        return found

    def functions(self, sample: Sample) -> list[str]:
        """Names of a stack, innermost first."""
        return [place.function for place in sample.stack or ()]


def clean_environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {key: os.environ[key] for key in keep if key in os.environ}


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
                process.stdin.write("\n")
                process.stdin.flush()
            for line in process.stdout:
                if line == "done\n":
                    break
                output.append(line.rstrip("\n"))
            time.sleep(after_s)
        finally:
            sampler.ask_to_end()
            reader.join(20)
            code = sampler.close()
        assert code == 0
        assert not reader.is_alive()
        return Watched(output, records, process.pid)

    yield run
    for process in started:
        process.kill()
        process.communicate()
