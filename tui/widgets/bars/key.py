"""What a key is: one row of a table for bindings, help, footer and command palette."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.binding import Binding, BindingType

if TYPE_CHECKING:
    from collections.abc import Iterable


class Key(NamedTuple):
    """One thing that a key does."""

    keys: str
    """As Textual names them, comma separated."""
    shown: str
    """As a person reads them."""
    action: str
    label: str
    """For the footer: a word or two."""
    help: str
    group: str
    priority: bool = False


def bindings_of(keys: Iterable[Key]) -> list[BindingType]:
    """Return what Textual needs to know of a table of keys; rows of words only have no binding."""
    return [
        Binding(key.keys, key.action, key.help, show=False, priority=key.priority)
        for key in keys
        if key.keys
    ]
