"""Which figures are judged, and from which change on: defaults, and what a person says.

--threshold duration=20%     another threshold
--threshold duration=off     not judged
--threshold phase:load.growth=10%     a figure that is only shown otherwise
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.compare.figures import THRESHOLD
from perftui.scenarios.define.parameters import ScenarioError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perftui.probes.compare.facts import Figure

ALWAYS = (
    "duration", "cpu", "peak_rss", "growth", "growth_per_row", "imports", "first_call", "warm_call",
    "cold_start",
)  # fmt: skip
"""Judged wherever they are known; rates of counters too."""
_THRESHOLD = re.compile(r"\s*(?P<key>\S.*?)\s*=\s*(?:(?P<off>off)|(?P<part>\d+(?:\.\d+)?)\s*%)\s*")


@dataclass(frozen=True, slots=True)
class Gate:
    """What is judged."""

    own: Mapping[str, float | None] = field(default_factory=dict)
    """By figure: a part of the base (0.1 = 10 %), None: not judged."""

    def threshold(self, key: str, figure: Figure) -> float | None:
        """Return from which change on a figure is judged; None: it is only shown."""
        if key in self.own:
            return self.own[key]
        if figure.better == "neither" or not (key in ALWAYS or key.startswith("rate:")):
            return None
        return THRESHOLD[figure.unit]

    def judged(self, figures: Mapping[str, Figure]) -> list[str]:
        """Return the figures that are judged, of those that are known."""
        return [key for key, figure in figures.items() if self.threshold(key, figure) is not None]

    def check(self, known: Sequence[str]) -> None:
        """See that every threshold is about something.

        Raises:
            ScenarioError: a figure is not known.
        """
        for key in self.own:
            if key not in known and key not in ALWAYS:
                raise ScenarioError(
                    f"--threshold {key}: there is no such figure{nearest(key, known)}; there are "
                    f"{', '.join(known)}"
                )


def parse_thresholds(texts: Iterable[str]) -> Gate:
    """Read NAME=20% and NAME=off; each text may hold several, with commas.

    Raises:
        ScenarioError: one of them is none.
    """
    own: dict[str, float | None] = {}
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        match = _THRESHOLD.fullmatch(part)
        if match is None:
            raise ScenarioError(
                f"--threshold {part.strip()}: write NAME=20% or NAME=off, like duration=20%"
            )
        value = None if match["off"] else float(match["part"]) / 100
        if value is not None and not 0 < value < 1000:
            raise ScenarioError(f"--threshold {part.strip()}: the threshold is above 0 %")
        own[match["key"]] = value
    return Gate(own)
