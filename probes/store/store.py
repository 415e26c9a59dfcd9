"""The live session: a sink, and the `Reader` of what it has taken."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perftui.probes.answers.answers import Answers
from perftui.probes.store.life import Life
from perftui.probes.store.memory import MemoryParts

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.reader import Target


class Store(Answers):
    """Answers from memory.

    Args:
        tree: The session's call tree.
        target: What is watched; its `Exit` is the session's.
        clock: Returns the session's time in nanoseconds; tests give their own.
        brief: Keep the last minutes of what is measured alone: for days, where nobody looks back.
    """

    def __init__(
        self,
        tree: CallTree,
        target: Target,
        clock: Callable[[], int] = time.monotonic_ns,
        *,
        brief: bool = False,
    ) -> None:
        self.life = Life(target, clock)
        self.memory = MemoryParts(tree, self.life, brief=brief)
        super().__init__(self.memory)

    def ingest(self, batch: Batch) -> None:
        """Take a batch of the log; never waits for a reader."""
        self.memory.ingest(batch)

    def know_target(self, target: Target) -> None:
        """Say more about the target (its Python, that the agent runs) once it is known."""
        self.life.target = target

    def rest(self, since_ns: int | None) -> None:
        """The target has waited for a person since then: nothing is going on. None: it works."""
        self.life.rest_ns = since_ns
