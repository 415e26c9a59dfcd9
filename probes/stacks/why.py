"""Why stacks are py-spy's: said once, as a notice, and found again in what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.spine.records import Notice

_SAID = re.compile(r"stacks (?:of process (\d+) )?by py-spy(?: from here on)?: (.+)", re.DOTALL)


def from_the_start(why: str) -> str:
    """Return what is said if the own sampler is not asked at all."""
    return f"stacks by py-spy: {why}"


def of_process(pid: int, why: str) -> str:
    """Return what is said if the own sampler refuses a process."""
    return f"stacks of process {pid} by py-spy: {why}"


def from_now_on(why: str) -> str:
    """Return what is said if the own sampler has failed."""
    return f"stacks by py-spy from here on: the own sampler failed: {why}"


def why_py_spy(notices: Iterable[Notice], pid: int) -> str | None:
    """Return why a target's stacks are not the own sampler's, the last of what was said.

    Args:
        notices: All of the session.
        pid: The target's.
    """
    why = None
    for notice in notices:
        said = _SAID.fullmatch(notice.text)
        if said is not None and said[1] in (None, str(pid)):
            why = said[2]
    return why
