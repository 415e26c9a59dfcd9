"""Our `NamedTuple` is what `typing.NamedTuple` would have made."""

from __future__ import annotations

import pickle
import typing

from perftui.probes.own import tuples
from perftui.probes.spine.records import Metric

if typing.TYPE_CHECKING:
    from typing import NamedTuple as Ours
else:
    Ours = tuples.NamedTuple


class Lean(Ours):
    """What it is."""

    t_ns: int
    name: str | None = None
    """Not a text of the class."""

    @property
    def doubled(self) -> int:
        return 2 * self.t_ns

    @classmethod
    def of(cls, name: str) -> Lean:
        return cls(1, name)


class Typical(typing.NamedTuple):
    """What it is."""

    t_ns: int
    name: str | None = None


def test_it_is_a_tuple_with_names_defaults_and_methods() -> None:
    assert Lean(3) == Typical(3) == (3, None)
    assert Lean.of("n") == (1, "n")
    assert Lean(3).doubled == 6
    assert repr(Lean(3)) == "Lean(t_ns=3, name=None)"
    for name in ("_fields", "_field_defaults", "__doc__", "__bases__", "__match_args__"):
        assert getattr(Lean, name) == getattr(Typical, name), name
    assert (Lean.__module__, Lean.__qualname__) == (__name__, "Lean")
    assert pickle.loads(pickle.dumps(Lean(3, "n"))) == (3, "n")


def test_annotations_are_the_texts_of_the_module() -> None:
    assert Lean.__annotations__ == {"t_ns": "int", "name": "str | None"}
    assert typing.get_type_hints(Metric)["cpu_s"] is float
