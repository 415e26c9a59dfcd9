"""Who calls whom, and from where, in one process: learned from stacks that were told for sure."""

from __future__ import annotations

from ..cpython.code import Codes

_MOST = 50_000


class CallSites:
    """By the instruction that a caller stands at."""

    __slots__ = ("_codes", "_known", "_replaced", "_sites", "hand_on")

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._replaced = 0
        self._known: set[tuple[int, int]] = set()
        """(Instruction, code object that was called from there)."""
        self._sites: dict[tuple[int, int], int] = {}
        """(Code object, the one that it called) -> the instruction, the last one that was seen."""
        self.hand_on: set[int] = set()
        """Code objects of generators that have called another one, or were called by one."""

    def learn(self, instructions: list[int], codes: list[int]) -> None:
        """Take a stack.

        Args:
            instructions: Of its frames, innermost first; 0 where it is not sure.
            codes: Their code objects.
        """
        if self._replaced != self._codes.replaced or len(self._known) > _MOST:
            self._replaced = self._codes.replaced
            self._known.clear()
            self._sites.clear()
            self.hand_on.clear()
        known = self._known
        for n in range(1, len(instructions)):
            call = instructions[n], codes[n - 1]
            if call not in known and call[0]:
                known.add(call)
                self._sites[codes[n], call[1]] = call[0]
                both = [self._codes.get(code) for code in (codes[n], call[1])]
                if all(code is not None and code.makes_generator for code in both):
                    self.hand_on.update((codes[n], call[1]))

    def goes_on(self, instruction: int, code: int) -> bool:
        """Whether a frame that stands there may have called, or gone on with, a code object."""
        return instruction in self._codes.resumes or (instruction, code) in self._known

    def site(self, caller: int, instruction: int, callee: int) -> int:
        """Return where a code object calls another: at `instruction`, if it was seen to call it
        from there or nowhere, else where it was seen to."""
        if (instruction, callee) in self._known:
            return instruction
        return self._sites.get((caller, callee), instruction)

    def calls(self, instruction: int, code: int) -> bool:
        """Whether a code object was seen to be called from there."""
        return (instruction, code) in self._known
