"""What travels: the modules of the far end in one archive, and the line of shell that begins it."""

from __future__ import annotations

import io
import shlex
import zipfile
from pathlib import Path

_PROBES = Path(__file__).absolute().parents[1]
"""Not resolved: in a strict editable install this is a folder of links."""
_MODULES = (
    "machine/cores.py",
    "machine/memory.py",
    "machine/rights.py",
    "own/child_status.py",
    "own/pattern.py",
    "own/python.py",
    "own/tuples.py",
    "process/*.py",
    "remote/frames.py",
    "remote/far/*.py",
    "resident/*.py",
    "sampler/**/*.py",
    "spine/*.py",
    "stacks/procfs.py",
    "target/target.py",
    "text/redact/*.py",
    "text/*.py",
    "version.py",
)
_AT_HOME = ("process/running.py",)
"""Needs psutil, and nobody asks for it there."""
NO_PYTHON = 97
"""Exit code of the line of shell below where it finds none."""
_MARK = "perftui: no python"
_CANDIDATES = (
    "python3",
    *(f"python3.{minor}" for minor in range(15, 8, -1)),
    "python",
    "/usr/local/bin/python3",
    "/opt/venv/bin/python",
)
_ENOUGH = "import sys;sys.exit(sys.version_info<(3,9))"
_SAY = "import sys;sys.stdout.write(sys.version.split()[0])"
_TAKE = 'import sys;f=open(0,"rb");exec(f.read(int(f.readline())))'


def archive() -> bytes:
    """Return the modules of the far end as a zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        folders = {"perftui", "perftui/probes"}
        for path in sorted({path for name in _MODULES for path in _PROBES.glob(name)}):
            name = path.relative_to(_PROBES).as_posix()
            if name in _AT_HOME:
                continue
            whole = f"perftui/probes/{name}"
            folders.update(str(folder) for folder in Path(whole).parents if folder.name)
            file.writestr(_entry(whole), path.read_bytes())
        for folder in sorted(folders):
            init = f"{folder}/__init__.py"
            if init not in file.namelist():
                file.writestr(_entry(init), b"")  # the words in it are for readers
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of 1980: no two archives differ by when they were made
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def first_words() -> bytes:
    """Return what the far end's Python reads first: the loader, then the archive."""
    loader = (_PROBES / "remote" / "far" / "loader.py").read_bytes()
    packed = archive()
    return b"%d\n%s%d\n%s" % (len(loader), loader, len(packed), packed)


def shell_line(python: str | None = None, pid: int | None = None) -> str:
    """Return the line that finds a Python there and has it read `first_words`.

    One line, for any shell that a person may log in with: it hands all to `sh`.

    Args:
        python: The one to take; None: the first that is new enough, by name or as the target's.
        pid: The target, whose own interpreter is tried last.
    """
    names = " ".join(map(shlex.quote, _CANDIDATES if python is None else (python,)))
    own = "" if pid is None or python is not None else _own_python(pid)
    take = shlex.quote(_TAKE)
    script = (
        f"for p in {names}{own}; do "
        'if command -v "$p" >/dev/null 2>&1; then '
        f'if "$p" -c \'{_ENOUGH}\' 2>/dev/null </dev/null; then exec "$p" -I -S -c {take}; fi; '
        f'o="$o $("$p" -c \'{_SAY}\' 2>/dev/null </dev/null)"; '
        "fi; done; "
        f'echo "{_MARK}$o" >&2; exit {NO_PYTHON}'
    )
    return f"exec sh -c {shlex.quote(script)}"


def _own_python(pid: int) -> str:
    """Return shell that names the target's interpreter, nothing if it is no Python's."""
    return f" $(readlink /proc/{pid}/exe 2>/dev/null | grep python)"


def what_was_found(stderr: str) -> list[str] | None:
    """Return the versions of the Pythons that are there, all too old; None if it is not that."""
    for line in stderr.splitlines():
        if line.startswith(_MARK):
            return sorted(set(line.removeprefix(_MARK).split()))
    return None
