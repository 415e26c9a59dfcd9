"""`--fail-on`: thresholds that a comparison must keep, as "peak_rss>+10%,rate:rows<-5%".

    METRIC > +10%     the change, as a part of the base
    METRIC > +50MB    the change, in the metric's unit
    METRIC > 1GB      the new value itself

One run each: the figures are judged as they are, and `strict` lets nothing pass on them. Several
runs a side: a rule is broken where the median is beyond the threshold and the interval excludes
no change; suspect where the interval does not; inconclusive where the interval reaches across
the threshold.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.figures import amount_text, change_text, percent_text
from perftui.probes.text.units import parse_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.comparison import Comparison
    from perftui.probes.compare.confidence import Interval
    from perftui.probes.compare.figures import FigureChange

Outcome = Literal["broken", "suspect", "fine", "inconclusive"]
Kind = Literal["percent", "change", "level"]

_RULE = re.compile(r"\s*(.+?)\s*([<>])\s*([+\-−]?)\s*([0-9]*\.?[0-9]+)\s*([a-zA-Z%/]*)\s*")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
HOW = "write it like 'peak_rss>+10%', 'duration>+2s', 'imports>500ms' or 'rate:rows<-5%'"


class RuleError(ValueError):
    """A rule cannot be read or names no metric; the message is one line that says why."""


class Rule(NamedTuple):
    """One threshold."""

    text: str
    metric: str
    above: bool
    kind: Kind
    amount: float
    """A part (0.1 = 10 %), or in the metric's unit; negative for a decrease."""


class Judged(NamedTuple):
    """What became of a rule."""

    rule: Rule
    outcome: Outcome
    text: str


def parse_rules(texts: Sequence[str]) -> list[Rule]:
    """Read rules; each text may hold several, separated by commas.

    Raises:
        RuleError: one of them is none.
    """
    return [_parse(part) for text in texts for part in text.split(",") if part.strip()]


def _parse(text: str) -> Rule:
    match = _RULE.fullmatch(text)
    if match is None:
        raise RuleError(f"{text.strip()!r} is not a rule; {HOW}")
    metric, sign, plus, number, unit = match.groups()
    value = float(number)
    if unit == "%":
        kind: Kind = "percent"
        value /= 100
    else:
        kind = "change" if plus else "level"
        try:
            value = _amount(number, unit)
        except ValueError as error:
            raise RuleError(f"{text.strip()!r} has no unit that is known; {HOW}") from error
    if plus not in ("", "+"):
        value = -value
    return Rule(text.strip(), metric, sign == ">", kind, value)


def _amount(number: str, unit: str) -> float:
    if unit in ("", "/s"):
        return float(number)
    if unit in _SECONDS:
        return float(number) * _SECONDS[unit]
    return float(parse_bytes(number + unit))


def check_rules(rules: Sequence[Rule], comparison: Comparison) -> None:
    """See that every rule is about something.

    Raises:
        RuleError: a metric is known on neither side; the message lists what there is.
    """
    known = [figure.key for figure in comparison.figures]
    for rule in rules:
        if rule.metric not in known:
            near = difflib.get_close_matches(rule.metric, known, 1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise RuleError(f"no metric {rule.metric!r}{meant}; there are {', '.join(known)}")


def judge(rules: Sequence[Rule], comparison: Comparison, *, strict: bool = False) -> list[Judged]:
    """Judge every rule."""
    return [_judge(rule, comparison, strict=strict) for rule in rules]


def exit_code(judged: Sequence[Judged], *, strict: bool = False) -> int:
    """Return 1 if a rule is broken, else 3 if one could not be decided, else 0."""
    outcomes = {each.outcome for each in judged}
    if "broken" in outcomes or (strict and "suspect" in outcomes):
        return 1
    return 3 if "inconclusive" in outcomes else 0


def _judge(rule: Rule, comparison: Comparison, *, strict: bool) -> Judged:
    figure = comparison.figure(rule.metric)
    value = None if figure is None else _value(rule, figure)
    if figure is None or value is None:
        why = "not known on both sides"
        if figure is not None and figure.change is not None:
            why = "the base is 0, of which nothing is a percentage"
        return Judged(rule, "inconclusive", f"{rule.text}: {why}")
    beyond = value > rule.amount if rule.above else value < rule.amount
    told = f"{rule.text}: {_told(rule, figure)}"
    if rule.kind == "level":
        return Judged(rule, "broken" if beyond else "fine", told)
    interval = figure.relative_interval if rule.kind == "percent" else figure.interval
    if interval is None:
        if beyond:
            few = max(len(comparison.base), len(comparison.new)) == 1
            doubt = "one run each" if few else "too few runs for an interval"
            return Judged(rule, "broken", f"{told}, {doubt}")
        if strict:
            return Judged(rule, "inconclusive", f"{told}; too few runs to be sure")
        return Judged(rule, "fine", told)
    outcome = _with_interval(rule, beyond, interval)
    low, high = (percent_text(end) for end in figure.relative_interval or (0.0, 0.0))
    return Judged(rule, outcome, f"{told} ({low} to {high})")


def _with_interval(rule: Rule, beyond: bool, interval: Interval) -> Outcome:
    # As if every rule were about an increase.
    amount = rule.amount if rule.above else -rule.amount
    low, high = interval if rule.above else (-interval.high, -interval.low)
    if beyond:
        return "broken" if low > min(0.0, amount) else "suspect"
    return "fine" if high <= amount else "inconclusive"


def _value(rule: Rule, figure: FigureChange) -> float | None:
    if rule.kind == "level":
        return figure.new
    return figure.ratio if rule.kind == "percent" else figure.change


def _told(rule: Rule, figure: FigureChange) -> str:
    base, new = amount_text(figure.base, figure.unit), amount_text(figure.new, figure.unit)
    change = percent_text(figure.ratio) if rule.kind == "percent" else change_text(figure)
    return f"{base} → {new}" + ("" if rule.kind == "level" else f", {change}")
