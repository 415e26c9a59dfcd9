"""Are the code objects that a stack stands in still those that we know by their addresses?

A program may throw code away, and the next code object is made in its place: the same address in
the same frame is another function then. It may be any of a stack, and its frames may lie there as
they did, to the last byte. So all of them are asked about, each time: by the interpreter's count of
the code objects that were ever freed (3.14+), which is one word, or by their signatures.
"""

from __future__ import annotations

from ..cpython.code import Codes
from ..memory import Buffer
from .batch import BatchCodes, ReadPlan
from .frames import Again

_KEPT = 8
"""Code objects whose signatures are read along, those of the last stacks included: most programs go
to and fro between a few, and need no second call for them."""
_ROOM = 4
"""More than those of a stack, if it has as many."""
_MOST = 64
"""Of a stack of more different ones the outermost are asked about by a call of its own."""
_WORD = 8

_checks = Buffer(1 << 17)


class Alive:
    """Of all threads of one process."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._generation = b""
        """Code objects that had been freed when `_sure` were found to be what they were."""
        self._sure: set[int] = set()
        self.intact = False
        """All code objects that threads of the last batch had been in are what they were."""
        self._watched: set[int] = set()
        """Those of them that are."""

    def begin_batch(self) -> None:
        """Call before a batch is read."""
        self.intact, self._watched = False, set()

    def end_batch(self, watch: BatchCodes, raw: bytearray) -> None:
        """Call when a batch was read.

        Args:
            watch: What it holds of code objects.
            raw: Its bytes.
        """
        left = watch.addresses
        if raw.startswith(watch.signatures, watch.at):
            self.intact = watch.whole
        else:
            left = self._codes.still_among(left, watch.pieces, raw, watch.at)
        self._watched = set(left)

    def check(self, plan: ReadPlan, raw: bytearray, codes: list[int]) -> None:
        """Believe in the code objects of a stack.

        Args:
            plan: What `raw` holds.
            raw: The bytes of one thread.
            codes: The code objects, innermost first.

        Raises:
            Again: one of them is another one by now, or may be.
        """
        if plan.generation >= 0:
            self._by_generation(plan, raw, codes)
        else:
            self._by_signatures(plan, raw, codes)

    def _by_generation(self, plan: ReadPlan, raw: bytearray, codes: list[int]) -> None:
        guess, at = plan.guess, plan.leaves
        generation = raw[at : at + _WORD]
        if generation == guess.signatures and codes == guess.codes:
            return
        # Freed code lies there as it did for a while: only if none was freed from before the stack
        # was read until after it, what holds for the stack holds for this count.
        quiet = raw.startswith(generation, plan.generation)
        sure = self._sure
        if generation != self._generation:
            sure = set()
        unsure = [address for address in dict.fromkeys(codes) if address not in sure]
        if unsure and not self._codes.all_still(unsure, _checks):
            guess.doubt()
            raise Again
        guess.codes = codes
        guess.signatures = bytes(generation) if quiet else b""
        if quiet:
            sure.update(unsure)
            self._sure, self._generation = sure, guess.signatures

    def _by_signatures(self, plan: ReadPlan, raw: bytearray, codes: list[int]) -> None:
        guess = plan.guess
        same = codes == guess.codes and not guess.many_codes
        known: set[int] = set()
        if plan.apart:
            if same and self.intact:
                return
            known = self._watched
            if not self.intact:
                self._keep(plan, [address for address in guess.leaves if address in known])
        elif plan.leaves >= 0:
            if not raw.startswith(guess.signatures, plan.leaves):
                self._leaves_left(plan, raw, codes)
            elif same:
                return
            known.update(guess.leaves)
        own = dict.fromkeys(codes)
        unsure = [address for address in own if address not in known]
        if unsure and not self._codes.all_still(unsure, _checks):
            guess.doubt()
            raise Again
        if not own.keys() <= set(guess.leaves):
            most = max(min(len(own) + _ROOM, _MOST), _KEPT)
            self._keep(plan, list(dict.fromkeys([*own, *guess.leaves]))[:most])
        guess.codes, guess.many_codes = codes, len(own) > _MOST

    def _keep(self, plan: ReadPlan, leaves: list[int]) -> None:
        guess = plan.guess
        guess.leaves, guess.leaf_pieces, guess.signatures = self._codes.signatures(leaves)

    def _leaves_left(self, plan: ReadPlan, raw: bytearray, codes: list[int]) -> None:
        """Keep those of a thread's leaves that are what they were; forget the others.

        Raises:
            Again: one that the stack stands in is another one.
        """
        guess = plan.guess
        left = self._codes.still_among(guess.leaves, guess.leaf_pieces, raw, plan.leaves)
        if not set(guess.leaves).difference(left).isdisjoint(codes):
            guess.doubt()
            raise Again
        self._keep(plan, left)
