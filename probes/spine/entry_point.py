"""Scripts that an installer wrote: they import a package's function and call it, no more.

`bin/gunicorn` is no code of the program's own. Where it lies says little (a project has scripts in
its `bin`, too), so what is in it decides; it is looked at when its code is first met running, since
a recording may be read where there is no such file.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_FOLDERS = ("bin", "Scripts")
_MOST_BYTES = 8192
_MADE_BY_SETUPTOOLS = re.compile(r"^# EASY-INSTALL-ENTRY-SCRIPT: ", re.MULTILINE)
_NAME = r"[A-Za-z_][\w.]*"
_ENTRY = re.compile(rf"from {_NAME} import {_NAME}(?: as {_NAME})?|import {_NAME}")
_CALL = re.compile(
    rf"(?:sys\.exit|raise SystemExit)\((?:{_NAME}|load_entry_point\([^()]*\))\(\)\)|{_NAME}\(\)"
)
_AROUND = re.compile(
    r"import (?:re|sys|re, sys|sys, re|os)"
    r"|__requires__ = .*"
    r"|if __name__ == ['\"]__main__['\"]:"
    r"|(?:el)?if sys\.argv\[0\]\.endswith\(['\"][\w.-]+['\"]\):"
    r"|sys\.argv\[0\] = (?:sys\.argv\[0\](?:\[:-\d+\]|\.removesuffix\(.*\))|re\.sub\(.*\))"
    # A shell that runs the interpreter, where its path is too long for the first line.
    r"|'''exec' .*|' '''"
)


@lru_cache(maxsize=1024)
def is_entry_point(file: str) -> bool:
    """Tell whether a source file is a script that only starts an installed package.

    Args:
        file: As the interpreter calls it. One that cannot be read here is none.
    """
    path = file.replace("\\", "/")
    folder, _, name = path.rpartition("/")
    if name == "__main__.py" and folder.endswith(".exe"):
        return folder.rpartition("/")[0].endswith("/Scripts")  # Windows: a zip behind a program
    if folder.rpartition("/")[2] not in _FOLDERS:
        return False
    script = Path(file)
    try:
        if not script.is_file():
            return False
        with script.open("rb") as lines:
            text = lines.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return False
    return len(text) <= _MOST_BYTES and calls_an_entry_point(text.decode("utf-8", "replace"))


def calls_an_entry_point(text: str) -> bool:
    """Tell whether a script does nothing but import a function and exit with what it returns."""
    if _MADE_BY_SETUPTOOLS.search(text):
        return True
    entries = calls = 0
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if calls:
            return False
        if _CALL.fullmatch(line):
            calls += 1
        elif _AROUND.fullmatch(line):
            continue
        elif _ENTRY.fullmatch(line):
            entries += 1
        else:
            return False
    return calls == 1 and entries == 1
