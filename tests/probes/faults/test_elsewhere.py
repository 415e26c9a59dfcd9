"""perftui where it has not all that it needs: the rights of others, no /proc, another root."""

from __future__ import annotations

import json
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


@needs_unshare
@pytest.mark.live
def test_a_program_whose_paths_are_of_another_root_has_stacks(tmp_path: Path) -> None:
    """Its interpreter is /py/bin/python3 to itself and in its mappings, and nowhere outside."""
    root, summary = tmp_path / "root", tmp_path / "summary.json"
    program = tmp_path / "program.py"
    program.write_text(
        "import time\n"
        "def work():\n"
        "    end = time.monotonic() + 1.5\n"
        "    while time.monotonic() < end: sum(range(1000))\n"
        "work()\n"
    )
    script = """set -e
    mkdir "$1"; mount -t tmpfs t "$1"; root="$1"; base="$2"; program="$3"; shift 3
    for folder in lib lib64 usr/lib proc dev; do
        test -e "/$folder" || continue
        mkdir -p "$root/$folder"; mount --rbind "/$folder" "$root/$folder"
    done
    mkdir "$root/py" "$root/tmp"; mount --bind "$base" "$root/py"; cp "$program" "$root/tmp/p.py"
    exec "$@" chroot "$root" "/py/bin/python3" /tmp/p.py
    """
    run = own_module("perftui", "run", "--headless", "--no-record", "--json", str(summary), "--")
    argv = [str(root), sys.base_prefix, str(program), *run]
    done = in_namespace("-m", "sh", "-c", script, "sh", *argv)
    assert done.returncode == 0, done.stderr
    said = json.loads(summary.read_text())
    functions = [row["function"] for row in said["stacks"]["top"]]
    assert functions[:1] == ["work"], (functions, done.stderr)
