"""What is measured: a program, a function in a file, or a scenario; and how a run of it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Subject:
    """Something of which every lab run is a fresh process."""

    key: str
    """What a baseline knows it by: scenario and parameters, or the command as it was written."""
    argv: tuple[str, ...]
    folder: str | None = None
    """Where it is started; None: where we are."""
    environ: Mapping[str, str] | None = None
    """Its environment; None: ours."""
    kept: bool = False
    """It is a function that one process calls again and again: cold, then warm."""
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.key
