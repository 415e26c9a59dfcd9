"""Stacks of a part of a recording as one tree: threads below the root, their functions below."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.export.material.timeline import process_names, stack_sums
from perftui.probes.export.pictures.boxes import FlameTree
from perftui.probes.profile.sums import Amount, MergedTree, split_torn
from perftui.probes.spine.calltree import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.spine.calltree import Frame
    from perftui.probes.spine.reader import Reader, Weights
    from perftui.probes.spine.records import ThreadKey


class FlameThread(NamedTuple):
    """A root of the flame graph."""

    thread: ThreadKey
    name: str
    process: str


class StackFlame(NamedTuple):
    """The stacks of some threads by wall time, in nanoseconds."""

    tree: FlameTree
    own: dict[int, int]
    """Self time by node."""
    threads: dict[int, FlameThread]
    """By node: those right below the root."""
    frames: dict[int, Frame]
    """By node: all below the threads."""

    @property
    def wall_ns(self) -> int:
        """The sampled time of all threads."""
        return int(self.tree.value.get(ROOT, 0))


def flame_of(reader: Reader, part: Slice) -> StackFlame:
    """Return the stacks of a part of a recording, the hottest thread first."""
    sums = stack_sums(reader, part)
    processes = process_names(reader)
    merged = MergedTree(reader.tree, by_line=part.by_line)
    flame = StackFlame(FlameTree({}, {ROOT: 0}), {}, {}, {})
    children: dict[int, list[int]] = {ROOT: []}
    value: dict[int, float] = {ROOT: 0}
    ids = 0
    for thread in sorted(sums, key=lambda key: _heat(sums[key])):
        own = thread_own(merged, sums[thread])
        total = totals(merged, own)
        ids += 1
        root = ids
        node_of = {ROOT: root}
        process = processes.get(thread[0]) or f"process {thread[0]}"
        flame.threads[root] = FlameThread(thread, reader.thread_name(thread), process)
        children[ROOT].append(root)
        # Callers have lower numbers: every parent is there before its children.
        for node in sorted(total):
            if node != ROOT:
                ids += 1
                node_of[node] = ids
                flame.frames[ids] = merged.frame(node)
                children.setdefault(node_of[merged.parent(node)], []).append(ids)
            value[node_of[node]] = total[node]
        for node, amount in own.items():
            flame.own[node_of[node]] = amount.wall_ns
        value[ROOT] += total[ROOT]
    for nodes in children.values():
        if nodes and nodes[0] in flame.frames:
            nodes.sort(key=lambda node: (*flame.frames[node][:2], node))
    return flame._replace(tree=FlameTree(children, value))


def _heat(nodes: Mapping[int, Weights]) -> tuple[int, int]:
    """Return what sorts the thread with most CPU first."""
    return (
        -sum(weights.cpu_ns for weights in nodes.values()),
        -sum(weights.wall_ns for weights in nodes.values()),
    )


def thread_own(merged: MergedTree, nodes: Mapping[int, Weights]) -> dict[int, Amount]:
    """Return self weights by merged node; of a torn stack the leaf stands alone at the root."""
    own: dict[int, Amount] = {}
    for node, weights in nodes.items():
        kept, torn = split_torn(weights)
        for at, amount in ((merged.merge(node), kept), (merged.merge_torn(node), torn)):
            if any(amount):
                before = own.get(at)
                own[at] = amount if before is None else _sum(before, amount)
    return own


def _sum(a: Amount, b: Amount) -> Amount:
    return Amount(*(one + other for one, other in zip(a, b, strict=True)))


def totals(merged: MergedTree, own: Mapping[int, Amount]) -> dict[int, int]:
    """Return the wall time of every node with all that it called, in nanoseconds."""
    total = {node: amount.wall_ns for node, amount in own.items()}
    total.setdefault(ROOT, 0)
    for node in list(total):
        while node != ROOT:
            node = merged.parent(node)
            if node in total:
                break
            total[node] = 0
    for node in sorted(total, reverse=True):
        if node != ROOT:
            total[merged.parent(node)] += total[node]
    return total
