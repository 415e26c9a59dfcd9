"""Where perftui keeps what it keeps, by the XDG rules."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Generated data: $PERFTUI_CACHE, else $XDG_CACHE_HOME/perftui, else ~/.cache/perftui."""
    own = os.environ.get("PERFTUI_CACHE")
    return Path(own).expanduser() if own else _below("XDG_CACHE_HOME", ".cache")


def config_folder() -> Path:
    """Settings: $XDG_CONFIG_HOME/perftui, else ~/.config/perftui."""
    return _below("XDG_CONFIG_HOME", ".config")


def _below(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    # A relative path is invalid by the XDG rules and is ignored.
    folder = Path(base) if Path(base).is_absolute() else Path.home() / default
    return folder / "perftui"
