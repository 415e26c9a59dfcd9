"""Asyncio's tasks as they stand when a time is over, not as they were told last."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.session_parts.base import BaseSession

_LIMIT_S = 2.0
_STEP_S = 0.02
_EVER_NS = 1 << 62


def take_last_tasks(session: BaseSession, limit_s: float = _LIMIT_S) -> None:
    """Ask a program that has tasks for them once more, and wait for the list.

    Without change a list may be old, and with many tasks it is told every few seconds.
    """
    if not session.store.tasks(_EVER_NS):
        return
    asked_ns = time.monotonic_ns()
    with suppress(OSError):
        session.list_tasks()
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s and session.target_alive():
            if any(task.t_ns >= asked_ns for task in session.store.tasks(_EVER_NS)):
                return
            time.sleep(_STEP_S)
