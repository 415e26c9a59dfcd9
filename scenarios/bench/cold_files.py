"""Cold page cache: before each run the files that the program touched are dropped from memory.

Which files: those that it maps, and has open at a few looks, the words of its command line that
are files, and the source and bytecode of all modules that it imported, found on its interpreter's
path. No rights are needed (posix_fadvise). Pages that other processes map stay: of the interpreter
and its library, which perftui itself uses, little is ever cold. What is read through other files
(a database's own process, directories) is not known, and stays.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.agent_link.loads_agent import is_python
from perftui.probes.own.python import code_beside_packages
from perftui.probes.text.units import format_bytes
from perftui.scenarios.data.page_cache import forget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.scenarios.bench.subject import Subject

_MAPPED = re.compile(r"^\S+ \S+ \S+ \S+ [1-9]\d* +(/.*)$", re.MULTILINE)
_GONE = " (deleted)"
_ASK = "import json, sys; print(json.dumps(sys.path))"
_ASK_S = 30.0
_READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
"""Of a private mapping, which nobody writes to: ctypes takes no address of a read-only one."""


class ColdFiles:
    """The files of one subject; they become more with each run that is looked at."""

    def __init__(self, subject: Subject) -> None:
        self.files: set[str] = set()
        self._modules: set[str] = set()
        self._folder = Path(subject.folder or Path.cwd())
        for word in subject.argv[1:]:
            self._add(self._folder / word)
        self._path = _search_path(subject, self._folder)

    def look(self, pid: int) -> None:
        """Take what a process maps and has open now."""
        with suppress(OSError):
            self.files.update(
                path
                for path in _MAPPED.findall(Path(f"/proc/{pid}/maps").read_text())
                if not path.endswith(_GONE) and not path.startswith(("/dev/", "/memfd:"))
            )
        with suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    self._add(Path(os.readlink(entry.path)))  # noqa: PTH115

    def take_modules(self, modules: Iterable[str]) -> None:
        """Take the modules that a run imported."""
        for module in modules:
            if module in self._modules:
                continue
            self._modules.add(module)
            parts = module.split(".")
            for place in self._path:
                package = place.joinpath(*parts)
                if (package / "__init__.py").is_file():
                    self._add_source(package / "__init__.py")
                    break
                source = package.with_name(package.name + ".py")
                if source.is_file():
                    self._add_source(source)
                    break

    def forget(self) -> None:
        """Drop them from the page cache."""
        forget(Path(file) for file in sorted(self.files))

    def told(self) -> str:
        """Drop them, and say how much of them that was, and how much stays all the same."""
        self.forget()
        whole = stays = 0
        for file in self.files:
            with suppress(OSError, ValueError):
                whole += os.stat(file).st_size  # noqa: PTH116
                stays += resident_bytes(file)
        text = f"{len(self.files)} files of {format_bytes(whole)} are dropped before each run"
        return f"{text}; {format_bytes(stays)} of them stay: other processes use them"

    def _add(self, path: Path) -> None:
        with suppress(OSError):
            if path.is_file():
                self.files.add(str(path.resolve()))

    def _add_source(self, source: Path) -> None:
        self._add(source)
        for compiled in (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc"):
            self._add(compiled)


def resident_bytes(file: str) -> int:
    """Return how much of a file is in the page cache: mincore(2).

    Raises:
        OSError: it cannot be read, or the kernel does not say.
        ValueError: it is empty.
    """
    page = mmap.PAGESIZE
    with (
        open(file, "rb") as opened,  # noqa: PTH123
        mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=_READ_WRITE) as mapped,
    ):
        pages = -(-len(mapped) // page)
        told = (ctypes.c_ubyte * pages)()
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        libc = ctypes.CDLL(None, use_errno=True)
        asked = libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(len(mapped)), told)
        if asked != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    return page * sum(each & 1 for each in told)


def _search_path(subject: Subject, folder: Path) -> list[Path]:
    """Return where a subject's interpreter looks for modules, its own folder first."""
    own = [folder, *((folder / word).parent for word in subject.argv[1:] if word.endswith(".py"))]
    python = subject.argv[0]
    if not is_python(Path(python).name):
        return own
    try:
        done = subprocess.run(
            code_beside_packages(python, _ASK),
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            stdin=subprocess.DEVNULL,
        )
        said = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return own
    environ = os.environ if subject.environ is None else subject.environ
    named = [Path(entry) for entry in environ.get("PYTHONPATH", "").split(":") if entry]
    return own + named + [Path(entry) for entry in said if isinstance(entry, str) and entry]
