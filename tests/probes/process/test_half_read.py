"""What the kernel tells of a process that ends just now may be half of it, or nothing."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import pytest

from perftui.probes.process.face import ProcessGone
from perftui.probes.process.family_mark import FamilyMark
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.probe_thread import say_failed
from perftui.probes.spine.records import Notice

linux = pytest.importorskip("perftui.probes.process.linux")
if sys.platform != "linux":
    pytest.skip("only Linux has /proc", allow_module_level=True)


@pytest.mark.parametrize("name", ["stat", "status", "schedstat", "io", "smaps_rollup"])
def test_half_a_file_is_no_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each beginning of it in turn: a figure is then unknown, or the process has gone."""
    whole = linux._read
    cut = [0]

    def read(path: str) -> bytes:
        text: bytes = whole(path)
        return text[: cut[0]] if path.endswith(f"/{name}") else text

    def pread(fd: int, size: int, at: int) -> bytes:
        text: bytes = os.pread(fd, size, at)
        return text[: cut[0]] if name == "status" else text

    monkeypatch.setattr(linux, "_read", read)
    if name == "status":
        monkeypatch.setattr(linux, "os", _Other(os, pread=pread))
    most = len(whole(f"/proc/self/{name}"))
    for cut[0] in {*range(min(most, 400)), *range(0, most, 37)}:
        # As everybody who reads processes is prepared for.
        with suppress(ProcessGone):
            process = linux.LinuxProcess(os.getpid())
            try:
                process.slow(process.fast(1))
                process.shares(process.fast(2))
                process.threads(3)
            finally:
                process.close()


class _Other:
    """A module of which some functions are others."""

    def __init__(self, module: object, **others: object) -> None:
        self._module = module
        self._others = others

    def __getattr__(self, name: str) -> object:
        return self._others.get(name) or getattr(self._module, name)


def test_half_a_mark_is_none() -> None:
    mark = FamilyMark()
    with mark.worn():
        assert not mark.is_on(1 << 30)


def test_what_failed_says_in_which_line() -> None:
    said: list[str] = []

    class Sink:
        def ingest(self, batch: object) -> None:
            said.extend(each.text for each in batch.events if isinstance(each, Notice))  # type: ignore[attr-defined]

    log = SessionLog()
    log.connect(Sink())
    try:
        [][1]
    except IndexError as error:
        say_failed(log, "CPU and memory", error)
    (text,) = said
    assert "IndexError: list index out of range, test_half_read.py:" in text
