"""The icicle of a difference: pure geometry, no drawing.

A box is as wide as the larger of its two shares, added up from the leaves: so what has vanished
keeps its place beside what is new, and no child is wider than its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.flame_values import flame_values
from perftui.probes.spine.calltree import ROOT
from perftui.tui.widgets.flame.layout import Icicle

if TYPE_CHECKING:
    from perftui.probes.profile.difference import Difference
    from perftui.probes.profile.sums import WeightName


def diff_icicle(found: Difference, weight: WeightName) -> Icicle | None:
    """Lay both sides over each other; None if neither has anything of the weight."""
    value = flame_values(found, weight)
    if value[ROOT] <= 0:
        return None
    children = {number: node.children for number, node in enumerate(found.nodes) if node.children}
    return Icicle(children, value, {})
