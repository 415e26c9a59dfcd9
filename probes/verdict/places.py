"""Time and CPU by the program's own functions: what libraries do below them is theirs.

Every leaf of a call tree stands in one own function, the innermost one on its path. What it stands
in between is told beside: an import, a library that waits, a thread that waits for others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.place import in_words
from perftui.probes.profile.sums import is_machinery
from perftui.probes.profile.whose import starts_worker, whose
from perftui.probes.spine.calltree import ROOT, is_stdlib, package_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.spine.calltree import CallTree, Frame
    from perftui.probes.spine.reader import ThreadTree, Weights

Key = tuple[str, str]
"""(function, file)"""

WAIT_FIELDS = ("lock_ns", "io_ns", "sleep_ns", "child_ns", "gil_ns", "queue_ns")

_FOR_OTHERS = {
    "threading": {"join", "_wait_for_tstate_lock", "_shutdown", "run", "wait", "wait_for"},
    "concurrent": {"result", "wait", "as_completed", "shutdown", "_worker"},
    "multiprocessing": {"join", "wait", "worker", "get", "poll"},
    "queue": {"get", "put"},
    "asyncio": {"run_forever", "_run_once", "run_until_complete"},
    "selectors": {"select"},
    "socketserver": {"serve_forever", "get_request"},
    "select": {"select"},
}
"""Where a thread stands that has nothing to do: it waits for work, or for those who do it."""


_PARTS = ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>")


class Spot(NamedTuple):
    """Where a leaf stands."""

    own: int
    """The innermost node of the program's own code; the root if there is none on the path."""
    package: str
    """Of the library that was called from there, "" if none."""
    importing: bool
    idle: bool
    """It waits for work, or for others who do it."""
    asked: bool = False
    """A library was asked, and waits for the answer of a thread of its own."""


class Spots:
    """Tells for each leaf of a tree where it stands; remembers."""

    def __init__(self, tree: CallTree) -> None:
        self.tree = tree
        self._known: dict[int, Spot] = {ROOT: Spot(ROOT, "", False, False)}

    def of(self, node: int) -> Spot:
        """Return where a leaf stands."""
        known, tree = self._known, self.tree
        chain = []
        while node not in known:
            chain.append(node)
            node = tree.parent(node)
        spot = known[node]
        for at in reversed(chain):
            frame = tree.frame(at)
            if whose(frame) == "yours":
                # Its own module that runs because it is imported, is an import.
                inside = spot.importing and frame.function.startswith("<module>")
                part = spot.own != ROOT and _is_part(frame, tree.frame(spot.own))
                spot = Spot(spot.own if inside or part else at, "", inside, False)
            elif is_machinery(frame):
                # What `python -m` runs is the program.
                spot = spot._replace(importing=not frame.file.startswith("<frozen runpy"))
            elif is_stdlib(frame.file):
                name = frame.function.rpartition(".")[2]
                if starts_worker(frame):
                    spot = Spot(ROOT, "", False, name == "main")
                package = package_of(frame.module)
                # A library that waits for the answer of its own thread is what is waited for.
                asked = spot.asked or (bool(spot.package) and package == "concurrent")
                idle = name in _FOR_OTHERS.get(package, ()) and not asked
                spot = spot._replace(idle=spot.idle or idle, asked=asked)
            elif frame.module and not spot.package:
                spot = spot._replace(package=package_of(frame.module))
            known[at] = spot
        return spot

    def key(self, node: int) -> Key:
        """Return function and file of a node."""
        frame = self.tree.frame(node)
        return frame.function, frame.file

    def place(self, node: int) -> str:
        """Return a node as "function file:line"."""
        return place_of(self.key(node), self.tree.frame(node).line)


def _is_part(frame: Frame, of: Frame) -> bool:
    """Tell whether a frame is a comprehension or a generator expression of a function."""
    name = frame.function
    return (
        frame.file == of.file
        and name.endswith(_PARTS)
        and name.rpartition(".<locals>.")[0] in (of.function, "")
    )


def leaves(threads: Sequence[ThreadTree]) -> Iterator[tuple[ThreadTree, int, Weights]]:
    """Yield every leaf of every thread with what was spent there."""
    for thread in threads:
        for node, weights in thread.self_by_node.items():
            yield thread, node, weights


def below(spots: Spots, threads: Sequence[ThreadTree], key: Key, field: str) -> tuple[float, int]:
    """Return a sum over all that ran in a function or was called by it, and its hottest line.

    As the view `top_total` has it: of a torn stack, only the leaf is known.
    """
    tree = spots.tree
    whole = 0.0
    lines: dict[int, float] = {}
    inside: dict[int, int] = {ROOT: -1}
    """By node: the line of the innermost frame of the function, -1 if it is not on the path."""
    for _, leaf, weights in leaves(threads):
        chain, at = [], leaf
        while at not in inside:
            chain.append(at)
            at = tree.parent(at)
        line = inside[at]
        for node in reversed(chain):
            frame = tree.frame(node)
            line = inside[node] = frame.line if (frame.function, frame.file) == key else line
        if line >= 0:
            amount = float(getattr(weights, field))
            if weights.torn_ns and spots.key(leaf) != key and weights.wall_ns:
                amount *= 1 - min(weights.torn_ns / weights.wall_ns, 1.0)
            whole += amount
            lines[line] = lines.get(line, 0.0) + amount
    return whole, max(lines, key=lambda each: lines[each], default=0)


def place_of(key: Key, line: int) -> str:
    """Return a place in words."""
    return in_words(*key, line)
