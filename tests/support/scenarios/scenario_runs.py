"""Running scenarios as the host does: a child process, a cache of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "perftui.scenarios.run.child", *words]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PERFTUI_CACHE": str(cache)}


def run(cache: Path, *words: str, fails: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        argv(*words), capture_output=True, text=True, timeout=110, env=environment(cache)
    )
    assert done.returncode == fails, done.stderr
    scratch = cache / "scratch"
    assert not scratch.exists() or list(scratch.iterdir()) == [], "something was left behind"
    if fails == 2:
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("perftui: ")
    return done


def need(*modules: str) -> None:
    """Skip the test unless these can be imported; nothing is imported to find out."""
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


def table(text: str) -> dict[str, list[str]]:
    """The cells of printed tables by the first of each line; columns are two spaces apart."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if len(cells) > 2:
            rows[cells[0]] = cells[1:]
    return rows


def number(text: str) -> float:
    """Read what the tables write: "1.21 GB", "+3.4 MB", "2.59 k", "85%", "4.1x"."""
    text = text.lstrip("+").rstrip("x%")
    value, _, unit = text.partition(" ")
    powers = {"k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "µ": 1e-6, "n": 1e-9}
    bare = unit in ("", "s", "B")
    return float(value) * (1.0 if bare else powers[unit[0]])
