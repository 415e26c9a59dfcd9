"""The question before the agent is brought into a program that runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from perftui.probes.agent_link.injection.able import NotInjectable, injectable
from perftui.tui.errors import UserError
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from perftui.probes.agent_link.injection.able import Injectable

_YES = ("y", "yes")


def agreed(pid: int, *, yes: bool) -> Injectable | None:
    """Return how the agent comes into a process; None if a person would rather not.

    Args:
        pid: Which.
        yes: It was said that nobody is to be asked.

    Raises:
        UserError: it cannot come, or nobody can be asked.
        ProcessGone: there is no such process.
    """
    from perftui.probes.process.face import ProcessGone

    if not os.path.exists(f"/proc/{pid}") and sys.platform.startswith("linux"):  # noqa: PTH110
        raise ProcessGone(pid)
    try:
        target = injectable(pid)
    except NotInjectable as error:
        raise UserError(str(error)) from error
    if yes:
        return target
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("--inject runs code of ours in that process: without a terminal, add --yes")
    tell(
        f"perftui: --inject runs perftui's agent inside process {pid} (Python {target.version}): "
        "it times imports, phases and pools there, and takes itself out when perftui leaves. "
        "Go on? [y/N] ",
        end="",
    )
    try:
        said = sys.stdin.readline()
    except KeyboardInterrupt:
        tell("")
        raise
    return target if said.strip().lower() in _YES else None
