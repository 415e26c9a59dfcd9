"""Names of asyncio tasks, 3.14+: the module publishes where they lie (`.AsyncioDebug`)."""

from __future__ import annotations

import struct

from ..memory import Buffer, Memory
from .elf import Image, mapped_files
from .layout import Layout
from .names import Names
from .objects import NotSo, Objects

SECTION = b".AsyncioDebug"
FIRST_MINOR = 14
_WORDS, _TASK_NAME, _RUNNING_TASK = 13, 1, 11
_LOOK_AGAIN_NS = 500_000_000
_MOST_PATIENCE_NS = 30_000_000_000
_MOST_KNOWN = 10_000
_buffer = Buffer(256)


class TaskNames:
    """Of one process."""

    def __init__(self, memory: Memory, layout: Layout, names: Names, path: bytes) -> None:
        self._memory = memory
        self._names = names
        self._objects = Objects(memory, layout)
        self._type = layout.type
        self._path = path
        self._name_offset = 0
        self.running_offset = 0
        """Of the running task in the thread state; 0 until the module was found."""
        self._possible = layout.minor >= FIRST_MINOR
        self._look_at_ns = 0
        self._patience_ns = _LOOK_AGAIN_NS
        self._known: dict[int, tuple[int, bytes, int, int]] = {}
        """Task -> (name object, its first bytes, id, generation of the id)."""

    def find(self, now_ns: int) -> bool:
        """Look for the module, not too often; return whether it has just been found."""
        if not self._possible or self.running_offset or now_ns < self._look_at_ns:
            return False
        self._look_at_ns = now_ns + self._patience_ns
        self._patience_ns = min(2 * self._patience_ns, _MOST_PATIENCE_NS)
        try:
            files = mapped_files(self._memory.pid)
        except OSError:
            return False
        for address, path in files:
            if b"_asyncio" not in path.rpartition(b"/")[2] and path != self._path:
                continue
            try:
                table = Image(self._memory, address).section(path, SECTION)
                if table is None:
                    continue
                words = struct.unpack(f"<{_WORDS}Q", self._memory.read(table, 8 * _WORDS))
            except (OSError, ValueError, struct.error):
                continue
            if 0 < words[_TASK_NAME] < 4096 and 0 < words[_RUNNING_TASK] < 4096:
                self._name_offset = words[_TASK_NAME]
                self.running_offset = words[_RUNNING_TASK]
                return True
        return False

    def task(self, address: int) -> int:
        """Return the id of a task's name, -1 if it cannot be read."""
        known = self._known.get(address)
        if known is not None:
            name, first_bytes, task, generation = known
            pieces = [address + self._name_offset, 8, name, 64]
            if (
                generation == self._names.generation
                and self._memory.gather(_buffer, pieces, 72)
                and int.from_bytes(_buffer.bytes[:8], "little") == name
                and _buffer.bytes[8:72] == first_bytes
            ):
                return task
        try:
            name = self._memory.word(address + self._name_offset)
            first_bytes = self._memory.read(name, 64)
            shown = self._text(name, first_bytes)
        except (OSError, NotSo):
            return -1
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        task = self._names.task(shown)
        self._known[address] = name, first_bytes, task, self._names.generation
        return task

    def _text(self, name: int, first_bytes: bytes) -> str:
        """A name is a string, or the number of a task that was given none."""
        try:
            return self._objects.text(name)
        except NotSo:
            at = self._type
            self._objects.require_type(int.from_bytes(first_bytes[at : at + 8], "little"), "int")
            return f"Task-{int.from_bytes(first_bytes[at + 16 : at + 20], 'little')}"
