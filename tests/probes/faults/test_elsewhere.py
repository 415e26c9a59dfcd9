"""perftui where it has not all that it needs: the rights of others, no /proc, another root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perftui.probes.machine.own_proc import proc_problem
from perftui.probes.own.python import own_module

if TYPE_CHECKING:
    from pathlib import Path

needs_unshare = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root may, with unshare"
)


def in_namespace(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["unshare", *words], capture_output=True, text=True, timeout=100)


@needs_unshare
def test_the_proc_of_another_pid_namespace_is_not_believed() -> None:
    """Our numbers are strangers' there: they were watched instead of the program."""
    run = own_module("perftui", "run", "--headless", "--no-record", "--", sys.executable, "-V")
    done = in_namespace("--pid", "--fork", *run)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("perftui: the /proc here is of another PID namespace")
    assert done.stderr.count("\n") == 1


@needs_unshare
def test_without_proc_there_is_one_line() -> None:
    argv = own_module("perftui", "attach", str(os.getpid()), "--headless", "--duration", "1")
    done = in_namespace("-m", "sh", "-c", 'umount -l /proc; exec "$@"', "sh", *argv)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("perftui: there is no /proc here")
    assert done.stderr.count("\n") == 1


def test_the_proc_of_this_process_is_believed(tmp_path: Path) -> None:
    assert proc_problem() == ""
    (tmp_path / "self").symlink_to("17")
    assert "another PID namespace" in proc_problem(tmp_path / "self")
    assert "no /proc here" in proc_problem(tmp_path / "none")
