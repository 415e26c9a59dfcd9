"""Whose code is a frame: the one place that decides what is the program's own.

Told by where the file was when it ran, which is all that a recording has of it: below
site-packages or dist-packages it is installed, below a `lib/python3.x` the standard library's,
and everything else that has a file is the program's own, wherever its project lies: also when
that is below sys.prefix, as with an environment inside of the project, or the other way round.
A script that an installer wrote to start a package is the package's (`spine.entry_point`).
Code without a file is nobody's, unless it was typed: that of `-c`, of a prompt, of a notebook.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from perftui.probes.spine.calltree import installed_path, is_stdlib, own_path, package_of

if TYPE_CHECKING:
    from perftui.probes.spine.calltree import Frame

Whose = Literal["yours", "stdlib", "installed", "runner", "unknown"]
"""`runner`: of perftui itself, which runs in the program. `unknown`: nobody can say."""
LIBRARIES: frozenset[Whose] = frozenset({"stdlib", "installed", "runner"})
"""What folds."""

_TYPED = (
    *("<string>", "<stdin>", "<console>", "<ipython-input", "<python-input", "<cell"),
    "<script>",  # what a sub-interpreter is given
)
_STARTS_WORKER = ("spawn_main", "main")
_ZIPPED = re.compile(r".*/python3\d+\.zip/")
_BUILD_TREE = re.compile(r".*/Lib/(\w+)(?:/|\.py$)")
"""The standard library where CPython was built and not installed, and on Windows."""
_OURS = ("probes/", "tui/")
_BINARY = re.compile(r"\.(?:so|dylib|dll|pyd)\b")


def whose(frame: Frame) -> Whose:
    """Tell whose code a frame is."""
    if frame.kind in ("elided", "import"):
        return "unknown"
    if frame.kind == "entry":
        return "installed"
    return _whose(frame.function, frame.file, frame.kind == "native")


def starts_worker(frame: Frame) -> bool:
    """Tell whether a frame is the start of a worker of multiprocessing, or of its trackers.

    The `-c` that it stands in was written by multiprocessing, and is no code of the program's.
    """
    name = frame.function.rpartition(".")[2]
    return name in _STARTS_WORKER and package_of(frame.module) == "multiprocessing"


@lru_cache(maxsize=16384)
def _whose(function: str, file: str, native: bool) -> Whose:
    if not file:
        return "unknown"
    if file.startswith("<"):
        if is_stdlib(file):
            return "stdlib"
        generated = function.startswith("__") and function.endswith("__")
        return "yours" if file.startswith(_TYPED) and not generated else "unknown"
    if is_stdlib(file) or _is_stdlib_elsewhere(file.replace("\\", "/")):
        return "stdlib"
    installed = installed_path(file)
    if installed is not None and not installed.startswith("perftui/"):
        return "installed"
    inside = own_path(file)
    if inside is not None and inside.startswith(_OURS):
        return "runner"  # but what is in the catalogue is the program, when it is run
    if native and (_BINARY.search(file) or "/" not in file):
        return "unknown"  # the C library, the interpreter, a build folder that is not here
    return "yours"


def _is_stdlib_elsewhere(path: str) -> bool:
    if _ZIPPED.match(path):
        return True
    found = _BUILD_TREE.match(path)
    return found is not None and found[1] in sys.stdlib_module_names


def library_of(frame: Frame) -> str:
    """Name the library of a frame in one word: its package; "" if it has none."""
    if whose(frame) == "runner":
        return "perftui"
    return package_of(frame.module)
