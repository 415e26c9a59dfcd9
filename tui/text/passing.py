"""What is shown for a while and then goes: the answer to a key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Passing(Generic[T]):
    """Holds the newest thing that was put there, until its time is up.

    Args:
        lasts_s: How long it stays.
        now_s: Seconds of a monotonic clock.
    """

    def __init__(self, lasts_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self.lasts_s = lasts_s
        self._now_s = now_s
        self._held: T | None = None
        self._until_s = 0.0

    def put(self, held: T) -> None:
        """Show something from now on."""
        self._held, self._until_s = held, self._now_s() + self.lasts_s

    @property
    def now(self) -> T | None:
        """What is to be shown now."""
        if self._held is not None and self._now_s() >= self._until_s:
            self._held = None
        return self._held
