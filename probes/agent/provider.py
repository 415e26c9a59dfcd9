"""Makes `import perftui` work in interpreters that lack it.

Where imports can be hooked, the hook provides it at the moment it is asked for, and nothing is
to be seen before. Elsewhere, as in subinterpreters, a finder stands behind all the others.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def provide(load: "Callable[[str, str], Any]") -> None:
    """Load `perftui` unless the program has its own."""
    find: "Any" = sys.modules["_frozen_importlib"]
    if find._find_spec("perftui", None) is None:
        load("api", "perftui")


class PerftuiFinder:
    """Finds `perftui` and nothing else. Last in `sys.meta_path`: an installed one goes first."""

    def __init__(self, spec_of: "Callable[[str, str], Any]") -> None:
        self._spec_of = spec_of

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """Return where perftui is, None for every other module."""
        return self._spec_of("api", name) if name == "perftui" else None


def stand_behind(spec_of: "Callable[[str, str], Any]") -> None:
    """Put a finder behind all the others."""
    sys.meta_path.append(PerftuiFinder(spec_of))
