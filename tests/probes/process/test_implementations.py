"""PyPy and GraalPy are named, not taken for CPython or for no Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perftui.probes.agent_link.injection.able import NotInjectable, injectable
from perftui.probes.doctor.process import check_process
from perftui.probes.process.implementations import other_implementation, what_follows_elsewhere
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = Path(shutil.which("sleep") or "/bin/sleep").resolve()


@pytest.fixture(scope="module", params=["pypy3.10", "graalpy"])
def named_so(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, str]]:
    """A process whose program has another Python's name."""
    program = tmp_path_factory.mktemp("bin") / request.param
    shutil.copy(SLEEP, program)
    with subprocess.Popen([program, "600"]) as process:
        yield process.pid, {"pypy3.10": "PyPy 3.10", "graalpy": "GraalPy"}[request.param]
        process.kill()


def test_it_is_named_and_nobody_tries_to_read_it(named_so: tuple[int, str]) -> None:
    pid, name = named_so
    assert other_implementation(pid) == name
    with pytest.raises(NotInjectable, match=f"is {name}: --inject needs CPython"):
        injectable(pid)
    session = Session.attach(pid, ProbeOptions())
    session.close()
    said = [notice.text for notice in session.store.status().notices]
    assert what_follows_elsewhere(name, inside=False) in said
    assert not any("not a Python process" in text for text in said)


def test_doctor_names_it(named_so: tuple[int, str]) -> None:
    pid, name = named_so
    checks = {check.name: check for check in check_process(pid)}
    assert checks["interpreter"].found == name
    assert "samplers read CPython only" in checks["interpreter"].follows
    assert "stacks by" not in checks


def test_a_library_that_it_has_loaded_tells(tmp_path: Path) -> None:
    library = tmp_path / "libpypy3.9-c.so"
    library.write_bytes(b"\0" * 4096)
    code = (
        f"import mmap; file = open({str(library)!r}, 'rb')\n"
        "held = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)\n"
        "print('ready', flush=True); input()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert other_implementation(process.pid) == "PyPy 3.9"
        process.communicate(b"\n")
    assert other_implementation(os.getpid()) is None
    assert other_implementation((1 << 31) - 2) is None
