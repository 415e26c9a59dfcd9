"""Sums over sampled stacks: what each function (or line) cost itself and with all it called.

Pure functions of a `CallTree` and `ThreadTree`s; the screen, the summary and the exports share
them. Three weights go side by side everywhere: wall time, CPU time and grown bytes.

A torn stack tells where the thread was, not how it got there: its leaf counts as self, and no
caller is charged for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.profile.waiting import STDLIB_WAITS
from perftui.probes.spine.calltree import ROOT, Frame, is_stdlib, package_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import ThreadTree, Weights

WeightName = Literal["wall", "cpu", "grown", "waiting", "touched"]
WEIGHT_INDEX: dict[str, int] = {"wall": 0, "cpu": 1, "grown": 2, "waiting": 3, "touched": 4}
WEIGHT_WORDS: dict[str, str] = {
    "wall": "wall time",
    "cpu": "CPU",
    "waiting": "waiting",
    "touched": "touched memory",
    "grown": "grown bytes",
}
BYTES = frozenset({"grown", "touched"})
"""Weights in bytes; the others are times."""
BUSY_SHARE = 0.01
"""A thread with less CPU than this share of its time counts as idle."""
QUIET_SHARE = 0.05
"""A program whose threads together use less CPU than this share of the time is doing nothing."""
_IDLE_SHARE = 0.1

_MACHINERY = ("<frozen importlib", "<frozen zipimport", "<frozen runpy")


class Amount(NamedTuple):
    """One cost in all weights. Index it with `WEIGHT_INDEX`."""

    wall_ns: int
    cpu_ns: int
    grown_bytes: int
    waiting_ns: int = 0
    touched_bytes: int = 0


NOTHING = Amount(0, 0, 0)


class FunctionSum(NamedTuple):
    """What one function (or one line of it) cost over some threads."""

    function: str
    file: str
    line: int
    """The line itself, or of a whole function the line with most wall time."""
    module: str
    self_: Amount
    total: Amount
    """With everything it called; recursion is counted once."""


def is_machinery(frame: Frame) -> bool:
    """Tell whether a frame is the interpreter's own import plumbing, which hides the story."""
    return frame.file.startswith(_MACHINERY)


def is_idle(stack: ThreadTree) -> bool:
    """Tell whether a thread did next to nothing."""
    return stack.cpu_ns < BUSY_SHARE * stack.wall_ns


def busy(stacks: Sequence[ThreadTree]) -> tuple[ThreadTree, ...]:
    """Return the threads that a person means by "the program": those not idle, and the main one.

    Threads that only wait would fill half of any table of wall time. A main thread always
    counts: that it waits is what one wants to know. Where nothing is busy all of them count: what
    they wait for is the story.
    """
    longest_ns = max((stack.wall_ns for stack in stacks), default=0)
    if sum(stack.cpu_ns for stack in stacks) < QUIET_SHARE * longest_ns:
        return tuple(stacks)
    return tuple(
        stack
        for stack in stacks
        if not is_idle(stack) or stack.name == "MainThread" or stack.tid == stack.pid
    ) or tuple(stacks)


def split_torn(weights: Weights) -> tuple[Amount, Amount]:
    """Split self weights into (whose path is known, whose path is torn)."""
    whole = amount_of(weights)
    wall, torn = whole[0], weights[3]
    if torn <= 0 or wall <= 0:
        return whole, NOTHING
    share = min(torn / wall, 1.0)
    lost = Amount(min(torn, wall), *(round(part * share) for part in whole[1:]))
    return Amount(*(a - b for a, b in zip(whole, lost, strict=True))), lost


def amount_of(weights: Weights) -> Amount:
    """Return self weights as the sums have them."""
    wall, cpu, grown = weights[:3]
    return Amount(wall, cpu, grown, max(wall - cpu, 0), weights[4])


def node_totals(
    tree: CallTree, stacks: Iterable[ThreadTree]
) -> tuple[dict[int, list[int]], dict[int, list[int]], list[int]]:
    """Add up stacks per call-tree node.

    Returns:
        Self and total weights by node as `Amount` has them, and the torn sum that no path
        accounts for (it is part of self and of the root's total). Total holds every ancestor.
    """
    own: dict[int, list[int]] = {}
    total: dict[int, list[int]] = {ROOT: _zeros()}
    lost = _zeros()
    for stack in stacks:
        for node, weights in stack.self_by_node.items():
            amount = amount_of(weights)
            mine = own.get(node)
            if mine is None:
                own[node] = list(amount)
            else:
                _add(mine, amount)
            if weights[3] > 0:
                amount, gone = split_torn(weights)
                _add(lost, gone)
            sums = total.get(node)
            if sums is None:
                total[node] = list(amount)
            else:
                _add(sums, amount)
    parent_of = tree.parent
    for node in list(total):
        parent = parent_of(node)
        while parent not in total:
            total[parent] = _zeros()
            parent = parent_of(parent)
    # Children have higher ids than their parents: one pass from the top id down adds up all.
    for node in sorted(total, reverse=True):
        if node != ROOT:
            _add(total[parent_of(node)], total[node])
    _add(total[ROOT], lost)
    return own, total, lost


def function_sums(
    tree: CallTree, stacks: Sequence[ThreadTree], *, by_line: bool = False
) -> list[FunctionSum]:
    """Sum stacks per function, or per line, most self wall time first.

    A frame below another of the same key adds nothing to the key's total: recursion counts once.
    The time of import plumbing is the importer's own.
    """
    own, total, _ = node_totals(tree, stacks)
    payer = {node: payer_of(tree, node) for node in total}
    children: dict[int, list[int]] = {}
    for node in total:
        if node != ROOT:
            children.setdefault(tree.parent(node), []).append(node)
    key_of = {node: _key(tree.frame(node), by_line) for node in total if node != ROOT}
    selfs: dict[tuple[str, str, int], list[int]] = {}
    totals: dict[tuple[str, str, int], list[int]] = {}
    lines: dict[tuple[str, str, int], dict[int, int]] = {}
    for node, mine in own.items():
        if node != ROOT:
            _add(selfs.setdefault(key_of[payer[node]], _zeros()), mine)
    for stack in stacks:
        for node, weights in stack.self_by_node.items():
            if weights.torn_ns > 0 and node != ROOT:
                _add(totals.setdefault(key_of[payer[node]], _zeros()), split_torn(weights)[1])
    open_keys: dict[tuple[str, str, int], int] = {}
    pending = [~child for child in children.get(ROOT, ())]
    while pending:  # ~node: enter it; node: leave it
        step = pending.pop()
        if step >= 0:
            open_keys[key_of[step]] -= 1
            continue
        node = ~step
        if payer[node] != node:
            pending.extend([~child for child in children.get(node, ())])
            continue
        key = key_of[node]
        depth = open_keys.get(key, 0)
        if not depth:
            _add(totals.setdefault(key, _zeros()), total[node])
        if not by_line:
            at = lines.setdefault(key, {})
            line = tree.frame(node).line
            at[line] = at.get(line, 0) + total[node][0]
        open_keys[key] = depth + 1
        pending.append(node)
        pending.extend([~child for child in children.get(node, ())])
    modules = {key_of[node]: tree.frame(node).module for node in key_of}
    found = []
    for key, sums in totals.items():
        at = lines.get(key, {})
        line = key[2] if by_line else max(at, key=lambda n: (at[n], -n), default=0)
        self_ = Amount(*selfs.get(key, NOTHING))
        found.append(FunctionSum(key[0], key[1], line, modules[key], self_, Amount(*sums)))
    found.sort(key=lambda row: (-row.self_.wall_ns, -row.total.wall_ns, row.function, row.file))
    return found


def is_plumbing(row: FunctionSum) -> bool:
    """Tell whether a function is the standard library's, in which threads wait for others.

    It is where every idle thread stands: the time there is nobody's doing.
    """
    idle = row.self_.cpu_ns < _IDLE_SHARE * row.self_.wall_ns
    return idle and is_stdlib(row.file) and package_of(row.module) in STDLIB_WAITS


def plumbing_last(rows: Iterable[FunctionSum]) -> list[FunctionSum]:
    """Return functions in their order, idle plumbing behind all that have time of their own."""
    return sorted(rows, key=lambda row: (row.self_.wall_ns <= 0, is_plumbing(row)))


def payer_of(tree: CallTree, node: int) -> int:
    """Return the node whose time a node's is: of import plumbing the code that imports."""
    at = node
    while at != ROOT and is_machinery(tree.frame(at)):
        at = tree.parent(at)
    return at if at != ROOT else node


def _key(frame: Frame, by_line: bool) -> tuple[str, str, int]:
    return (frame.function, frame.file, frame.line if by_line else 0)


def _add(sums: list[int], more: Sequence[int]) -> None:
    sums[0] += more[0]
    sums[1] += more[1]
    sums[2] += more[2]
    sums[3] += more[3]
    sums[4] += more[4]


def _zeros() -> list[int]:
    return [0, 0, 0, 0, 0]


class MergedTree:
    """A call tree whose nodes are functions instead of lines; ids are stable while it grows.

    Import plumbing is left out: a module's code hangs below the code that imported it, and the
    plumbing's own time counts for the importer. Node 0 is the root; `parent(n) < n`.
    """

    def __init__(self, tree: CallTree, *, by_line: bool = False) -> None:
        self.source = tree
        self.by_line = by_line
        self._merged: dict[int, int] = {ROOT: ROOT}
        self._ids: dict[tuple[int, tuple[str, str, int]], int] = {}
        self._parents = [ROOT]
        self._frames = [tree.frame(ROOT)]

    def merge(self, node: int) -> int:
        """Return the merged node that call-tree node `node` belongs to."""
        found = self._merged.get(node)
        if found is not None:
            return found
        chain = []
        while (found := self._merged.get(node)) is None:
            chain.append(node)
            node = self.source.parent(node)
        for step in reversed(chain):
            frame = self.source.frame(step)
            if not is_machinery(frame):
                found = self._known(found, frame)
            self._merged[step] = found
        return found

    def merge_torn(self, node: int) -> int:
        """Return the merged node of a torn stack: its innermost frame alone, below the root."""
        return self._known(ROOT, self.source.frame(payer_of(self.source, node))) if node else ROOT

    def _known(self, parent: int, frame: Frame) -> int:
        key = (parent, _key(frame, self.by_line))
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = len(self._parents)
            self._parents.append(parent)
            self._frames.append(frame)
        return known

    def merge_all(self, nodes: Iterable[int]) -> Mapping[int, int]:
        """Return the merged node of at least these call-tree nodes, and of all their callers."""
        for node in nodes:
            if node not in self._merged:
                self.merge(node)
        return self._merged

    def parent(self, merged: int) -> int:
        """Return the calling merged node; the root's parent is the root."""
        return self._parents[merged]

    def frame(self, merged: int) -> Frame:
        """Return a frame of the merged node; of a whole function its line is the first seen."""
        return self._frames[merged]

    def path(self, merged: int) -> list[int]:
        """Return the merged nodes from the outermost to `merged`, without the root."""
        nodes = []
        while merged != ROOT:
            nodes.append(merged)
            merged = self._parents[merged]
        nodes.reverse()
        return nodes


class MergedSums:
    """Weights of one or more threads on a `MergedTree`."""

    def __init__(self, merged: MergedTree, stacks: Sequence[ThreadTree]) -> None:
        own, raw_total, self.torn = node_totals(merged.source, stacks)
        self.merged = merged
        self.own: dict[int, list[int]] = {}
        """Self weights by merged node."""
        self.total: dict[int, list[int]] = {}
        """Total weights by merged node; the root's holds everything, torn stacks too."""
        self.line: dict[int, int] = {}
        """The line that the merged node stood in longest."""
        self._raw_total = raw_total
        parent_of = merged.source.parent
        frame_of = merged.source.frame
        best: dict[int, int] = {}
        merged_of = merged.merge_all(raw_total)
        for node, sums in raw_total.items():
            at = merged_of[node]
            if node != ROOT and at == merged_of[parent_of(node)]:
                continue  # plumbing: its time is already in the importer's total
            mine = self.total.get(at)
            if mine is None:
                self.total[at] = sums[:]
            else:
                _add(mine, sums)
            if node != ROOT and sums[0] >= best.get(at, 0):
                best[at] = sums[0]
                self.line[at] = frame_of(node).line
        for node, sums in own.items():
            mine = self.own.get(merged_of[node])
            if mine is None:
                self.own[merged_of[node]] = sums[:]
            else:
                _add(mine, sums)

    def children(self) -> dict[int, list[int]]:
        """Return the called merged nodes of every node, by name so that they stay in place."""
        found: dict[int, list[int]] = {}
        parent = self.merged.parent
        for node in self.total:
            if node != ROOT:
                found.setdefault(parent(node), []).append(node)
        frame = self.merged.frame
        for nodes in found.values():
            if len(nodes) > 1:
                nodes.sort(key=lambda node: (frame(node).function, frame(node).file, node))
        return found

    def lines(self, wanted: int) -> list[tuple[int, Amount]]:
        """Return how the total of one merged node spreads over its source lines, hottest first."""
        found: dict[int, list[int]] = {}
        source = self.merged.source
        for node, sums in self._raw_total.items():
            if node == ROOT or self.merged.merge(node) != wanted:
                continue
            frame = source.frame(node)
            if not is_machinery(frame):
                _add(found.setdefault(frame.line, _zeros()), sums)
        ranked = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
        return [(line, Amount(*sums)) for line, sums in ranked]
