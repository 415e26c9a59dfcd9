"""Whether the screen explains itself: once, at the first start of a person.

$PERFTUI_FIRST_LOOK says otherwise: 0 never, 1 at every start.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.own.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VARIABLE = "PERFTUI_FIRST_LOOK"


def is_first_look(env: Mapping[str, str] | None = None) -> bool:
    """Tell whether nobody has seen the screen yet, as far as is known."""
    asked = (os.environ if env is None else env).get(VARIABLE, "")
    if asked:
        return asked != "0"
    with suppress(OSError):
        return not _mark().exists()
    return False


def note_seen() -> None:
    """Remember that the screen was explained; where nothing can be kept it is, once more."""
    with suppress(OSError):
        _mark().parent.mkdir(parents=True, exist_ok=True)
        _mark().touch()


def _mark() -> Path:
    return state_folder() / "screen-seen"
