"""Who won a race, in words. Pure: figures in, sentences out, nothing that was not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.scenarios.race.figures import MEASURES
from perftui.scenarios.race.growth import cost_range

if TYPE_CHECKING:
    from perftui.scenarios.race.figures import Figures
    from perftui.scenarios.race.growth import Growth
    from perftui.scenarios.race.pairs import MeasureKey, Pair, Way

CLEAR_MEMORY = 1.2
"""Peaks repeat within 2 %: this much more is a difference."""
CLEAR_TIME = 1.5
"""Single runs vary by up to a sixth on a quiet machine: less than this is not told apart."""
CLEAR_FIRST = 2.0
"""The same for times of milliseconds."""
_FLOOR_BYTES = 1_000_000
"""Below this RSS differs for no reason."""
_CLEAR: dict[MeasureKey, float] = {
    "peak": CLEAR_MEMORY,
    "kept": CLEAR_MEMORY,
    "released": CLEAR_MEMORY,
    "first_row": CLEAR_FIRST,
    "first_call": CLEAR_FIRST,
    "warm_call": CLEAR_TIME,
    "total": CLEAR_TIME,
    "rate": CLEAR_TIME,
}
_BETTER: dict[MeasureKey, str] = {
    "peak": "{x} less memory above base",
    "first_row": "first row {x} sooner",
    "total": "{x} faster in total",
    "rate": "{x} the rows a second",
    "first_call": "first {call} {x} faster",
    "warm_call": "{x} faster per {call}",
}
_NAMES: dict[MeasureKey, str] = {
    "peak": "peak memory",
    "first_row": "first row",
    "total": "total time",
    "rate": "rows a second",
    "first_call": "first {call}",
    "warm_call": "time per {call}",
}


class Verdict(NamedTuple):
    """The outcome."""

    winner: int | None
    """Index of the side, None if there is none."""
    head: str
    """ "streaming wins", or "no winner"."""
    words: str
    """By how much, in a sentence."""
    why: str
    """What made the difference."""
    ratios: dict[MeasureKey, float]
    """By measure: the first side's figure by the second's; unknown ones are left out."""


def verdict(pair: Pair, way: Way, figures: tuple[Figures, Figures]) -> Verdict:
    """Judge a race that is over."""
    ratios = ratios_of(pair, figures)
    winner = next(
        (side for key in pair.decides if (side := clear_winner(key, ratios)) is not None), None
    )
    if winner is None:
        return Verdict(None, "no winner", _no_winner(pair, ratios), "", ratios)
    spoken = [key for key in pair.decides if key in ratios]
    if "total" in pair.measures and not {"rate", "total"} & {*spoken} and "total" in ratios:
        spoken.append("total")  # says the same as the rate, where the rows are the same
    better = [key for key in spoken if clear_winner(key, ratios) == winner]
    worse = [key for key in spoken if clear_winner(key, ratios) == 1 - winner]
    alike = [key for key in spoken if clear_winner(key, ratios) is None]
    parts = [_said(pair, key, ratios) for key in better]
    words = ", ".join(parts)
    if worse:
        lost = " and ".join(_said(pair, key, ratios) for key in worse)
        words += f"; in favour of {pair.sides[1 - winner].name}: {lost}"
    if alike:
        labels = " and ".join(_NAMES[key].format(call=pair.call) for key in alike)
        words += f"; {labels} alike within what single runs can tell"
    words += "."
    if any(each.contended for each in figures):
        words += " The machine was busy: trust the memory, not the times."
    return Verdict(winner, f"{pair.sides[winner].name} wins", words, way.why, ratios)


def clear_winner(key: MeasureKey, ratios: dict[MeasureKey, float]) -> int | None:
    """Which side is better by more than chance, None if neither."""
    ratio = ratios.get(key)
    if ratio is None:
        return None
    if MEASURES[key].better == "high":
        ratio = 1 / ratio
    if ratio >= _CLEAR[key]:
        return 1
    return 0 if ratio <= 1 / _CLEAR[key] else None


def with_growth(pair: Pair, growth: tuple[Growth | None, Growth | None]) -> str:
    """Say what ten times the work would do, once that has been measured; "" if it was not."""
    told = [
        f"{side.name} {cost_range(pair, each.ten_times)}"
        for side, each in zip(pair.sides, growth, strict=True)
        if each is not None and each.ten_times is not None
    ]
    if not told:
        return ""
    more = "With 10x the data" if pair.work == "size" else "With 10x the rows"
    above = " above base" if pair.grows == "peak" else ""
    what = "" if pair.grows == "peak" else f" per {pair.call}" if pair.grows == "warm_call" else ""
    return f"{more}: {', '.join(told)}{above}{what}."


def ratios_of(pair: Pair, figures: tuple[Figures, Figures]) -> dict[MeasureKey, float]:
    """Each measure of the first side by that of the second; unknown ones are left out."""
    ratios: dict[MeasureKey, float] = {}
    for key in dict.fromkeys((*pair.measures, *pair.decides)):
        one, other = (each.value(key) for each in figures)
        if one is None or other is None:
            continue
        if key in ("peak", "released"):
            one, other = max(one, _FLOOR_BYTES), max(other, _FLOOR_BYTES)
        if one > 0 and other > 0:
            ratios[key] = one / other
    return ratios


def _said(pair: Pair, key: MeasureKey, ratios: dict[MeasureKey, float]) -> str:
    ratio = ratios[key]
    return _BETTER[key].format(x=times(max(ratio, 1 / ratio)), call=pair.call)


def times(ratio: float) -> str:
    """Write a factor: 1.16x, 5.9x, 214x."""
    if ratio >= 99.5:
        return f"{ratio:.0f}x"
    return f"{ratio:.1f}x" if ratio >= 2 else f"{ratio:.2f}x"


def _no_winner(pair: Pair, ratios: dict[MeasureKey, float]) -> str:
    labels = [_NAMES[key].format(call=pair.call) for key in pair.decides if key in ratios]
    if not labels:
        return "what decides was not measured: see the recordings."
    text = f"the two are alike in {' and '.join(labels)}"
    if pair.decides[0] == "peak":
        text += ": so little data fit into what is read ahead; take more with --size"
    return text + "."
