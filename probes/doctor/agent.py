"""Doctor's check of the agent: a program is launched, and what it says must arrive."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import Any

from perftui.probes.agent_link.launch import agent_environment
from perftui.probes.doctor.checks import Check

_PROGRAM = """\
import perftui
with perftui.phase("doctor"):
    import colorsys
"""
"""The module is one that no interpreter needs for itself."""
_LIMIT_S = 20.0


def check_agent() -> list[Check]:
    """Launch our own interpreter and those that `python3` and `python` name, as `run` would."""
    checks: dict[str, Check] = {}
    for name in (None, "python3", "python"):
        path = sys.executable if name is None else shutil.which(name)
        if path:
            # A shim is no interpreter; which one it started, that one says itself.
            interpreter, check = try_agent(path)
            checks.setdefault(interpreter, check if name is None else _renamed(check, name))
    return list(checks.values())


def _renamed(check: Check, name: str) -> Check:
    return check._replace(name=f"agent, {name}")


def try_agent(python: str) -> tuple[str, Check]:
    """Launch one interpreter with the agent and wait for an import and a phase of its program.

    Returns the path by which the interpreter knows itself, and what came of it.
    """
    loss = "no imports, phases, calls and counts of programs that it runs"
    remedy = f"try it: perftui run --headless -- {python} -c 'import json'"
    try:
        exit_code, said, stderr = _launch(python)
    except (OSError, subprocess.TimeoutExpired) as error:
        return python, Check("agent", "warn", f"{python} does not run: {error}", loss, remedy)
    hello = next((line for line in said if line.get("k") == "hello"), None)
    if hello is None:
        found = f"nothing was heard from {python} ({_last(stderr) or f'exit code {exit_code}'})"
        return python, Check("agent", "warn", found, loss, remedy)
    interpreter = str(hello.get("executable"))
    name = f"Python {hello.get('python')}, {interpreter}"
    if exit_code:
        found = f"a program failed under {name}: {_last(stderr)}"
        return interpreter, Check("agent", "fail", found, loss, remedy)
    problems = [str(line.get("text")) for line in said if line.get("k") in ("error", "notice")]
    imports = any(line.get("module") == "colorsys" for line in said)
    phases = any(line.get("name") == "doctor" for line in said)
    if imports and phases and not problems:
        return interpreter, Check("agent", "ok", f"an import and a phase arrived from {name}")
    lost = [word for word, came in (("imports", imports), ("phases", phases)) if not came]
    found = f"{' and '.join(lost) or 'something'} did not arrive from {name}"
    return interpreter, Check("agent", "warn", found, "; ".join(problems) or loss, remedy)


def _launch(python: str) -> tuple[int, list[dict[str, Any]], str]:
    """Return the exit code, what the agent said, and stderr."""
    # Neither the person's PYTHONPATH nor the folder one stands in is what is to be tried.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment, fds, channel = agent_environment(clean)
    try:
        process = subprocess.Popen(
            [python, "-c", _PROGRAM],
            env=environment,
            pass_fds=fds,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        channel.close_child_ends()
        channel.open_gate()
        try:
            _, stderr = process.communicate(timeout=_LIMIT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        return process.returncode, _lines(channel.read_fd), stderr.decode("utf-8", "replace")
    finally:
        channel.close()


def _lines(fd: int) -> list[dict[str, Any]]:
    """Read what is in the pipe now; the few lines of such a program always fit."""
    data = b""
    with suppress(BlockingIOError):
        while more := os.read(fd, 1 << 16):
            data += more
    lines = []
    for line in data.splitlines():
        with suppress(ValueError):
            lines.append(json.loads(line))
    return lines


def _last(text: str) -> str:
    return next(iter(text.strip().splitlines()[-1:]), "")
