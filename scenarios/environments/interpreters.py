"""Interpreters by what a person writes: a path, or a version such as "3.12"."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.own.python import code_elsewhere
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_VERSION = (3, 11)
"""What runs a scenario in an environment is ours, and needs that."""
_VERSION = re.compile(r"3\.\d{1,2}(t?)")
_ASK_LIMIT_S = 20.0
_ASK = (
    "import json, sys; print(json.dumps(["
    "getattr(sys, '_base_executable', sys.executable), '.'.join(map(str, sys.version_info[:3]))]))"
)


class Interpreter(NamedTuple):
    """A Python that environments can be made from."""

    path: str
    """Of the interpreter itself, not of a virtual environment that it was found in."""
    version: str
    """"3.12.1"."""


def find_interpreter(asked: str | None) -> Interpreter:
    """Find an interpreter.

    Args:
        asked: "3.12", a path or a command; None for the one that perftui runs in.

    Raises:
        ScenarioError: There is none, or it is too old to run a scenario of ours.
    """
    told = None
    for found in (sys.executable,) if asked is None else _places(asked):
        told = ask_interpreter(found)
        if told is not None:
            break
    if told is None:
        advice = "install it, or say --python PATH" if _is_version(asked) else "say --python 3.12"
        what = f"Python {asked}" if _is_version(asked) else f"interpreter {asked}"
        raise ScenarioError(f"there is no {what} here that can be asked for its version: {advice}")
    if tuple(map(int, told.version.split(".")[:2])) < FIRST_VERSION:
        raise ScenarioError(
            f"{told.path} is Python {told.version}: a scenario in an environment of its own needs "
            "3.11 or later"
        )
    return told


def ask_interpreter(python: str) -> Interpreter | None:
    """Ask an interpreter what it is; None if it is none, or a shim that leads nowhere."""
    try:
        answer = subprocess.run(
            code_elsewhere(python, _ASK),
            capture_output=True,
            text=True,
            timeout=_ASK_LIMIT_S,
            check=True,
        )
        path, version = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(str(path), str(version))


def _is_version(asked: str | None) -> bool:
    return asked is not None and _VERSION.fullmatch(asked) is not None


def _places(asked: str) -> Iterator[str]:
    """Where it may be, the likeliest first."""
    on_path = shutil.which(f"python{asked}" if _is_version(asked) else asked)
    if on_path is not None:
        yield str(Path(on_path).absolute())
    if _is_version(asked):
        for found in (_of_pyenv(asked), _of_uv(asked)):
            if found is not None:
                yield found


def _of_pyenv(version: str) -> str | None:
    """pyenv's own commands answer for the versions that are chosen in a folder alone."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [
        folder
        for folder in root.glob(f"{version}.*")
        if (folder / "bin" / "python").exists() and folder.name.replace(".", "").isdigit()
    ]
    newest = max(found, key=lambda each: [int(p) for p in each.name.split(".")], default=None)
    return None if newest is None else str(newest / "bin" / "python")


def _of_uv(version: str) -> str | None:
    uv = shutil.which("uv")
    if uv is None:
        return None
    try:
        said = subprocess.run(
            [uv, "python", "find", "--no-python-downloads", "--no-project", "--system", version],
            capture_output=True,
            text=True,
            timeout=_ASK_LIMIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() or None
