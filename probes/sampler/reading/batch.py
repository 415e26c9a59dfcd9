"""What to read of threads in one system call, and where each piece of it will lie.

A batch holds, for each thread, in this order: thread state, newest chunk of its data stack, older
chunks, pointer to the current frame (3.11, 3.12: and those of C frames), frames known to lie
elsewhere, the newest chunk once more, and the frames elsewhere once more. It is read in this order
within microseconds. The last copy of the chunk is what counts: it is of one instant, as one copy of
some hundred bytes takes some ten nanoseconds. What is equal on both sides of it was so at that
instant, too. Last come the signatures of the code objects of all of them, each once: threads of one
program run the same code. (3.14+: for each thread, first and last, the count of those that were
freed.)
"""

from __future__ import annotations

import struct

from ..cpython.code import MOST_OF_NAME, SIGNATURE_SIZE, Codes
from ..cpython.layout import Layout
from ..guess import Guess, KnownChain
from ..memory import MOST_BYTES, MOST_PIECES
from ..threads import KernelThread

_word = struct.Struct("<Q").unpack_from
NEAR = 4
"""Frames elsewhere that are read between the copies of a chunk: the more, the longer that takes."""
_MOST_MADE = 2_000
"""Plans that are kept, a kilobyte each."""


class ReadPlan:
    """Which bytes are what of those that are read of one thread; -1 if absent."""

    __slots__ = (
        "after",
        "apart",
        "at",
        "cframes",
        "copy",
        "extras",
        "generation",
        "guess",
        "known",
        "leaves",
        "length",
        "made_from",
        "older",
        "pieces",
        "size",
        "state",
        "walked",
    )

    def __init__(self, guess: Guess) -> None:
        self.guess = guess
        self.known: list[KnownChain] = []
        """Chains of frames that are known again, see `known`."""
        self.walked: list[int] = []
        """Places of the frames of the last walk, without the settled part."""
        self.at = 0
        """Where they begin in the last batch."""
        self.state = 0
        """The thread state."""
        self.copy = self.after = self.leaves = self.generation = -1
        """Of the newest chunk the copy that counts, and one after it; of its code objects the
        signatures; how many were freed before."""
        self.apart = False
        """The signatures of its code objects are read with those of others."""
        self.cframes: dict[int, int] = {}
        """3.11, 3.12: C frame -> offset of its pointer to the current frame."""
        self.length = guess.length
        """Of each copy of the newest chunk."""
        self.older: list[tuple[int, int, int]] = []
        """Older chunks: first address, end, offset minus first address."""
        self.extras: dict[int, int] = {}
        """Frame elsewhere -> its offset."""
        self.pieces: list[int] = []
        """What is read: address, size, address, size, ..."""
        self.size = 0
        """Bytes of all of them."""
        self.made_from = guess.places()

    def add(self, address: int, size: int) -> int:
        """Have bytes read next; return where they will be."""
        at = self.size
        self.pieces += (address, size)
        self.size = at + size
        return at

    def pointer(self, raw: bytearray, layout: Layout) -> int:
        """Return the current frame as the thread state says; -1 if it says so by a C frame that was
        not read (3.11, 3.12)."""
        if not layout.cframe:
            return _word(raw, self.state + layout.current_frame)[0]  # type: ignore[no-any-return]
        offset = self.cframes.get(_word(raw, self.state + layout.cframe)[0])
        return -1 if offset is None else _word(raw, offset)[0]

    def still(self, raw: bytearray, size: int) -> bool:
        """Whether the first bytes of the newest chunk are the same in both copies: so are frames
        elsewhere that are `near`, as far as those lead to them.

        Args:
            raw: What was read.
            size: So many bytes.
        """
        size = min(size, self.length)
        return raw.startswith(memoryview(raw)[self.copy : self.copy + size], self.after)

    def near(self, at: int) -> bool:
        """Whether a frame elsewhere is read between both copies of the newest chunk."""
        return self.extras[at] < self.after

    def holds(self) -> bool:
        """Whether a plan made anew would be this one."""
        return self.guess.places() == self.made_from


class BatchCodes:
    """The code objects of all threads of a batch, and where their signatures lie in it."""

    __slots__ = ("addresses", "at", "pieces", "replaced", "signatures", "whole")

    def __init__(self, codes: Codes, addresses: list[int], at: int) -> None:
        self.addresses, self.pieces, self.signatures = codes.signatures(addresses)
        self.whole = len(self.addresses) == len(addresses)
        """All of them are known."""
        self.at = at
        self.replaced = codes.replaced


Group = tuple[list[tuple[KernelThread, list[ReadPlan]]], list[int], int]
"""Threads and their plans, what to read (address, size, ...), and its bytes."""


class Batches:
    """Makes the batches of one process."""

    def __init__(self, layout: Layout, codes: Codes) -> None:
        self._layout = layout
        self._codes = codes
        per_code = SIGNATURE_SIZE + MOST_OF_NAME if layout.unnumbered else SIGNATURE_SIZE
        self._per_code = per_code, 4 if layout.unnumbered else 2
        """Bytes and entries of `pieces` that one code object takes at most."""
        self.watch = BatchCodes(codes, [], 0)
        """Of the group that was planned last."""
        self._watch = self.watch
        self.task_offset = 0
        """Of the running asyncio task in the thread state, 0 if not known."""
        self.state_size = layout.thread_size
        self.lead: list[int] = []
        """Pieces that every batch begins with, and their size: the GILs."""
        self.lead_size = 0
        self._made: dict[Guess, ReadPlan] = {}
        """Those of the last groups: mostly the next one reads the same."""
        self._threads: list[KernelThread] = []
        self._group: Group = [], [], 0
        """The last group that held all `_threads`, with `_lead` before it."""
        self._lead = self.lead

    def watch_task(self, offset: int) -> None:
        """Also read the pointer to the running asyncio task."""
        self.task_offset = offset
        self._made, self._threads = {}, []
        self.state_size = max(self._layout.thread_size, offset + 8)

    def group(self, threads: list[KernelThread], at: int) -> Group:
        """Plan as many of the threads from `at` on as fit into one call, one at least.

        Returns:
            Them and their plans, what to read, and its size: 0 if it does not fit even so.
        """
        if not at and threads == self._threads and self._still_right():
            self.watch = self._watch
            return self._group
        pieces = list(self.lead)
        total = self.lead_size
        group: list[tuple[KernelThread, list[ReadPlan]]] = []
        made = self._made
        if len(made) > _MOST_MADE:
            made.clear()
        first = at
        codes: dict[int, None] = {}
        size_of, pieces_of = self._per_code
        while at < len(threads):
            thread = threads[at]
            size, count = total, len(pieces)
            plans: list[ReadPlan] = []
            for guess in thread.known_guess:
                plan = made.get(guess)
                if plan is None or not plan.holds():
                    plan = made[guess] = self.plan(guess, apart=True)
                plan.at = total
                pieces += plan.pieces
                total += plan.size
                plans.append(plan)
            more = dict(codes)
            for plan in plans:
                if plan.apart:
                    more.update(dict.fromkeys(plan.guess.leaves))
            if group and not fits(len(pieces) + pieces_of * len(more), total + size_of * len(more)):
                del pieces[count:]
                total = size
                break
            codes = more
            group.append((thread, plans))
            at += 1
        watch = self.watch = BatchCodes(self._codes, list(codes), total)
        pieces += watch.pieces
        total += len(watch.signatures)
        found = group, pieces, total if fits(len(pieces), total) else 0
        if not first:
            # Whoever does not fit is in another group; this one stands for those that do.
            self._threads = threads if at == len(threads) else []
            self._group, self._lead, self._watch = found, self.lead, watch
        return found

    def _still_right(self) -> bool:
        """Whether the last group would be made again as it is."""
        if self._lead is not self.lead or self._watch.replaced != self._codes.replaced:
            return False
        for thread, plans in self._group[0]:
            known = thread.known_guess
            if len(known) != len(plans):
                return False
            for guess, plan in zip(known, plans):
                if plan.guess is not guess or plan.made_from != (
                    guess.generation_at,
                    guess.chunk,
                    guess.length,
                    guess.cframes,
                    guess.extras,
                    guess.leaves,
                    guess.older,
                ):
                    return False
        return True

    def plan(self, guess: Guess, *, apart: bool = False) -> ReadPlan:
        """Return what is to be read of a thread.

        Args:
            guess: Whose.
            apart: The signatures of its code objects are read with those of other threads.
        """
        layout = self._layout
        plan = ReadPlan(guess)
        add = plan.add
        if guess.generation_at:
            plan.generation = add(guess.generation_at, 8)
        # The copy that counts comes before all that the thread may write to. Who reads a line of a
        # cache takes it from who writes to it, who has to wait for it there, for longer than a call
        # of Python takes: what is read after that meets the thread where it waits for us.
        if guess.chunk:
            plan.copy = add(guess.chunk, guess.length)
        if layout.clears:
            self._add_state(plan)
        # Each piece takes a third of a µs: the frames that were met last are read at once.
        near = guess.extras[:NEAR]
        for address in near:
            plan.extras[address] = add(address, layout.frame_size)
        if not layout.clears:
            self._add_state(plan)
        for address, size in guess.older:
            plan.older.append((address, address + size, add(address, size) - address))
        if guess.chunk:
            plan.after = add(guess.chunk, guess.length)
        for address in guess.extras[NEAR:]:
            plan.extras[address] = add(address, layout.frame_size)
        if guess.generation_at:
            plan.leaves = add(guess.generation_at, 8)
        elif apart:
            plan.apart = True
        elif guess.leaves:
            plan.leaves = plan.size
            plan.pieces += guess.leaf_pieces
            plan.size += len(guess.signatures)
        return plan

    def _add_state(self, plan: ReadPlan) -> None:
        """Have the thread state read next, and the C frames that it may point to."""
        plan.state = plan.add(plan.guess.state, self.state_size)
        for address in plan.guess.cframes:
            plan.cframes[address] = plan.add(address + self._layout.cframe_frame, 8)


def fits(entries: int, total: int) -> bool:
    """Whether so much can be read in one call; each piece has two entries."""
    return total <= MOST_BYTES and entries <= 2 * MOST_PIECES
