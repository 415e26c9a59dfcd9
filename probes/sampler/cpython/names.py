"""What is said once and then named by a number: code, places in it, stacks, asyncio tasks.

One table for all processes: the workers of a pool run the same code. It is bounded; when it is
full everything is forgotten and said anew (`generation`), which a program that makes new code
without end will bring about.
"""

from __future__ import annotations

from .. import stream
from ..stream import Writer

MOST_NODES = 300_000
MOST_CODES = 100_000
MOST_CACHED_FRAMES = 1_000_000
"""Summed over the stacks that are recognised as a whole (8 bytes each)."""
MOST_TASKS = 20_000
NO_STACK = -1


class Names:
    """Interns, and writes what is new."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.generation = 0
        self._codes: dict[tuple[str, str, int], int] = {}
        self._frames: dict[tuple[int, int], int] = {}
        self._nodes: dict[tuple[int, int], int] = {}
        self._tasks: dict[str, int] = {}
        self.stacks: dict[tuple[int, ...], int] = {}
        """Frame ids, innermost first, -> node."""
        self._cached = 0

    def full(self) -> bool:
        """Whether it is time to `reset`."""
        return (
            len(self._nodes) > MOST_NODES
            or len(self._codes) > MOST_CODES
            or len(self._tasks) > MOST_TASKS
        )

    def reset(self) -> None:
        """Forget everything; who keeps ids must compare `generation`."""
        self.generation += 1
        self._codes.clear()
        self._frames.clear()
        self._nodes.clear()
        self._tasks.clear()
        self.stacks.clear()
        self._cached = 0
        self._writer.block(stream.RESET, b"")

    def code(self, function: str, file: str, first_line: int) -> int:
        """Return the id of a code object."""
        key = function, file, first_line
        found = self._codes.get(key)
        if found is None:
            found = self._codes[key] = len(self._codes)
            name = stream.text(function)
            self._writer.block(
                stream.CODE,
                stream.CODE_FIELDS.pack(found, first_line, len(name)) + name + stream.text(file),
            )
        return found

    def frame(self, code: int, line: int) -> int:
        """Return the id of a line in a code object."""
        key = code, line
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = len(self._frames)
            self._writer.block(stream.FRAME, stream.FRAME_FIELDS.pack(found, code, line))
        return found

    def stack(self, frames: tuple[int, ...], interpreter: int = 0) -> int:
        """Return the node of a stack; `NO_STACK` if it is empty.

        Args:
            frames: Frame ids, innermost first.
            interpreter: If it is not the main one, a root above the stack says which it is.
        """
        if interpreter:
            frames = (*frames, self.frame(self.code(f"<interpreter {interpreter}>", "", 0), 0))
        found = self.stacks.get(frames)
        if found is not None:
            return found
        node = NO_STACK
        nodes = self._nodes
        for frame in reversed(frames):
            key = node, frame
            known = nodes.get(key)
            if known is None:
                known = nodes[key] = len(nodes)
                self._writer.block(stream.NODE, stream.NODE_FIELDS.pack(known, node + 1, frame))
            node = known
        self._cached += len(frames) + 16
        if self._cached > MOST_CACHED_FRAMES:
            self.stacks.clear()
            self._cached = len(frames)
        self.stacks[frames] = node
        return node

    def task(self, name: str) -> int:
        """Return the id of an asyncio task's name."""
        found = self._tasks.get(name)
        if found is None:
            found = self._tasks[name] = len(self._tasks)
            self._writer.block(stream.TASK, stream.TASK_FIELDS.pack(found) + stream.text(name))
        return found
