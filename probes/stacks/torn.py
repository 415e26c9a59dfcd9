"""Find torn stacks: those that py-spy read while the program changed them.

The sampler does not stop the program, so it can walk a chain of frames that is being taken down.
Nearly all such stacks have lost their outer part: their outermost frame is a function from the
middle of the program. A thread of Python, on the other hand, always begins in the same place.

So a stack is whole if its root is a place where threads begin (`<module>`, `Thread._bootstrap`,
...) or a root that this thread has shown before. Any other root is on trial:

* never seen inside a whole stack of the thread: accepted at once if the thread has no known
  beginning (started by native code), else after `TRIAL_SIGHTINGS` (greenlets, exit handlers);
* seen inside a whole stack: torn, unless the thread shows no other root for `UNBROKEN_INSIDE`
  samples on end (the program was replaced by exec, or is past the end of its main module).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.stacks.chrometrace import SeenStack

TRIAL_SIGHTINGS = 5
UNBROKEN = 8
UNBROKEN_INSIDE = 30
_FORGET_AFTER = 20
"""Windows without a thread after which what was learnt about it is dropped."""

_BEGINNINGS = {
    "Thread._bootstrap": "threading.py",
    "_bootstrap": "threading.py",
    "_shutdown": "threading.py",
    "_run_module_as_main": "runpy",
}

Place = tuple[str, str]
"""Function and file: what stays the same while the line moves."""


def is_beginning(function: str, file: str) -> bool:
    """Tell whether Python itself starts threads (or the program) in this function."""
    if function == "<module>":
        return True
    where = _BEGINNINGS.get(function)
    return where is not None and where in file


class _Thread:
    __slots__ = ("accepted", "inside", "replaced_by", "rooted", "sightings", "unbroken", "window")

    def __init__(self) -> None:
        self.rooted = False
        """A beginning was seen."""
        self.inside: set[Place] = set()
        """Places seen in whole stacks above the root."""
        self.accepted: set[Place] = set()
        self.replaced_by: Place | None = None
        """Root accepted because nothing else was seen for long, until a beginning comes back."""
        self.sightings: dict[Place, int] = {}
        self.unbroken = 0
        """Samples since the last whole stack."""
        self.window = 0


class RootJudge:
    """Learns where the threads of one process begin and marks the stacks that begin elsewhere."""

    def __init__(self, tree: CallTree) -> None:
        self._tree = tree
        self._threads: dict[int, _Thread] = {}
        self._places: dict[int, Place] = {}
        self._window = 0

    def judge(self, intervals: Sequence[SeenStack], period_ns: int) -> list[bool]:
        """Return for each interval whether it is torn.

        Args:
            intervals: Those of one window, in time order within each thread.
            period_ns: Mean time between two samples.
        """
        self._window += 1
        torn = [False] * len(intervals)
        on_trial: dict[int, list[int]] = {}
        for index, interval in enumerate(intervals):
            thread = self._threads.get(interval.tid)
            if thread is None:
                thread = self._threads[interval.tid] = _Thread()
            thread.window = self._window
            trial = on_trial.setdefault(interval.tid, [])
            root = self._place(interval.frames[0])
            if self._is_whole(thread, root):
                self._learn(thread, root, interval)
                trial.clear()
                continue
            samples = max(1, round((interval.t1_ns - interval.t0_ns) / period_ns))
            trial.append(index)
            if not self._accept(thread, root, samples):
                torn[index] = True
                continue
            self._learn(thread, root, interval)
            for earlier in trial:
                if self._place(intervals[earlier].frames[0]) == root:
                    torn[earlier] = False
            trial.clear()
        self._forget()
        return torn

    def _place(self, frame: int) -> Place:
        place = self._places.get(frame)
        if place is None:
            _, known = next(self._tree.frames_since(frame))
            place = self._places[frame] = (known.function, known.file)
        return place

    @staticmethod
    def _is_whole(thread: _Thread, root: Place) -> bool:
        if root in thread.accepted or root == thread.replaced_by:
            return True
        if is_beginning(*root) and root not in thread.inside:
            thread.rooted = True
            thread.replaced_by = None
            return True
        return False

    @staticmethod
    def _accept(thread: _Thread, root: Place, samples: int) -> bool:
        """Hear the case of a root that is not known; `samples` more have shown it."""
        seen = thread.sightings[root] = thread.sightings.get(root, 0) + samples
        thread.unbroken += samples
        inside = root in thread.inside
        if not inside and (not thread.rooted or seen >= TRIAL_SIGHTINGS):
            thread.accepted.add(root)
            return True
        if thread.unbroken >= (UNBROKEN_INSIDE if inside else UNBROKEN):
            thread.replaced_by = root
            return True
        return False

    def _learn(self, thread: _Thread, root: Place, interval: SeenStack) -> None:
        """Take a whole stack as evidence: what is inside it is no root."""
        thread.unbroken = 0
        inside = {self._place(frame) for frame in interval.frames[1:]}
        # A recursive root is inside its own stacks, which says nothing against it.
        inside.discard(root)
        if not inside <= thread.inside:
            thread.inside |= inside
            thread.accepted -= inside

    def _forget(self) -> None:
        old = self._window - _FORGET_AFTER
        gone = [tid for tid, thread in self._threads.items() if thread.window < old]
        for tid in gone:
            del self._threads[tid]
