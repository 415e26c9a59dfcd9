"""What was found of Python in a process: its layout, its code, and whose thread state is where."""

from __future__ import annotations

from .cpython.code import Codes
from .cpython.elf import Found
from .cpython.interpreters import Interpreters
from .cpython.layout import layout_of
from .cpython.names import Names
from .cpython.tasks import TaskNames
from .memory import Memory
from .reading.walk import Walker
from .threads import KernelThread


class Runtime:
    """One Python in one process, until the process becomes another program."""

    def __init__(self, memory: Memory, names: Names, found: Found) -> None:
        """Learn how it is laid out.

        Raises:
            Refused: not in a way that we can read.
            OSError: the process is gone, or we may not look.
        """
        layout = layout_of(memory, found.address, found.version)
        self.codes = Codes(memory, layout, names)
        self.interpreters = Interpreters(memory, layout, found.address, found.glibc)
        self.walker = Walker(memory, layout, self.codes, names)
        self.tasks = TaskNames(memory, layout, names, found.path)
        self._generation = names.generation
        self._names = names
        self.stale = False
        """Threads came or went: to be mapped at the next look."""
        self.named = False
        """A whole stack was read: code, strings and line tables are what they should be."""
        self.lost = False
        """A thread state is not where it was: all of them are to be found again."""

    def map(self, threads: dict[int, KernelThread], whole: bool = True) -> None:
        """Find the thread states (the new ones, or all); what was learned of the rest is kept.

        Raises:
            OSError: their lists lead nowhere.
        """
        states = self.interpreters.read(whole)
        batches = self.walker.batches
        batches.lead = self.interpreters.pieces
        batches.lead_size = self.interpreters.size
        for thread in threads.values():
            found = states.get(thread.native)
            if found is None:
                if whole:
                    thread.guess, thread.known_guess = None, []
                continue
            known = {(guess.state, guess.interpreter): guess for guess in thread.known_guess}
            guesses = []
            for guess in found:
                old = known.get((guess.state, guess.interpreter), guess)
                old.gil, old.generation_at = guess.gil, guess.generation_at
                guesses.append(old)
            found[:] = guesses
            thread.known_guess = guesses
            thread.guess = guesses[-1]

    def begin(self, threads: dict[int, KernelThread]) -> None:
        """Call before a sweep: forgets numbers that mean nothing any more."""
        if self._generation != self._names.generation:
            self._generation = self._names.generation
            for thread in threads.values():
                thread.waits, thread.stands = (-2, 0), None
                for guess in thread.known_guess:
                    guess.doubt()
                    guess.older_seen.clear()
                    guess.settled, guess.content = None, b""
        self.codes.begin()

    def find_tasks(self, now: int) -> None:
        """Look for asyncio, not too often."""
        if self.tasks.find(now):
            self.walker.batches.watch_task(self.tasks.running_offset)
