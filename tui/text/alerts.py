"""An alert in words."""

from __future__ import annotations

_SINCE = ("so far", "in all")
"""So end the words by which an alert is brought up to date (`detect.lasting`)."""


def newest_first(message: str) -> str:
    """Return an alert's words with what was learned since in front, where it is not cut off."""
    before, _, since = message.rpartition("; ")
    return f"{since}; {before}" if before and since.endswith(_SINCE) else message
