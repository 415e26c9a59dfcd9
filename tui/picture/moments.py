"""Moments as a person writes them: `12.5`, `-30s`, `+5`, `50%`, `1:23`, `12:03:10`."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS = "12.5 · -30s (before the end) · +5s (from here) · 50% · 1:23 · 12:03:10 (time of day)"
_UNITS_S = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|m|h|%|)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)", re.ASCII)


class Stretch(NamedTuple):
    """What moments are counted from."""

    t_start_ns: int
    t_end_ns: int
    cursor_ns: int
    wall_ns: Callable[[int], int | None]
    """Time of day of a moment, in nanoseconds since 1970."""


def parse_moment(text: str, span: Stretch) -> int:
    """Return the moment that is meant, in nanoseconds of the session's clock.

    Raises:
        ValueError: with a sentence that says what is accepted, or what the session spans.
    """
    text = text.strip().lower()
    clock = _CLOCK.fullmatch(text)
    amount = _AMOUNT.fullmatch(text)
    if clock is not None:
        found = _of_clock(clock, span)
    elif amount is not None:
        found = _of_amount(amount, span)
    else:
        raise ValueError(f"{text!r} is not a moment; write {FORMS}")
    if not span.t_start_ns <= found <= span.t_end_ns:
        length = format_seconds((span.t_end_ns - span.t_start_ns) / NS_PER_S)
        raise ValueError(f"{text} is not within the session, which is {length} long")
    return found


def _of_amount(match: re.Match[str], span: Stretch) -> int:
    sign, number, unit = match.groups()
    value = float(number)
    length = span.t_end_ns - span.t_start_ns
    if unit == "%":
        part = value / 100
        return span.t_start_ns + round(length * (1 - part if sign == "-" else part))
    ns = value * _UNITS_S[unit] * NS_PER_S
    if not math.isfinite(ns):
        raise ValueError(f"{match[0]!r} is not a moment; write {FORMS}")
    if sign == "-":
        return span.t_end_ns - round(ns)
    return (span.cursor_ns if sign == "+" else span.t_start_ns) + round(ns)


def _of_clock(match: re.Match[str], span: Stretch) -> int:
    """`m:ss` is time since the start, as in the header; `h:mm:ss` is a time of day if it fits."""
    hours, minutes, seconds = match.groups()
    since_ns = round((int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)) * NS_PER_S)
    if hours is not None:
        of_day = _of_day(int(hours), int(minutes), float(seconds), span)
        if of_day is not None:
            return of_day
    return span.t_start_ns + since_ns


def _of_day(hours: int, minutes: int, seconds: float, span: Stretch) -> int | None:
    """Return the moment at which the clock on the wall said so; None if it never did."""
    began = span.wall_ns(span.t_start_ns)
    if began is None or hours > 23 or minutes > 59 or seconds >= 60:
        return None
    try:
        day = datetime.fromtimestamp(began / NS_PER_S)
        at = day.replace(hour=hours, minute=minutes, second=int(seconds), microsecond=0)
        days = [at + timedelta(days=number) for number in range(_days(span) + 1)]
        walls = [round(each.timestamp() * NS_PER_S) for each in days]
    except (ValueError, OverflowError, OSError):
        return None
    part = round(seconds % 1 * NS_PER_S)
    for wall in walls:
        # Whole seconds are typed: the second in which the session began is its beginning.
        found = span.t_start_ns + wall + part - began
        if span.t_start_ns - NS_PER_S < found <= span.t_end_ns:
            return max(found, span.t_start_ns)
    return None


def _days(span: Stretch) -> int:
    return min((span.t_end_ns - span.t_start_ns) // (86_400 * NS_PER_S) + 1, 1_000)
