"""Each call is one of our own commands: a process of its own, which ends, whatever it was asked.

Only commands that read are called, and only with options that do not write. What they print is the
answer; one that is too long is refused with what to ask for instead.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any, Literal

from perftui.probes.own.python import own_module

Reading = Literal["list", "summary", "explain", "query", "compare"]

LIMIT_S = 60.0
"""A comparison of long recordings takes the longest."""
LIMIT_BYTES = 400_000
"""Of an answer: about a hundred thousand tokens, more than an agent has use for."""


class Failed(Exception):
    """The command has no answer; the text is its own line."""


def asked(command: Reading, *words: str, limit_s: float = LIMIT_S) -> str:
    """Return what a command prints.

    Args:
        command: Its name.
        words: What follows. Nothing of an agent's own is an option here: see `server`.
        limit_s: It is ended after so long.

    Raises:
        Failed: it ended with an error, was too slow, or said too much.
    """
    try:
        done = subprocess.run(
            own_module("perftui", command, *words),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command}: no answer after {limit_s:g} s; ask for less") from None
    except OSError as error:
        raise Failed(f"{command}: {error.strerror or error}") from error
    if done.returncode not in (0, 3):  # 3: an answer that decides nothing
        line = done.stderr.decode(errors="replace").strip().splitlines() or [f"{command} failed"]
        raise Failed(line[-1].removeprefix("perftui: "))
    if len(done.stdout) > LIMIT_BYTES:
        size = f"{len(done.stdout) / 1e6:.1f} MB"
        raise Failed(f"{command}: the answer has {size}; ask for fewer rows or columns")
    return done.stdout.decode(errors="replace")


def asked_json(command: Reading, *words: str, limit_s: float = LIMIT_S) -> Any:
    """Return what a command prints as JSON; see `asked`."""
    text = asked(command, *words, limit_s=limit_s)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failed(f"{command}: no JSON came: {text[:200]!r}") from error
