"""How the rows of the race's screen are shared out. Pure, for every size."""

from __future__ import annotations

from typing import NamedTuple

WIDE = 110
"""From here on each side has its figures, its growth and its flame in its own half."""
_TALL = 30


class RaceLayout(NamedTuple):
    """Heights in rows, frames included; 0 is not shown."""

    wide: bool
    rss: int
    cpu: int
    band: int
    axis: int
    figures: int
    growth: int
    flame: int
    verdict: int
    recordings: int
    left_width: int
    """Cells of the left half; the right one has the rest."""
    left: int
    """First column of the time axis within a half."""
    gap: int = 0
    """Blank rows above the flames, and below."""

    @property
    def rows(self) -> int:
        """All of them, with header and footer."""
        charts = self.rss + self.cpu + self.band + self.axis
        words = self.figures + self.growth + self.verdict + self.recordings
        return 2 + charts + self.flame + words + 2 * self.gap

    def half_width(self, side: int, width: int) -> int:
        """Cells of one half of a terminal."""
        return self.left_width if side == 0 else width - self.left_width

    def columns(self, width: int) -> int:
        """Cells of the time axis: the same in both halves, or their axes would differ."""
        return max(min(self.left_width, width - self.left_width) - self.left - 2, 1)


def plan(width: int, height: int, measures: int) -> RaceLayout:
    """Share out a terminal.

    Args:
        width: Cells.
        height: Cells.
        measures: How many figures there are.
    """
    half = width // 2
    if width >= WIDE and height >= _TALL:
        return _wide(height, measures, half)
    free = height - 2
    verdict = 4 if height >= 24 else 3 if height >= 18 else 2
    rss = 6
    shown = measures if height >= 27 else min(measures, 5)  # the last ones matter least
    figures = min(shown + 1, max(free - verdict - rss, 3))
    rest = free - verdict - rss - figures
    axis = int(rest >= 1)
    growth = 2 if rest - axis >= 3 else 0
    recordings = int(rest - axis - growth >= 1)
    rest -= axis + growth + recordings
    return RaceLayout(
        False, rss + rest, 0, 0, axis, figures, growth, 0, verdict, recordings, half, 8
    )


def _wide(height: int, measures: int, half: int) -> RaceLayout:
    figures = measures + 1  # and a blank row above
    growth, verdict, recordings = 3, 3, 1
    free = height - 2 - figures - growth - verdict - recordings - 2  # phases and time axis
    flame = 6 if free >= 24 else 5 if free >= 20 else 4 if free >= 16 else 0
    cpu = 6 if free - flame >= 18 else 5 if free - flame >= 12 else 0
    gap = int(free - flame - cpu >= 14)
    rss = free - flame - cpu - 2 * gap
    if rss > 16:  # a tall terminal: blank rows around the verdict, deeper stacks
        more = rss - 16
        verdict += min(more, 2)
        more -= min(more, 2)
        flame += min(more, 4)
        more -= min(more, 4)
        cpu += more // 3
        rss = 16 + more - more // 3
    return RaceLayout(
        True, rss, cpu, 1, 1, figures, growth, flame, verdict, recordings, half, 11, gap
    )
