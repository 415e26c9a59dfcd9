"""`NamedTuple` as `typing` has it, at half of what a class costs.

`typing.NamedTuple` compiles the annotation of every field, though nobody asks for them, and each
command of ours makes a hundred such classes before it begins. To a type checker a module says

    if TYPE_CHECKING:
        from typing import NamedTuple
    else:
        from perftui.probes.own.tuples import NamedTuple

and the annotations stay what they are where it begins with `from __future__ import annotations`:
texts.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

_OF_THE_CLASS = frozenset(["__module__", "__qualname__", "__annotations__"])


class _NamedTupleMeta(type):
    """Makes a class of `collections.namedtuple` of what looks like a subclass."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        """Return the tuple class; the one that is derived from is not among its bases."""
        del bases
        annotations = body.get("__annotations__", {})
        defaults = [body[field] for field in annotations if field in body]
        made = namedtuple(name, annotations, defaults=defaults, module=body["__module__"])  # type: ignore[misc]
        made.__annotations__ = annotations
        made.__qualname__ = body["__qualname__"]
        for key, value in body.items():
            if key not in annotations and key not in _OF_THE_CLASS:
                setattr(made, key, value)
        return made


NamedTuple: Any = type.__new__(_NamedTupleMeta, "NamedTuple", (), {"__module__": __name__})
"""To be derived from. A field without a default behind one that has one is a `TypeError`, or
takes another's, as in `collections`: type checkers refuse it."""

made = tuple.__new__
"""`made(Kind, values)` is `Kind(*values)` in half of the time, and knows no defaults nor how many
values there are: for what is made hundreds of times a second."""
