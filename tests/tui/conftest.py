"""What the tests of the screen share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from support.screens import quiet_pilot

from perftui.tui.text.passing import Passing

if TYPE_CHECKING:
    from collections.abc import Iterator


TERMINALS_OF_PERSONS = ("NO_COLOR", "PERFTUI_ASCII", "LC_ALL", "LC_CTYPE")


@pytest.fixture(autouse=True, scope="session")
def _no_persons_terminal() -> Iterator[None]:
    """Screens look as they do on a terminal with colours and all characters."""
    with pytest.MonkeyPatch.context() as patch:
        for name in TERMINALS_OF_PERSONS:
            patch.delenv(name, raising=False)
        patch.setenv("LANG", "C.UTF-8")
        yield


@pytest.fixture(autouse=True, scope="session")
def _patient() -> Iterator[None]:
    """What a pilot did has been done when it goes on, and answers stay until a test has read them.

    However slow the machine: the screens take an answer away after some seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        quiet_pilot.install(patch)
        patch.setattr(Passing.__init__, "__defaults__", (lambda: time.monotonic() / 100,))
        yield
