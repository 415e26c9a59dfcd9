"""The icicle of a difference: pure geometry, no drawing.

A box is as wide as the larger of its two shares, added up from the leaves: so what has vanished
keeps its place beside what is new, and no child is wider than its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.calltree import ROOT
from perftui.probes.profile import WEIGHT_INDEX
from perftui.tui.widgets.flame_layout import Icicle

if TYPE_CHECKING:
    from perftui.probes.difference import Difference
    from perftui.probes.profile import WeightName


def diff_icicle(found: Difference, weight: WeightName) -> Icicle | None:
    """Lay both sides over each other; None if neither has anything of the weight."""
    index = WEIGHT_INDEX[weight]
    wholes = [max(side[index], 0) for side in found.whole]
    value: dict[int, float] = {}
    for number in range(len(found.nodes) - 1, -1, -1):  # callees come after their callers
        node = found.nodes[number]
        own = 0.0
        for side, whole in enumerate(wholes):
            if whole:
                callees = sum(max(found.nodes[c].total[side][index], 0) for c in node.children)
                own = max(own, (max(node.total[side][index], 0) - callees) / whole)
        value[number] = own + sum(value[child] for child in node.children)
    if value[ROOT] <= 0:
        return None
    children = {number: node.children for number, node in enumerate(found.nodes) if node.children}
    return Icicle(children, value, {})
