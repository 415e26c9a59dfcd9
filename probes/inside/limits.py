"""What a measured block may cost, read from the arguments of `measure` or of a pytest marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perftui.probes.text.units import parse_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSEEN = {
    "slow_import": "imports are not timed from inside",
    "lock_wait": "the stacks of all threads are not taken from inside",
    "gc_pressure": "collections are not timed from inside of a block",
    "straggler": "a block is one process: it has no peers",
    "lone_growth": "a block is one process: it has no peers",
    "memory_skew": "a block is one process: it has no peers",
    "loop_blocked": "event loops are not looked at from inside of a block",
}
"""Kinds of alerts that a block measured in its own process can never raise, and why."""
_SIZES = {"max_growth": "100MB", "max_kept": "20MB", "max_peak": "1GB", "limit": "2GB"}
_NUMBERS = {"max_seconds": "2.5", "max_cpu_seconds": "2.5", "rate_hz": "20"}
NAMES = (*_SIZES, *_NUMBERS, "fail_on")
RATES_HZ = (1.0, 200.0)


class LimitsError(ValueError):
    """An argument that is none, or makes no sense; the message is one line."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What must not be exceeded; None where nothing was said."""

    max_growth: int | None = None
    """Bytes that RSS may rise above where it was when the block began."""
    max_kept: int | None = None
    """Bytes more at the end of the block than at its beginning, garbage collected."""
    max_peak: int | None = None
    """Bytes of RSS of the whole process."""
    max_seconds: float | None = None
    max_cpu_seconds: float | None = None
    fail_on: tuple[str, ...] = ()
    """Kinds of alerts that must not be raised (warn or critical)."""
    limit: int | None = None
    """Bytes that the process may use: oom_risk looks at them. None: the control group's."""
    rate_hz: float = 20.0
    """Readings a second."""

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Limits:
        """Read limits as people write them: `max_growth="100MB"`, `fail_on=["mem_growth"]`.

        Raises:
            LimitsError: an unknown name, or a value that is not what its name wants.
        """
        read: dict[str, object] = {}
        for name, value in options.items():
            if name not in NAMES:
                raise LimitsError(f"no argument {name!r}; there are {', '.join(NAMES)}")
            if name == "fail_on":
                read[name] = _kinds(value)
            elif value is not None:
                read[name] = _size(name, value) if name in _SIZES else _number(name, value)
        limits = cls(**read)  # type: ignore[arg-type]  # the loop above gave each its type
        if not RATES_HZ[0] <= limits.rate_hz <= RATES_HZ[1]:
            low, high = RATES_HZ
            raise LimitsError(f"rate_hz={limits.rate_hz:g} is not between {low:g} and {high:g}")
        return limits


def _size(name: str, value: object) -> int:
    try:
        if isinstance(value, str):
            return parse_bytes(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18:
            return int(value)
    except ValueError as error:
        raise LimitsError(f"{name}: {error}") from error
    raise LimitsError(f'{name}={value!r} is not a size; write it like {name}="{_SIZES[name]}"')


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return float(value)
    raise LimitsError(f"{name}={value!r} is not a number above 0; write {name}={_NUMBERS[name]}")


def _kinds(value: object) -> tuple[str, ...]:
    from perftui.probes.detect.registry import DETECTORS

    if value is None:
        return ()
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple | set | frozenset):
        raise LimitsError(f'fail_on={value!r} is no list of alerts; write fail_on=["mem_growth"]')
    kinds = tuple(word.strip() if isinstance(word, str) else word for word in words)
    seen = sorted(DETECTORS.keys() - UNSEEN.keys())
    for kind in kinds:
        if kind in UNSEEN:
            raise LimitsError(
                f"fail_on: {kind} cannot be seen from inside the process ({UNSEEN[kind]}): run "
                f"the program under `perftui run --fail-on {kind}`"
            )
        if kind not in seen:
            raise LimitsError(f"fail_on: no alert {kind!r}; there are {', '.join(seen)}")
    return kinds
