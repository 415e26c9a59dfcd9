"""`--when`: what is to be kept, read from a line of text.

    TERM, TERM, ...           one of them is enough
    rss > 2GB                 also pss, uss, swap (bytes), cpu (% of a core), threads, fds,
                              processes; > >= < <= == !=
    rss > 2GB for 10s         for so long without a break
    stall > 5s                a thread, or an event loop, stands where it should not
    exit, exit != 0, exit == 3
    alert, alert == mem_growth, alert >= critical

Something that does not parse is told with its place.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["metric", "stall", "exit", "alert"]
Compare = Literal[">", ">=", "<", "<=", "==", "!="]

COMPARE: dict[Compare, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
METRICS: dict[str, tuple[str, Literal["bytes", "percent", "count"]]] = {
    "rss": ("rss_bytes", "bytes"),
    "pss": ("pss_bytes", "bytes"),
    "uss": ("uss_bytes", "bytes"),
    "swap": ("swap_bytes", "bytes"),
    "cpu": ("cpu_percent", "percent"),
    "threads": ("threads", "count"),
    "fds": ("fds", "count"),
    "processes": ("processes", "count"),
}
"""By name: the figure of the family, and its unit."""
SEVERITIES = ("info", "warn", "critical")
LONGEST = 2_000
"""Characters of an expression; nobody types more."""

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_]\w*")
_OPERATOR = re.compile(r"[<>=!]+")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:e\d+)?|\.\d+")
_UNIT = re.compile(r"[A-Za-z%]+")
_SIZES = {
    "": 1,
    "b": 1,
    "k": 10**3,
    "kb": 10**3,
    "m": 10**6,
    "mb": 10**6,
    "g": 10**9,
    "gb": 10**9,
    "t": 10**12,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_TIMES_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_LEAST_STALL_S = 1.0
"""Below it the pauses between two readings tell nothing."""


class ExpressionError(ValueError):
    """An expression that cannot be read.

    Args:
        text: The expression.
        at: Where it stops to make sense, as a number of characters.
        why: In words.
    """

    def __init__(self, text: str, at: int, why: str) -> None:
        super().__init__(why)
        self.text = text
        self.at = at
        self.why = why

    def lines(self) -> list[str]:
        """Return why, the expression, and a caret below the place."""
        shown = "".join(char if char.isprintable() else "?" for char in self.text)
        first = max(self.at - 60, 0)
        part = shown[first : self.at + 40]
        return [self.why, f"  {part}", "  " + " " * (self.at - first) + "^"]


class Term(NamedTuple):
    """One condition."""

    kind: Kind
    text: str
    """As it was typed."""
    name: str = ""
    """Figure of a metric, or kind of an alert; "" for any."""
    compare: Compare = ">"
    value: float = 0.0
    """Bytes, per cent, a count, seconds, an exit code, or the rank of a severity."""
    for_s: float = 0.0
    any: bool = False
    """Of exit and alert: whichever."""
    unit: Literal["bytes", "percent", "count", ""] = ""


def parse_when(text: str) -> tuple[Term, ...]:
    """Read an expression.

    Raises:
        ExpressionError: with the place.
    """
    return _Reader(text).terms()


def parse_seconds(text: str) -> float:
    """Read a length of time such as "60s", "5min", "90"; the unit is seconds if none is said.

    Raises:
        ValueError: it is none, or not above 0.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or (match[2] or "s") not in _TIMES_S:
        raise ValueError(f"{text!r} is not a length of time such as 60s, 5min or 2h")
    seconds = float(match[1]) * _TIMES_S[match[2] or "s"]
    if not 0 < seconds < 1e8:
        raise ValueError(f"{text!r} is not a length of time above 0")
    return seconds


class _Reader:
    """Goes through an expression once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def terms(self) -> tuple[Term, ...]:
        if len(self._text) > LONGEST:
            raise ExpressionError(self._text, LONGEST, f"more than {LONGEST} characters")
        found = [self._term()]
        while self._skip() < len(self._text):
            if self._text[self._at] != ",":
                raise self._error("a comma is missing here, or this is too much")
            self._at += 1
            found.append(self._term())
        return tuple(found)

    def _term(self) -> Term:
        start = self._skip()
        name = self._take(_NAME)
        if not name:
            raise self._error(f"a condition is missing here: {_KNOWN}")
        low = name.lower()
        if low in METRICS:
            term = self._metric(low)
        elif low == "stall":
            compare = self._compare((">", ">="))
            at = self._skip()
            value = self._time()
            if value < _LEAST_STALL_S:
                raise ExpressionError(self._text, at, "a stall is told from 1 s on")
            term = Term("stall", "", compare=compare, value=value)
        elif low == "exit":
            term = self._exit()
        elif low == "alert":
            term = self._alert()
        else:
            raise ExpressionError(self._text, start, f"there is no {name!r}: {_KNOWN}")
        return term._replace(text=" ".join(self._text[start : self._at].split()))

    def _metric(self, name: str) -> Term:
        figure, unit = METRICS[name]
        compare = self._compare(tuple(COMPARE))
        value = self._number()
        at, written = self._unit()
        if unit == "bytes":
            if written not in _SIZES:
                raise ExpressionError(self._text, at, "not a unit of memory: MB, GB, MiB, GiB")
            value *= _SIZES[written]
        elif written not in (("", "%") if unit == "percent" else ("",)):
            raise ExpressionError(self._text, at, f"{name} is {_UNITS[unit]}")
        for_s = 0.0
        before = self._at
        self._skip()
        if self._take(_NAME).lower() == "for":
            self._skip()
            for_s = self._time()
        else:
            self._at = before
        return Term("metric", "", figure, compare, value, for_s, unit=unit)

    def _exit(self) -> Term:
        if self._ends():
            return Term("exit", "", any=True)
        compare = self._compare(("!=", "=="))
        value = self._number()
        if not value.is_integer() or value > 255:
            raise self._error("an exit code is a number up to 255")
        return Term("exit", "", compare=compare, value=value)

    def _alert(self) -> Term:
        if self._ends():
            return Term("alert", "", compare=">=", value=SEVERITIES.index("warn"))
        compare = self._compare(("==", ">="))
        at = self._skip()
        word = self._take(_NAME)
        if compare == ">=":
            if word not in SEVERITIES:
                raise ExpressionError(self._text, at, f"not one of {', '.join(SEVERITIES)}")
            return Term("alert", "", compare=compare, value=SEVERITIES.index(word))
        from perftui.probes.detect.registry import DETECTORS

        if word not in DETECTORS:
            known = ", ".join(sorted(DETECTORS))
            raise ExpressionError(self._text, at, f"there is no alert {word!r}: {known}")
        return Term("alert", "", word, ">=", SEVERITIES.index("warn"))

    def _ends(self) -> bool:
        at = self._skip()
        return at == len(self._text) or self._text[at] == ","

    def _skip(self) -> int:
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _compare(self, allowed: tuple[Compare, ...]) -> Compare:
        at = self._skip()
        found = self._take(_OPERATOR)
        meant = "==" if found == "=" else found
        for one in allowed:
            if one == meant:
                return one
        raise ExpressionError(self._text, at, f"one of {' '.join(allowed)} is missing here")

    def _number(self) -> float:
        at = self._skip()
        found = self._take(_NUMBER)
        if not found:
            raise ExpressionError(self._text, at, "a number is missing here")
        value = float(found)
        if value > 1e18:
            raise ExpressionError(self._text, at, "that is too large")
        return value

    def _time(self) -> float:
        value = self._number()
        at, written = self._unit()
        if (written or "s") not in _TIMES_S:
            raise ExpressionError(self._text, at, "not a unit of time: ms, s, min, h")
        return value * _TIMES_S[written or "s"]

    def _unit(self) -> tuple[int, str]:
        """Take a unit, "" if there is none; return where it stands, too."""
        before, at = self._at, self._skip()
        written = self._take(_UNIT).lower()
        if written in ("", "for"):
            self._at = before
            return before, ""
        return at, written

    def _error(self, why: str) -> ExpressionError:
        return ExpressionError(self._text, self._at, why)


_KNOWN = f"{', '.join(METRICS)}, stall, exit or alert"
_UNITS = {"percent": "in % of a core", "count": "a plain number", "bytes": "in bytes"}
