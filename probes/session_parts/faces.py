"""What a session asks of those that measure from outside, be they here or at a far end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Metrics(Protocol):
    """CPU and memory of the tree."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """Read a last time, and end."""
        ...

    def others(self) -> Sequence[tuple[int, tuple[str, ...]]]:
        """Return pid and command line of who lives besides the root."""
        ...


class Stacks(Protocol):
    """Stacks of the tree."""

    @property
    def from_outside(self) -> bool:
        """Whether a sampler was started."""
        ...

    def start(self) -> None:
        """Begin, or say why not."""
        ...

    def stop(self) -> None:
        """Take the last ones."""
        ...

    def renew(self) -> None:
        """The target has become another program by exec."""
        ...

    def open_gate(self) -> None:
        """Let a program that waits for us go on."""
        ...

    def take_at(self, rate_hz: float) -> None:
        """Aim at another rate from now on, where the own sampler takes them."""
        ...
