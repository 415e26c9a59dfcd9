"""Which Python a command line starts, where that can be told before it is started."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.agent_link.loads_agent import is_python, shebang_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST_CHAIN = 6


def interpreter_of(argv: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Return the path of the interpreter, None if the words do not tell which it is.

    Args:
        argv: The program, a path or a name on the PATH, and its words.
        env: The environment that it is started with, for its PATH.
    """
    search = env.get("PATH", os.defpath)
    words = list(argv)
    for _ in range(_LONGEST_CHAIN):
        found = shutil.which(words[0], path=search)
        if found is None:
            return None
        if is_python(Path(found).name) or is_python(Path(os.path.realpath(found)).name):
            return found
        shebang = shebang_of(found)
        if shebang is not None:
            words = [*" ".join(shebang).split(), found, *words[1:]]
            continue
        # `env -u NAME python`, `nice -n 5 python`: the first word that is the name of a Python.
        at = next((at for at, word in enumerate(words[1:], 1) if is_python(Path(word).name)), None)
        if at is None:
            return None
        words = words[at:]
    return None
