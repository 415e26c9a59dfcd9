"""Where code is, in the fewest words."""

from __future__ import annotations

from perftui.probes.spine.calltree import is_stdlib


def is_installed(file: str) -> bool:
    """Tell whether a source file belongs to an installed package or to the standard library."""
    return "/site-packages/" in file or "/dist-packages/" in file or is_stdlib(file)


def place_of(module: str, file: str, line: int) -> str:
    """Say where code is: module for installed packages, file name for one's own code."""
    place = module if is_installed(file) else file.replace("\\", "/").rpartition("/")[2]
    return f"{place}:{line}" if line else place
