"""Allocators that are put in place of malloc by LD_PRELOAD, where the system has them."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")


def library_of(name: str) -> str | None:
    """Return the path of one, None where it is not installed.

    Args:
        name: "jemalloc", "mimalloc".
    """
    found = [
        each for folder in FOLDERS for each in sorted(Path(folder).glob(f"lib{name}.so.[0-9]*"))
    ]
    return str(found[0]) if found else None
