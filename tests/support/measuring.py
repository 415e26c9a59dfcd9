"""Measuring again where a machine that was full for a moment has had its say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Measured = TypeVar("Measured")
TRIES = 6


def measured(
    measure: Callable[[], Measured], holds: Callable[[Measured], object], tries: int = TRIES
) -> Measured:
    """Return the first of some measurements for which something holds, else the last one.

    For shares and times of what really runs: where no CPU can be had for a second, a second is
    missing in all that was to happen in it. What is wrong by itself is so each time. The caller
    asserts what it wants of what is returned, so that the figures are told.
    """
    found = measure()
    for _ in range(tries - 1):
        if holds(found):
            break
        found = measure()
    return found
