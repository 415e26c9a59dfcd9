"""Waiting for what must come: with patience for a starved machine, and by what is whole."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 60.0
"""Nothing of ours takes as long, whoever else is on the machine; a hang is found all the same."""


def wait_for(
    holds: Callable[[], object], what: str = "it never happened", limit_s: float = PATIENCE_S
) -> None:
    """Return when something holds; fail with `what` if it does not come."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def whole_line(path: Path) -> str:
    """Return the first line that another process writes to a file, once it is there whole.

    A file exists before anything is in it: who waits for its name reads nothing, or a half.
    """

    def written() -> str:
        try:
            text = path.read_text()
        except FileNotFoundError:
            return ""
        line, end, _ = text.partition("\n")
        return line if end else ""

    wait_for(written, f"no whole line in {path}")
    return written()


def has_ended(pid: int) -> bool:
    """Tell whether a process does nothing any more, also while nobody has asked how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return True
