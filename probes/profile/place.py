"""What code is called and where it is, in the fewest words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import is_stdlib, module_of
from perftui.probes.text.python_words import what_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MAIN = "__main__"


def is_installed(file: str) -> bool:
    """Tell whether a source file belongs to an installed package or to the standard library."""
    return "/site-packages/" in file or "/dist-packages/" in file or is_stdlib(file)


def place_of(module: str, file: str, line: int) -> str:
    """Say where code is: module for installed packages, file name for one's own code."""
    place = module if is_installed(file) else file_name(file)
    return f"{place}:{line}" if line else place


def in_words(function: str, file: str, line: int) -> str:
    """Say a place in code: "enrich etl.py:21", "top level etl.py:3"."""
    name = file_name(file)
    shown = name_in_words(function, file)
    return f"{shown} {name}:{line}".lstrip() if name else shown


def name_in_words(function: str, file: str) -> str:
    """Say what a function is called; the code of a module, which has no name of its own, as
    "import pandas.core" of what is installed and "top level" of the program's own."""
    if function != "<module>" or not file:
        return function
    return called(function, file) if is_installed(file) else "top level"


def listed(functions: Iterable[str]) -> str:
    """Say which functions of the program's own, where their files are not told."""
    return ", ".join("top level" if name == "<module>" else name for name in functions)


def file_name(path: str) -> str:
    """Return the last part of a path of any system."""
    return path.replace("\\", "/").rpartition("/")[2]


def called(function: str, file: str, mains: Collection[str] = ()) -> str:
    """Say what a function is called; the code of a module is named by what ran it.

    Args:
        function: As the sampler read it.
        file: Of its source.
        mains: File names of programs' main modules, from `mains_of`.

    Returns:
        `import pandas.core` for the code of a module, `__main__` for that of the program.
    """
    if function != "<module>":
        return function
    name = file_name(file)
    if not name or name.startswith("<") or name in mains or name == "__main__.py":
        return MAIN
    module = module_of(file)
    if module == "__init__":
        module = file_name(file.replace("\\", "/").rpartition("/")[0])
    return f"import {module}" if module else function


def called_anywhere(function: str, file: str) -> str:
    """Say the same where nobody tells what the program's main module is: of one's own files a
    module may be that."""
    return called(function, file) if is_installed(file) else function


def mains_of(argvs: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return the file names of the main modules that command lines run."""
    return frozenset(name for argv in argvs if (name := _main_of(argv)))


def _main_of(argv: Sequence[str]) -> str:
    words = iter(argv)
    while True:
        option, word = what_runs(words)
        if option == "-m":
            return word.rpartition(".")[2] + ".py"
        if option == "-c":
            return ""
        if not file_name(word).startswith("python"):
            return file_name(word)
