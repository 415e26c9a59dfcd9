"""Which files of a program are made cold, and that they are."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.scenarios.bench.cold_files import ColdFiles, resident_bytes
from perftui.scenarios.bench.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path


def test_files_of_the_command_of_modules_and_open_ones(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("import helper, package.part")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "package").mkdir()
    for name in ("__init__", "part", "unused"):
        (tmp_path / "package" / f"{name}.py").write_text("")
    data = tmp_path / "data.bin"
    data.write_bytes(b"x" * 100_000)
    cold = ColdFiles(Subject("prog", (sys.executable, "prog.py"), folder=str(tmp_path)))
    cold.take_modules(["helper", "package", "package.part", "json.decoder", "no.such.thing"])
    holder = subprocess.Popen(
        [sys.executable, "-c", f"f = open({str(data)!r}); print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        cold.look(holder.pid)
    finally:
        holder.communicate(b"\n", timeout=60)
    inside = {file for file in cold.files if file.startswith(str(tmp_path))}
    assert inside == {
        str(tmp_path / name)
        for name in ("prog.py", "helper.py", "package/__init__.py", "package/part.py", "data.bin")
    }
    assert any(file.endswith("json/decoder.py") for file in cold.files)
    assert os.path.realpath(sys.executable) in cold.files


def test_they_leave_the_page_cache(tmp_path: Path) -> None:
    data = tmp_path / "data.bin"
    data.write_bytes(os.urandom(2_000_000))
    cold = ColdFiles(Subject("prog", ("cat", str(data))))
    assert cold.files == {str(data)}
    assert resident_bytes(str(data)) >= 2_000_000
    cold.forget()
    if resident_bytes(str(data)) and "tmpfs" in subprocess.run(
        ["stat", "-f", "-c", "%T", str(data)], capture_output=True, text=True, check=False
    ).stdout:  # fmt: skip
        pytest.skip("temporary files live in memory here")
    # Another process of the system may just be looking at it.
    wait_for(lambda: cold.forget() or resident_bytes(str(data)) == 0, "it stays")
    assert cold.told().startswith("1 files of 2.00 MB are dropped before each run; 0 B of them")
