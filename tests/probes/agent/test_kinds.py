"""How large arrays and tables of libraries are: a view keeps the memory of the whole."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perftui.probes.agent.growth import kinds, pace


def deep_sizes(*entries: Any) -> list[int]:
    """Return the sizes of entries of a container, looked into one after the other."""
    known, seen = kinds.Kinds(), set[int]()
    walk = pace.Slices(gc, 30.0, 10**6, lambda: False)
    return [known.deep_size((each,), gc.get_referents, 400, seen, walk) for each in entries]


def test_a_view_of_numpy_keeps_its_base_and_two_of_one_base_keep_it_once() -> None:
    first, second = np.ones(10_000), np.ones(10_000)
    sizes = deep_sizes(first[:2], first[4:8], second.reshape(100, 100)[:2, :3])
    assert sizes == [80_000, 0, 80_000]
    assert deep_sizes(first) == [80_000]


def test_an_array_of_a_derived_class_is_an_array_and_has_what_it_has() -> None:
    class Quantity(np.ndarray[Any, Any]):
        unit: object

        @property
        def nbytes(self) -> int:
            raise AssertionError("the program's own was called")

        @property
        def base(self) -> object:
            raise AssertionError("the program's own was called")

    made = np.ones(10_000).view(Quantity)
    made.unit = bytes(30_000)
    assert 110_000 < deep_sizes(made)[0] < 111_000
    masked = np.ma.ones(10_000)
    masked.mask = True
    assert 90_000 < deep_sizes(masked)[0] < 92_000


@pytest.mark.parametrize("form", ["table", "batch", "column"])
def test_a_slice_of_arrow_keeps_the_buffers_of_the_whole(form: str) -> None:
    tables = [pa.table({"n": pa.array(range(n, n + 10_000))}) for n in range(2)]
    made: list[Any] = tables
    if form == "batch":
        made = [table.to_batches()[0] for table in tables]
    elif form == "column":
        made = [table["n"] for table in tables]
    first, second = made
    whole, again, other = deep_sizes(first.slice(0, 10), first.slice(5, 2), second.slice(3, 1))
    assert (whole, again, other) == (deep_sizes(first)[0], 0, deep_sizes(second)[0])
    assert whole >= 80_000


def test_what_ctypes_has_made_and_what_it_keeps() -> None:
    class Held(ctypes.Structure):
        _fields_ = (("text", ctypes.c_char_p),)

    buffer = ctypes.create_string_buffer(50_000)
    held = Held(b"x" * 70_000)
    view = (ctypes.c_char * 100).from_buffer(buffer)
    sizes = deep_sizes(buffer, view, held)
    assert sizes[0] > 50_000
    assert sizes[1] < 1_000
    assert 70_000 < sizes[2] < 72_000


def test_a_table_with_very_many_columns_is_told_at_once() -> None:
    wide = pa.table({f"c{n}": [1] for n in range(kinds.MOST_CHUNKS + 1)})
    assert deep_sizes(wide) == [wide.get_total_buffer_size()]


def test_a_class_in_c_that_is_not_made_ready_has_nothing() -> None:
    """As there are some under memray: `tp_dict` of such a type is NULL."""

    class Plain:
        kept = 1

    slot = ctypes.c_void_p.from_address(id(Plain) + 264)
    before = slot.value
    assert before is not None
    assert ctypes.cast(before, ctypes.py_object).value["kept"] == 1
    slot.value = None
    try:
        found = kinds.type_dict(Plain)
    finally:
        slot.value = before
    assert dict(found) == {}
    assert kinds.type_dict(Plain)["kept"] == 1
