"""Collapsed stacks: `process / thread;outermost;...;innermost NANOSECONDS`, one line per stack.

The oldest and plainest of the formats: every flame graph tool reads it. There is no time order
in it, only sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from perftui.probes.export.material.names import frame_label, plain
from perftui.probes.export.material.timeline import StackTimeline, no_stacks, process_names
from perftui.probes.profile.sums import MergedTree, split_torn

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.spine.reader import Reader, ThreadTree


def write(reader: Reader, part: Slice, out: BinaryIO) -> None:
    """See `Exporter.write`."""
    tree = MergedTree(reader.tree, by_line=part.by_line)
    stacks = StackTimeline(tree, [])
    names = process_names(reader)
    labels: dict[int, str] = {}
    threads = [t for t in reader.call_tree(part.t0_ns, part.t1_ns) if part.has_thread(t.pid, t.tid)]
    if not threads:
        raise no_stacks(part)
    for thread in threads:
        process = names.get(thread.pid) or f"process {thread.pid}"
        head = _word(f"{plain(process)} / {plain(thread.name)}")
        lines = []
        for stack, wall_ns in _by_stack(tree, thread).items():
            words = [head]
            for node in stacks.path(stack):
                label = labels.get(node)
                if label is None:
                    label = labels[node] = _word(frame_label(stacks.frame(node), part.by_line))
                words.append(label)
            lines.append(f"{';'.join(words)} {wall_ns}\n")
        out.write("".join(sorted(lines)).encode("utf-8", "replace"))


def _by_stack(tree: MergedTree, thread: ThreadTree) -> dict[int, int]:
    """Return the self time of each stack, a torn one as its leaf alone."""
    sums: dict[int, int] = {}
    for node, weights in thread.self_by_node.items():
        whole, torn = split_torn(weights)
        for stack, wall_ns in (
            (tree.merge(node), whole.wall_ns),
            (tree.merge_torn(node), torn.wall_ns),
        ):
            if wall_ns:
                sums[stack] = sums.get(stack, 0) + wall_ns
    return sums


def _word(text: str) -> str:
    """Take out what would end the word or the line."""
    return text.replace(";", ":").strip() or "?"
