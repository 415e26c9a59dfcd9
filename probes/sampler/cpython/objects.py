"""Objects of the target: strings, bytes, integers. Everything is checked before it is believed."""

from __future__ import annotations

import struct

from ..memory import Memory
from .layout import Layout

MOST_CHARACTERS = 2000
"""Longer strings are cut, with an ellipsis."""
_MOST_LENGTH = 1 << 24


class NotSo(Exception):
    """What lies there is not what it should be."""


class Objects:
    """Reads objects of one process."""

    def __init__(self, memory: Memory, layout: Layout) -> None:
        self._memory = memory
        self._layout = layout
        self._header = struct.Struct(f"<{layout.type}xQq8xI")
        """Type, length, state (of a string)."""
        self._types: dict[str, int] = {}

    def require_type(self, address: int, name: str) -> None:
        """Check the type of an object by the address of its type, the first time by name.

        Raises:
            NotSo: it has another type.
            OSError: it cannot be read.
        """
        known = self._types.get(name)
        if known is not None:
            if address != known:
                raise NotSo(name)
            return
        wanted = name.encode() + b"\0"
        at = address + self._layout.type_name
        if self._memory.read(self._memory.word(at), len(wanted)) != wanted:
            raise NotSo(name)
        self._types[name] = address

    def text(self, address: int) -> str:
        """Return a `str`."""
        header = self._memory.read(address, 64)
        kind_address, length, state = self._header.unpack_from(header)
        self.require_type(kind_address, "str")
        # interned:2 kind:3 compact:1 ascii:1 in every build with a GIL; above is padding, which
        # nobody clears. Without one, `interned` takes a byte from 3.14 on.
        state >>= self._layout.text_state
        width, compact, ascii_only = state & 7, state >> 3 & 1, state >> 4 & 1
        if width not in (1, 2, 4) or not compact or not 0 <= length < _MOST_LENGTH:
            raise NotSo("str")
        taken = min(length, MOST_CHARACTERS)
        layout = self._layout
        offset = layout.text_ascii if ascii_only else layout.text_compact
        if offset + taken * width <= 64:
            raw = header[offset : offset + taken * width]
        else:
            raw = self._memory.read(address + offset, taken * width)
        shown = raw.decode({1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[width], "replace")
        return shown + "…" if taken < length else shown

    def data(self, address: int, most: int) -> bytes:
        """Return the content of a `bytes`."""
        header = self._header
        kind_address, length, _ = header.unpack(self._memory.read(address, header.size))
        self.require_type(kind_address, "bytes")
        if not 0 <= length <= most:
            raise NotSo("bytes")
        return self._memory.long_read(address + self._layout.type + 24, length)
