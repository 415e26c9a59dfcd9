"""Making files cold again: out of the page cache, without rights and without touching others'."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def forget(files: Iterable[Path]) -> None:
    """Drop files from the page cache. Pages that another process maps stay."""
    for file in files:
        with suppress(OSError), file.open("rb") as handle:
            with suppress(OSError):  # a read-only file system has nothing to write back
                os.fsync(handle.fileno())
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def files_of_package(module: str) -> list[Path]:
    """The files of an installed package, found without importing it."""
    spec = find_spec(module)
    if spec is None:
        return []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders and spec.origin:
        return [Path(spec.origin)]
    return [file for folder in folders for file in folder.rglob("*") if file.is_file()]
