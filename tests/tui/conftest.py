"""What the tests of the screen share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.screens import quiet_pilot

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="session")
def _quiet_pilot() -> Iterator[None]:
    """What a pilot did has been done when it goes on, however slow the machine."""
    with pytest.MonkeyPatch.context() as patch:
        quiet_pilot.install(patch)
        yield
