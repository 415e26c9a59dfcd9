"""Each call is one of our own commands: a process of its own, which ends, whatever it was asked.

Only commands that read are called, and only with options that do not write. What they print is the
answer; one that is too long is refused with what to ask for instead.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from typing import Any, Literal

from perftui.probes.own.python import own_module

Reading = Literal["list", "summary", "explain", "query", "compare"]

LIMIT_S = 60.0
"""A comparison of long recordings takes the longest."""
NOT_RECORDED = "perftui: not recorded: "
_READ_BYTES = 1 << 16
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
        done = _run(own_module("perftui", command, *words), limit_s)
    except subprocess.TimeoutExpired:
        raise Failed(f"{command}: no answer after {limit_s:g} s; ask for less") from None
    except OSError as error:
        raise Failed(f"{command}: {error.strerror or error}") from error
    if len(done.stdout) > LIMIT_BYTES:
        size = f"{LIMIT_BYTES / 1e6:.1f} MB"
        raise Failed(f"{command}: the answer has more than {size}; ask for fewer rows or columns")
    if done.returncode not in (0, 3):  # 3: an answer that decides nothing
        line = done.stderr.decode(errors="replace").strip().splitlines() or [f"{command} failed"]
        raise Failed(line[-1].removeprefix("perftui: "))
    if done.stdout.split() == [b"[", b"]"]:
        for remark in done.stderr.decode(errors="replace").splitlines():
            if remark.startswith(NOT_RECORDED):  # an empty answer would say that nothing was
                raise Failed(remark.removeprefix("perftui: "))
    return done.stdout.decode(errors="replace")


def _run(argv: list[str], limit_s: float) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, or until it has said more than anybody wants.

    Raises:
        TimeoutExpired: it was ended, as it took too long.
    """
    until_s = time.monotonic() + limit_s
    said: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            with selectors.DefaultSelector() as selector:
                for name in said:
                    selector.register(getattr(process, name), selectors.EVENT_READ, name)
                while selector.get_map() and len(said["stdout"]) <= LIMIT_BYTES:
                    left_s = until_s - time.monotonic()
                    if left_s <= 0:
                        raise subprocess.TimeoutExpired(argv, limit_s)
                    for key, _ in selector.select(left_s):
                        data = os.read(key.fd, _READ_BYTES)
                        if not data:
                            selector.unregister(key.fileobj)
                        said[key.data] = (said[key.data] + data)[: LIMIT_BYTES + 1]
            if len(said["stdout"]) > LIMIT_BYTES:
                process.kill()
            code = process.wait(max(until_s - time.monotonic(), 0.1))
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(argv, code, said["stdout"], said["stderr"])


def asked_json(command: Reading, *words: str, limit_s: float = LIMIT_S) -> Any:
    """Return what a command prints as JSON; see `asked`."""
    text = asked(command, *words, limit_s=limit_s)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failed(f"{command}: no JSON came: {text[:200]!r}") from error
