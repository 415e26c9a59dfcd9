"""What a line of a log says about itself: its level, where it names one."""

from __future__ import annotations

import re
from typing import Literal

Level = Literal["calm", "warn", "bad"]

_LEVEL = re.compile(
    r"(?<![A-Za-z])(?:(?P<calm>TRACE|DEBUG|INFO|NOTICE)"
    r"|(?P<warn>WARN(?:ING)?)"
    r"|(?P<bad>ERROR|CRITICAL|FATAL|SEVERE))(?![A-Za-z])"
)
_SHORT = re.compile(
    r"\W{0,2}(?:(?P<calm>[DIV])|(?P<warn>W)|(?P<bad>[EFC]))(?:\d{4} \d|/\w| \d\d:\d\d)"
)
"""As "I1128 12:00" (glog), "[I 12:00" (tornado), "W/tag" (logcat) begin."""
_HEAD = 80
"""A level stands before the message: behind a time, a name and a process, but not far."""


def level_of(text: str) -> Level | None:
    """Return the level that a line names for itself, None if it names none.

    Only the upper case of levels counts, or the word before a colon: "info" in a sentence is none.
    """
    head = text[:_HEAD]
    found = _LEVEL.search(head) or _LEVEL.match(_word_before_colon(head)) or _SHORT.match(head)
    if found is None:
        return None
    name = found.lastgroup
    assert name in ("calm", "warn", "bad")
    return name  # type: ignore[return-value]


def tone_of(text: str) -> Level | None:
    """Return how a line is to be taken: by its level, else by the words of its beginning."""
    level = level_of(text)
    if level is not None:
        return level
    start = text[:200].lower()
    if "error" in start or "traceback" in start or "exception" in start:
        return "bad"
    return "warn" if "warn" in start else None


def _word_before_colon(head: str) -> str:
    word, colon, _ = head.lstrip().partition(":")
    return word.strip("[]() ").upper() if colon and word.strip("[]() ").isalpha() else ""
