"""Whether the Python that a program will run in has memray: asked before anything is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.agent_link.interpreter import interpreter_of
from perftui.probes.agent_link.loads_agent import loads_agent
from perftui.probes.text.redact import redact_text
from perftui.probes.text.shell_words import shell_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LIMIT_S = 60.0
_ASK = """\
import sys
if sys.path and not sys.path[0]:
    del sys.path[0]
import json
said = {"version": ".".join(map(str, sys.version_info[:2]))}
try:
    import memray
except ModuleNotFoundError as error:
    said["missing"] = error.name or "memray"
except Exception as error:
    said["broken"] = "%s: %s" % (type(error).__name__, error)
else:
    if not hasattr(memray, "Tracker") or not hasattr(memray, "FileReader"):
        said["broken"] = "%s is another module of that name" % getattr(memray, "__file__", "there")
print("\\n" + json.dumps(said))
"""


class NoMemray(ValueError):
    """Allocations cannot be recorded; the message says why and what to do."""


def memray_of(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Return the path of the interpreter that a command line starts, with memray in it.

    Args:
        argv: The program and its words.
        env: What it is started with.

    Raises:
        NoMemray: it has none, or is no Python that can be looked into.
    """
    program = redact_text(argv[0])
    if not sys.platform.startswith("linux"):
        raise NoMemray("--memray works on Linux only")
    python = interpreter_of(argv, env)
    if python is None:
        raise NoMemray(
            f"--memray needs to know the Python that runs the program, and {program!r} does not "
            "tell: name it, like perftui run --memray -- python script.py"
        )
    if not loads_agent(argv, env):
        raise NoMemray(
            "--memray begins inside the program, and with -I, -E or -S its Python lets nobody in"
        )
    said = _ask(python, env)
    if "missing" in said:
        raise NoMemray(_missing(python, said))
    if "broken" in said:
        raise NoMemray(f"memray cannot be used in {python}: {' '.join(said['broken'].split())}")
    return python


def _ask(python: str, env: Mapping[str, str]) -> dict[str, str]:
    """Ask an interpreter.

    Raises:
        NoMemray: it does not answer.
    """
    try:
        done = subprocess.run(
            [python, "-c", _ASK],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=False,
        )
        lines = done.stdout.decode("utf-8", "replace").strip().split("\n")
        said = json.loads(lines[-1])
    except subprocess.TimeoutExpired:
        raise NoMemray(f"{python} did not say within {_LIMIT_S:g} s if it has memray") from None
    except (OSError, ValueError) as error:
        raise NoMemray(f"{python} cannot be asked if it has memray: {error}") from None
    if not isinstance(said, dict):
        raise NoMemray(f"{python} cannot be asked if it has memray")
    return {name: str(value) for name, value in said.items()}


def _missing(python: str, said: Mapping[str, str]) -> str:
    what = "memray" if said["missing"] == "memray" else f"{said['missing']} of memray"
    if Path(python).absolute().parent == Path(sys.executable).parent:
        return f"{what} is not installed: pip install 'perftui[memray]'"
    return (
        f"{what} is not in the program's Python ({said['version']}): "
        f"{shell_word(python)} -m pip install memray"
    )
