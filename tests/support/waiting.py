"""Waiting in tests for what must come, with the patience that a busy machine asks for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 60.0


def wait_for(
    condition: Callable[[], object],
    what: str = "it never happened",
    *,
    limit_s: float = PATIENCE_S,
) -> None:
    """Wait until something holds; fail with `what` if it does not come."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)
