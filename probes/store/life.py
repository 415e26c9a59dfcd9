"""The session as it goes on: what is watched, since when, and what it does now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.reader import State, Target
    from perftui.probes.spine.records import Exit


class Life:
    """Of a live session.

    Args:
        target: What is watched.
        clock: Returns the session's time in nanoseconds.
    """

    def __init__(self, target: Target, clock: Callable[[], int]) -> None:
        self.target = target
        self.rest_ns: int | None = None
        """Since when the target has waited for a person, None while it works."""
        self.now_ns = clock
        self.t_start_ns = clock()

    def state(self, exit_: Exit | None, *, measured: bool) -> tuple[State, int]:
        """Return the state and the latest moment known."""
        if exit_ is not None:
            return "exited", exit_.t_ns
        if self.rest_ns is not None:
            return "waiting", self.rest_ns
        return "live" if measured else "starting", self.now_ns()
