"""perftui where it has not all that it needs: the rights of others, no /proc, another root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from perftui.probes.machine.own_proc import proc_problem
from perftui.probes.own.python import own_module

WORKS = """
import time
def work():
    end = time.monotonic() + 1.5
    while time.monotonic() < end: sum(range(1000))
work()
"""
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
    program.write_text(WORKS)
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


def other_systems() -> list[Path]:
    """Interpreters that were laid out with the C library and all of another system."""
    told = [Path(word) for word in os.environ.get("PERFTUI_PYTHONS", "").split(":") if word]
    return [each for each in told if (each.parents[2] / "usr/lib64").exists() and each.exists()]


@needs_unshare
@pytest.mark.live
@pytest.mark.parametrize("n", [0, -1], ids=["oldest", "newest"])
def test_a_program_in_a_root_with_another_c_library_has_stacks(tmp_path: Path, n: int) -> None:
    systems = other_systems()
    if not systems:
        pytest.skip("no system is laid out: see .ci/new-pythons")
    python = systems[n]
    root, program, summary = tmp_path / "root", tmp_path / "program.py", tmp_path / "summary.json"
    program.write_text(WORKS)
    script = """set -e
    mkdir "$1"; mount -t tmpfs t "$1"; root="$1"; system="$2"; program="$3"; python="$4"; shift 4
    mkdir -p "$root/usr" "$root/proc" "$root/dev" "$root/tmp" "$root$system/usr"
    ln -s usr/lib "$root/lib"; ln -s usr/lib64 "$root/lib64"
    mount --bind "$system/usr" "$root/usr"
    mount --bind "$system/usr" "$root$system/usr"  # its loader is named by its whole path
    for folder in proc dev; do mount --rbind "/$folder" "$root/$folder"; done
    cp "$program" "$root/tmp/p.py"
    exec "$@" chroot "$root" "$python" /tmp/p.py
    """
    there = f"/{python.relative_to(python.parents[2])}"
    run = own_module("perftui", "run", "--headless", "--no-record", "--json", str(summary), "--")
    argv = [str(root), str(python.parents[2]), str(program), there, *run]
    done = in_namespace("-m", "sh", "-c", script, "sh", *argv)
    assert done.returncode == 0, done.stderr
    said = json.loads(summary.read_text())
    functions = [row["function"] for row in said["stacks"]["top"]]
    assert functions[:1] == ["work"], (functions, done.stderr)
    assert said["stacks"]["coverage"] > 0.5
