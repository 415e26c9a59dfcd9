"""diff-svg: the differential flame graph of a comparison, as a static picture.

Red gained, blue lost, grey is the same: told apart by those who do not see red and green. The
change is written into every frame that has room, so that it reads without any colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.flame_values import flame_values, sides_of, sign_of, tint_of
from perftui.probes.compare.headline import headline
from perftui.probes.export.pictures.boxes import FlameTree, lay_out
from perftui.probes.export.pictures.drawing import Face, draw, hsl
from perftui.probes.profile.sums import BYTES
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.compare.comparison import Comparison
    from perftui.probes.compare.flame_values import Tint
    from perftui.probes.export.pictures.boxes import FlameBox
    from perftui.probes.profile.difference import Change, Difference
    from perftui.probes.profile.sums import WeightName

HUES = {"more": 6.0, "less": 212.0}
"""As on the screen."""
_GREY = ("#d9dfe6", "#2f3742")
_REST = ("#e6eaef", "#20272f")


class NoStacks(ValueError):
    """There is nothing to draw; the message is one line that says why."""


def as_svg(comparison: Comparison, weight: WeightName = "wall") -> str:
    """Return the picture.

    Raises:
        NoStacks: neither run has stacks.
    """
    difference = comparison.functions.flame
    values = flame_values(difference, weight)
    if not values.get(ROOT):
        raise NoStacks("neither run has stacks here: there is no flame to draw")
    children = {number: node.children for number, node in enumerate(difference.nodes)}
    boxes = lay_out(FlameTree(children, values))
    faces = _Faces(difference, weight)
    base, new = comparison.pair
    whole = difference.whole
    before, after = sides_of(whole, weight)
    only = "" if comparison.phase is None else f" · phase {comparison.phase}"
    lines = [
        f"base {base.name}: {_amount(before, weight)} of threads in"
        f" {format_seconds(base.duration_s)} · new {new.name}: {_amount(after, weight)} in"
        f" {format_seconds(new.duration_s)}{only}",
        "width: the larger of both shares · red gained, blue lost · figures: change of the"
        " share in points of per cent",
        headline(comparison).text,
    ]
    title = f"{base.name} → {new.name}"
    return "".join(draw(boxes, faces.face, title, lines, root_on_top=True))


class _Faces:
    """What the boxes say."""

    def __init__(self, difference: Difference, weight: WeightName) -> None:
        self._difference = difference
        self._weight: WeightName = weight

    def face(self, box: FlameBox) -> Face:
        difference, weight = self._difference, self._weight
        node = difference.nodes[box.node]
        if box.more:
            label = f"+{box.more} more"
            return Face(label, [f"{box.more} functions, each too narrow to draw"], *_REST)
        delta = difference.delta(node.total, weight)
        if box.node == ROOT:
            told = ["all threads", self._told(node.total)]
            return Face("all threads", told, *_GREY, self._told(node.total))
        own = difference.delta(node.self_, weight)
        where = f"{node.file}:{node.line}" if node.line else node.file
        told = [
            node.function,
            where,
            f"{sign_of(delta)} points: {_percent(delta.base_share)} →"
            f" {_percent(delta.new_share)} of the time",
            f"total {self._told(node.total)}",
            f"itself {self._told(node.self_)}, {sign_of(own)} points",
            f"per second of the run {delta.base_per_s:.3g} → {delta.new_per_s:.3g}",
        ]
        label = f"{sign_of(delta)} {node.function}"
        place = node.file.replace("\\", "/").rpartition("/")[2]
        return Face(label, told, *_colours(tint_of(delta)), place)

    def _told(self, change: Change) -> str:
        before, after = sides_of(change, self._weight)
        return f"{_amount(before, self._weight)} → {_amount(after, self._weight)}"


def _colours(tint: Tint) -> tuple[str, str]:
    """Return the colour on a light and on a dark page."""
    if tint.hue == "same":
        return _GREY
    hue, strength = HUES[tint.hue], tint.strength
    return (
        hsl(hue, 0.35 + 0.5 * strength, 0.90 - 0.24 * strength),
        hsl(hue, 0.25 + 0.45 * strength, 0.24 + 0.16 * strength),
    )


def _amount(value: float, weight: WeightName) -> str:
    return format_bytes(value) if weight in BYTES else format_seconds(value)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
