"""A thread that stands where it should not: told from one that rests, by where it stands.

Standing is one and the same stack in every reading. It is a stall

- in a callback of asyncio's loop, whatever is done there: the loop serves nobody meanwhile
- in a wait for a lock, I/O, a child or the GIL that the program's own code, or a library that it
  called, asked for

and none where threads wait for work (`queue`, `selectors`, pools, servers), nor a sleep, which was
asked for. A thread that computes is at work, however long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import ROOT, is_stdlib
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.records import ThreadKey
    from perftui.probes.spine.weighed import WeighedStack

_BREAK_NS = NS_PER_S * 5 // 2
"""Nothing heard of a thread for so long: it may have been elsewhere."""
_WAITS = 0.8
"""Of the time that it stands, waited for something that is no sleep."""
_KINDS = (("lock_ns", "a lock"), ("io_ns", "I/O"), ("child_ns", "a child"), ("gil_ns", "the GIL"))
_REST = (
    "threading",
    "queue",
    "selectors",
    "socketserver",
    "concurrent.futures",
    "multiprocessing",
    "asyncio",
    "sched",
    "signal",
    "code",
    "cmd",
    "pdb",
)
"""Modules in which threads wait for work, or for whoever uses the program."""
_CALLBACK = ("asyncio.events", "_run")
_THREADS_KEPT = 4_096


class _Stay:
    """Of one thread in one stack."""

    __slots__ = ("last_ns", "node", "since_ns", "told", "waits")

    def __init__(self, node: int, since_ns: int) -> None:
        self.node = node
        self.since_ns = self.last_ns = since_ns
        self.waits: dict[str, int] = {}
        self.told = False


class Stalls:
    """Takes weighed stacks in their order.

    Args:
        tree: The session's call tree.
        least_s: From how long on.
    """

    def __init__(self, tree: CallTree, least_s: float) -> None:
        self._tree = tree
        self._least_ns = round(least_s * NS_PER_S)
        self._stays: dict[ThreadKey, _Stay] = {}
        self._kinds: dict[int, tuple[bool, bool]] = {}
        """By node: in a callback of a loop, and in a place where threads rest."""

    def take(self, pieces: Sequence[WeighedStack]) -> Iterator[tuple[int, str]]:
        """Yield time and words for each thread that stands long enough now."""
        for piece in pieces:
            stay = self._stays.get(piece.thread)
            if piece.held and not piece.torn:
                if (
                    stay is None
                    or stay.node != piece.node
                    or piece.t0_ns - stay.last_ns > _BREAK_NS
                ):
                    if stay is None and len(self._stays) >= _THREADS_KEPT:
                        del self._stays[next(iter(self._stays))]
                    stay = self._stays[piece.thread] = _Stay(piece.node, piece.t0_ns)
                stay.last_ns = max(stay.last_ns, piece.t1_ns)
            elif stay is None or stay.node != piece.node:
                continue
            for field, kind in _KINDS:
                if waited := getattr(piece, field):
                    stay.waits[kind] = stay.waits.get(kind, 0) + waited
            stood_ns = stay.last_ns - stay.since_ns
            if stood_ns >= self._least_ns and not stay.told:
                words = self._is_stall(stay, stood_ns)
                if words is not None:
                    stay.told = True
                    yield stay.last_ns, words

    def _is_stall(self, stay: _Stay, stood_ns: int) -> str | None:
        in_loop, rests = self._kind(stay.node)
        waited = max(stay.waits.items(), key=lambda item: item[1], default=("", 0))
        is_wait = sum(stay.waits.values()) >= _WAITS * stood_ns
        if rests or not (in_loop or is_wait):
            return None
        node = self._tree.path(stay.node)
        own = [each for each in node if not is_stdlib(self._tree.frame(each).file)]
        frame = self._tree.frame(own[-1] if own else stay.node)
        where = f"{frame.function} {frame.file.rpartition('/')[2]}:{frame.line}"
        what = f"waits for {waited[0]}" if is_wait else "does not come back"
        if in_loop:
            what += " in a callback of the event loop"
        return f"stall of {format_seconds(stood_ns / NS_PER_S)}: {where} {what}"

    def _kind(self, node: int) -> tuple[bool, bool]:
        found = self._kinds.get(node)
        if found is None:
            if len(self._kinds) > _THREADS_KEPT:
                self._kinds.clear()
            found = self._kinds[node] = self._look(node)
        return found

    def _look(self, node: int) -> tuple[bool, bool]:
        """Tell whether a callback of asyncio is on the way to a node, and whether it is at rest."""
        if node == ROOT:
            return False, True
        frames = [self._tree.frame(each) for each in self._tree.path(node)]
        in_loop = any(
            (frame.module, frame.function.rpartition(".")[2]) == _CALLBACK for frame in frames[:-1]
        )
        leaf = frames[-1]
        rests = is_stdlib(leaf.file) and leaf.module.startswith(_REST)
        return in_loop, rests or leaf.kind != "py"
