"""A free-threaded Python is told apart before it is taken for something else."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.doctor.process import check_process
from perftui.probes.process.free_threaded import free_threaded_build, version_of_runtime
from perftui.probes.process.running import python_processes
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Notice
from perftui.probes.stacks.relay import StackProbe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.enriched import Batch
SLEEP = shutil.which("sleep") or "/bin/sleep"
LINE = "free-threaded Python 3.13t: py-spy cannot read it"


def cookie(minor: int, free_threaded: int) -> bytes:
    return struct.pack("<8sQQ", b"xdebugpy", 3 << 24 | minor << 16 | 0xF0, free_threaded)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", None),
        (b"xdebugpy", None),
        (cookie(13, 1), (13, True)),
        (b"\0" * 999 + cookie(15, 0) + b"\0" * 50, (15, False)),
        (b"xdebugpy not it, just text ------" + cookie(14, 1), (14, True)),
        (cookie(13, 7), None),
        (cookie(2, 1), None),
    ],
)
def test_the_runtime_tells(data: bytes, found: tuple[int, bool] | None) -> None:
    assert version_of_runtime(data) == found


@pytest.fixture(scope="module")
def named_so(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose program has a free-threaded interpreter's name."""
    program = tmp_path_factory.mktemp("bin") / "python3.13t"
    shutil.copy(Path(SLEEP).resolve(), program)
    process = subprocess.Popen([program, "600"])
    yield process
    process.kill()
    process.wait()


def test_the_name_tells(named_so: subprocess.Popen[bytes]) -> None:
    assert free_threaded_build(named_so.pid) == "3.13t"
    checks = check_process(named_so.pid)
    [interpreter] = [c for c in checks if c.name == "interpreter"]
    assert interpreter.found == "free-threaded Python 3.13t"
    [sampler] = [c for c in checks if c.name == "stacks by"]
    assert sampler.found.startswith("the own sampler: no answer")  # it sleeps
    assert {each.pid: each.python for each in python_processes(0)}[named_so.pid] == "3.13t"


def test_it_is_said_at_once_and_not_as_something_else(named_so: subprocess.Popen[bytes]) -> None:
    log = SessionLog()
    said: list[str] = []
    ready: list[bool] = []

    class Sink:
        def ingest(self, batch: Batch) -> None:
            said.extend(record.text for record in batch.raw if isinstance(record, Notice))

    log.connect(Sink())
    probe = StackProbe(log, named_so.pid, on_ready=lambda: ready.append(True))
    probe.start()
    wait_for(lambda: ready)
    probe.stop()
    assert len(said) == 1 and LINE in said[0], said


def test_the_library_tells(tmp_path: Path) -> None:
    library = tmp_path / "libpython3.14t.so.1.0"
    library.write_bytes(b"\0" * 4096)
    code = (
        f"import mmap; file = open({str(library)!r}, 'rb')\n"
        "held = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)\n"
        "print('ready', flush=True); input()"
    )
    with running(sys.executable, "-c", code) as process:
        assert free_threaded_build(process.pid) == "3.14t"


def test_the_memory_tells_when_the_name_does_not(tmp_path: Path) -> None:
    data = tmp_path / "libpython3.so"
    data.write_bytes(b"\0" * 512 + cookie(15, 1) + b"\0" * 4096)
    code = (
        f"import mmap; file = open({str(data)!r}, 'r+b')\n"
        "held = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE)\n"
        "print('ready', flush=True); input()"
    )
    # An interpreter without the cookie, or one whose own comes later, decides nothing.
    with running("/usr/bin/env", sys.executable, "-c", code) as process:
        if sys.version_info < (3, 13):
            assert free_threaded_build(process.pid) == "3.15t"


def pythons() -> list[str]:
    listed = os.environ.get("PERFTUI_PYTHONS", "").split(os.pathsep)
    return [sys.executable, *filter(None, listed)]


@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).name)
def test_ordinary_ones_are_not(python: str) -> None:
    asked = "import sys; print(int('t' in sys.abiflags))"
    free = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True).stdout
    if free.strip() != "0":
        pytest.skip("a free-threaded one")
    with running(python, "-I", "-c", "print('ready', flush=True); input()") as process:
        assert free_threaded_build(process.pid) is None


def test_neither_are_others(named_so: subprocess.Popen[bytes]) -> None:
    with running("/bin/sh", "-c", "echo ready; read x") as process:
        assert free_threaded_build(process.pid) is None
    assert free_threaded_build((1 << 31) - 2) is None


class running:
    """A process that has said that it is ready."""

    def __init__(self, *argv: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe)

    def __enter__(self) -> subprocess.Popen[bytes]:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self._process

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()
