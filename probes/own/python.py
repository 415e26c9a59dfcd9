"""The command line of every Python process that we start for ourselves; there is no other place.

`python -m` would import from the current directory, and any Python from PYTHONPATH and from the
user's own site folder: see `own.path`.
"""

from __future__ import annotations

import sys
from pathlib import Path

_START = str(Path(__file__).absolute().with_name("start.py"))
"""Not resolved: in a strict editable install this is a link, and its folder is the package."""


def own_module(module: str, *words: str) -> list[str]:
    """Return the argv of a process that runs a module of ours and no code of anybody else."""
    return [sys.executable, "-I", _START, module, *words]


def own_code(code: str, *words: str) -> list[str]:
    """Return the argv of a process that runs a few lines, and imports from our places alone."""
    return [sys.executable, "-I", "-c", code, *words]


def own_script(path: Path, *words: str, python: str = sys.executable) -> list[str]:
    """Return the argv of a process that runs a file of ours with the standard library alone."""
    return [python, "-I", "-S", str(path), *words]


def script_beside_packages(python: str, path: Path, *words: str) -> list[str]:
    """Return the argv of another interpreter that runs a file of ours with its own packages:
    those of its site folder, not of PYTHONPATH or of the user."""
    return [python, "-I", str(path), *words]


def module_elsewhere(python: str, module: str, *words: str) -> list[str]:
    """Return the argv of another interpreter that runs a module of its own: its venv, its pip.

    Neither PYTHONPATH nor the current directory nor the user's own site folder is on its path.
    """
    return [python, "-I", "-m", module, *words]


def code_elsewhere(python: str, code: str, *words: str) -> list[str]:
    """Return the argv of another interpreter that runs a few lines with its standard library."""
    return [python, "-I", "-S", "-c", code, *words]


def code_beside_packages(python: str, code: str, *words: str) -> list[str]:
    """Return the argv of another interpreter that runs a few lines with its own packages."""
    return [python, "-I", "-c", code, *words]


def module_for_others(python: str, module: str, *words: str) -> list[str]:
    """Return the argv of a process that runs a module of ours, and a person's code in it.

    It takes part in what a launched program does: it loads the agent, and it gives the code its
    own sys.path (`own.path.give_back`). Until then it imports from our places alone.

    Args:
        python: The interpreter: 3.11 or later. It needs nothing of ours installed: it finds the
            package `perftui` where we found it (`own.path`).
        module: Of ours.
        words: Its arguments.
    """
    return [python, _START, module, *words]


def code_for_others(code: str, *words: str) -> list[str]:
    """Return the argv of a fresh interpreter for lines that import what a person has named.

    Nothing of ours is in it. The current directory is not on its path.
    """
    return [sys.executable, "-P", "-c", code, *words]
