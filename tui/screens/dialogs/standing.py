"""Screens that lie over another one, and below which that does not change meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen


def stands_still(screen: Screen[Any]) -> bool:
    """Tell whether what lies below a screen is to stand still: the screen has STANDS_STILL set."""
    return bool(getattr(screen, "STANDS_STILL", False))
