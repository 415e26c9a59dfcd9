"""The decorator that makes a function a scenario. It changes nothing about the function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")
_ATTRIBUTE = "__perftui_scenario__"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a scenario says about itself."""

    name: str
    summary: str
    """One line: what it does."""
    shows: str = ""
    """What the viewer learns by watching it."""
    requires: tuple[str, ...] = ()
    """Modules that must be importable in the target's interpreter."""
    uses: tuple[str, ...] = ()
    """Modules that only some values of its parameters need."""


def scenario(
    name: str,
    *,
    summary: str,
    shows: str = "",
    requires: tuple[str, ...] = (),
    uses: tuple[str, ...] = (),
) -> Callable[[_F], _F]:
    """Mark a function as a scenario; its keyword parameters become those of the scenario."""
    definition = Definition(name, summary, shows, requires, uses)

    def mark(function: _F) -> _F:
        setattr(function, _ATTRIBUTE, definition)
        return function

    return mark


def definition_of(function: Callable[..., Any]) -> Definition:
    """What the decorator was told, or for a plain function its name and first docstring line."""
    found = getattr(function, _ATTRIBUTE, None)
    if isinstance(found, Definition):
        return found
    doc = (function.__doc__ or "").strip()
    return Definition(function.__name__, doc.splitlines()[0] if doc else "")
