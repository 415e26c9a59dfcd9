"""Regular expressions that are compiled when they are first used, not when they are imported.

Compiling takes a millisecond for a long one, and a command uses few of those that it imports.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Pattern:
    """Becomes the pattern at the first look at one of its methods."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Take the method from the compiled pattern; it is found at once from then on."""
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` would, for its methods and attributes; nothing is compiled yet."""
    return cast("re.Pattern[str]", _Pattern(source, flags))
