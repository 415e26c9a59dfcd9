"""Which thread state belongs to which kernel thread, in every interpreter of a process."""

from __future__ import annotations

import struct

from ..guess import Guess
from ..memory import Memory
from .layout import Layout

MOST_INTERPRETERS = 256
_WATCHED = 16
"""Interpreters whose lists of threads are looked at in every sweep."""
MOST_THREADS = 20_000
_GIL_SIZE = 208
"""Of a GIL: four words, then what is waited on for it, two conditions and mutexes (glibc: 48 and 40
bytes)."""

_holder_and_lock = struct.Struct("<Qi").unpack_from


class Interpreters:
    """The interpreters of one process."""

    def __init__(self, memory: Memory, layout: Layout, runtime: int, glibc: bool) -> None:
        self._memory = memory
        self._layout = layout
        self._runtime = runtime
        self.gils: list[int] = []
        """Addresses; each is (…, holder at 8, locked as int at 16), see `Layout.gil_on`."""
        self.pieces: list[int] = []
        """What a batch reads first: GILs, then the heads of the lists."""
        self.size = 0
        """Bytes of it."""
        self._lists_at = 0
        self._heads = b""
        self._by_native: dict[int, list[Guess]] = {}
        self._native_of: dict[int, tuple[int, int]] = {}
        """Thread state -> native id and interpreter, as last seen."""
        self.unbound = False
        """There are thread states that no kernel thread has taken yet."""
        self._waits_tell = glibc
        """Who waits for a GIL sleeps on a futex within it. Not with musl, where a condition is
        waited for on the stack of who waits."""

    def read(self, whole: bool = True) -> dict[int, list[Guess]]:
        """Return thread states by native id, the main interpreter's first.

        New states are put at the head of their list, so what follows one that is known already
        is known too; unless the `whole` lists are to be walked, only native ids with new states
        are returned.

        Raises:
            OSError: the lists lead nowhere (the process ends, becomes another, or begins).
        """
        layout, memory = self._layout, self._memory
        if whole:
            self._by_native = {}
            self._native_of = {}
        self.gils, heads = [], [self._runtime + layout.interpreters]
        self.unbound = False
        interpreter = memory.word(heads[0])
        values = [interpreter]
        # Each interpreter counts for itself: of use while there is one.
        counted = layout.code_generation and interpreter + layout.code_generation
        if not interpreter or memory.word(interpreter + layout.interpreter_next):
            counted = 0
        seen: set[int] = set()
        new: set[int] = set()
        while interpreter and interpreter not in seen and len(seen) < MOST_INTERPRETERS:
            seen.add(interpreter)
            heads.append(interpreter + layout.threads_head)
            raw_id = memory.read(interpreter + layout.interpreter_id, 8)
            number = int.from_bytes(raw_id, "little", signed=True)
            if layout.runtime_gil:
                gil = self._runtime + layout.runtime_gil
            else:
                gil = memory.word(interpreter + layout.gil_pointer)
            if gil not in self.gils:
                self.gils.append(gil)
            head = memory.word(interpreter + layout.threads_head)
            values.append(head)
            self._walk(head, number, self.gils.index(gil), counted, new)
            interpreter = memory.word(interpreter + layout.interpreter_next)
        self.gils = self.gils[:_WATCHED]
        self.pieces = []
        for gil in self.gils:
            self.pieces += (gil, layout.gil_size)
        for head in heads[: _WATCHED + 1]:
            self.pieces += (head, 8)
        values = values[: _WATCHED + 1]
        self._lists_at = layout.gil_size * len(self.gils)
        self.size = self._lists_at + 8 * len(values)
        self._heads = struct.pack(f"<{len(values)}Q", *values)
        return {native: self._by_native[native] for native in new}

    def _walk(self, state: int, interpreter: int, gil: int, counted: int, new: set[int]) -> None:
        """Take the new states of one interpreter; adds their native ids to `new`."""
        layout, memory = self._layout, self._memory
        steps = 0
        while state and steps < MOST_THREADS:
            steps += 1
            raw = memory.read(state, layout.thread_size)
            (native,) = struct.unpack_from("<Q", raw, layout.native_id)
            if native and self._native_of.get(state) == (native, interpreter):
                break
            self._native_of[state] = native, interpreter
            if native:
                # A place may be used again: whoever had it before has none now.
                guesses = [
                    guess
                    for guess in self._by_native.get(native, ())
                    if guess.state != state
                    and self._native_of.get(guess.state) == (native, guess.interpreter)
                ]
                guesses.append(Guess(state, native, interpreter, gil, counted))
                guesses.sort(key=_by_interpreter)
                self._by_native[native] = guesses
                new.add(native)
            else:
                self.unbound = True
            (state,) = struct.unpack_from("<Q", raw, layout.thread_next)

    def forget(self, native: int) -> None:
        """A kernel thread has ended."""
        for guess in self._by_native.pop(native, ()):
            self._native_of.pop(guess.state, None)

    def holders(self, raw: bytes | bytearray) -> list[int]:
        """Return for each GIL the thread state that holds it, 0 if nobody does."""
        held = []
        if self._layout.gil_on:
            for i in range(len(self.gils)):
                on, holder, locked = struct.unpack_from("<i12xQi", raw, 32 * i)
                held.append(holder if on and locked == 1 else 0)
            return held
        for i in range(len(self.gils)):
            holder, locked = _holder_and_lock(raw, 24 * i + 8)
            held.append(holder if locked == 1 else 0)
        return held

    def is_gil(self, gil: int, futex: int, *, taken: bool) -> bool | None:
        """Tell whether a thread that sleeps on a futex waits for its GIL; None: not known.

        Args:
            gil: Its number in `gils`.
            futex: Address of the futex, 0 if not known.
            taken: Another thread has the GIL.
        """
        if gil < len(self.gils) and 0 <= futex - self.gils[gil] < _GIL_SIZE:
            self._waits_tell = True
            return True
        if not taken or (futex and self._waits_tell):
            return False
        return None

    def changed(self, raw: bytes | bytearray) -> bool:
        """Whether threads or interpreters have come (or the newest gone) since `read`."""
        return raw[self._lists_at : self.size] != self._heads


def _by_interpreter(guess: Guess) -> int:
    return guess.interpreter
