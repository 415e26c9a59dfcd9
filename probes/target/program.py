"""From the words after `perftui run` to the argv that is started."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.text.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOOL_ENVIRONMENTS = ("/pipx/", "/uv/tools/")


class ProgramError(ValueError):
    """The words do not name anything that can be started; the message says what to do."""


class NoSuchProgram(ProgramError):
    """There is nothing at all of that name."""


def default_python() -> str:
    """Return the interpreter that a script is run with when `--python` is not given.

    The active virtual environment's; else our own, unless perftui lives in a tool environment
    of its own (pipx, uv), where no library of the user's is: then the `python3` of the PATH.
    """
    active = os.environ.get("VIRTUAL_ENV")
    if active:
        candidate = Path(active) / "bin" / "python"
        if candidate.exists():
            return str(candidate)
    if any(part in f"{sys.prefix}/" for part in _TOOL_ENVIRONMENTS):
        found = shutil.which("python3") or shutil.which("python")
        if found:
            return found
    return sys.executable


def find_python(name: str | None) -> str:
    """Return the path of the interpreter that `--python` names.

    Raises:
        ProgramError: there is no such program.
    """
    if name is None:
        return default_python()
    found = shutil.which(name)
    if found is None:
        raise ProgramError(f"no interpreter {name!r}: give a path or a name on the PATH")
    return found


def command_of(words: Sequence[str], python: str | None) -> list[str]:
    """Return the argv for `script.py ARGS`, `-m MODULE ARGS`, `PROGRAM ARGS` and the like.

    Raises:
        ProgramError: there is no such file or program, or it cannot be started.
    """
    first = words[0]
    shown = redact_text(first)
    if not first:
        raise ProgramError("nothing to run: the name of the program is empty")
    if first in ("-m", "-c"):
        if len(words) < 2:
            raise ProgramError(
                f"{first} needs a {'module' if first == '-m' else 'command'} after it"
            )
        return [find_python(python), *words]
    path = Path(first)
    if first.endswith((".py", ".pyw", ".pyz")) or (path / "__main__.py").is_file():
        if not path.exists():
            raise ProgramError(f"no file {shown!r} here; the working directory is {_here()}")
        if path.is_dir() and not (path / "__main__.py").is_file():
            raise ProgramError(f"{shown!r} is a directory without __main__.py")
        return [find_python(python), *words]
    found = shutil.which(first)
    if found is not None:
        _check_format(first, Path(found))
        return [found, *words[1:]]
    if path.is_dir():
        raise ProgramError(f"{first!r} is a directory without __main__.py")
    if path.is_file():
        if python is not None or _looks_like_python(path):
            return [find_python(python), *words]
        raise ProgramError(f"{shown!r} is not executable; `chmod +x` it or run it with its program")
    raise NoSuchProgram(f"there is no program or script {shown!r}")


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "gone"


def _looks_like_python(path: Path) -> bool:
    first = _first_line(path)
    return first.startswith(b"#!") and b"python" in first


def _check_format(name: str, path: Path) -> None:
    """Refuse what a shell would run as its own script, and the kernel would not.

    Raises:
        ProgramError: it is text without a first line that names an interpreter, or empty.
    """
    first = _first_line(path)
    if first.startswith((b"#!", b"\x7f")):
        return
    try:
        first.decode()
    except UnicodeDecodeError:
        return
    if b"\0" not in first:
        raise ProgramError(
            f"{name!r} does not begin with #!, so nothing says what runs it: name that too, "
            f"like perftui run -- sh {name}"
        )


def _first_line(path: Path) -> bytes:
    """Return how a file begins; nothing of one that may be run but not read."""
    try:
        with path.open("rb") as file:
            return file.readline(200)
    except OSError:
        return b"\x7f"
