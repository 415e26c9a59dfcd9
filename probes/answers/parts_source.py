"""Where the parts are had from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from perftui.probes.answers.parts import Parts


class PartsSource(Protocol):
    """Where the parts are."""

    @property
    def parts(self) -> Parts:
        """As they are, perhaps in the middle of a change: for what never waits."""
        ...

    def held(self) -> AbstractContextManager[Parts]:
        """Return a context in which nothing changes; what came before it is in the parts."""
        ...
