"""Numbers as people write them: three significant digits, units always; and back again."""

from __future__ import annotations

import re

NS_PER_S = 1_000_000_000

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_SIZE = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([kmgtp]?)(i?)(b?)\s*", re.IGNORECASE)


def three_digits(value: float) -> str:
    """Format a number with three significant digits and no exponent: 0.0123, 1.23, 12.3, 123."""
    size = abs(value)
    if size >= 99.95:
        return f"{value:.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    if size >= 0.9995:
        return f"{value:.2f}"
    if size == 0:
        return "0"
    return f"{value:.3g}" if size >= 0.001 else f"{value:.1g}"


def format_bytes(value: float) -> str:
    """Format bytes in decimal units: 999 B, 1.21 GB. Decimal, as the field's tools print RSS."""
    size = abs(value)
    for unit in _BYTE_UNITS:
        if size < 999.5 or unit == _BYTE_UNITS[-1]:
            scaled = value / 1000 ** _BYTE_UNITS.index(unit)
            return f"{scaled:.0f} B" if unit == "B" else f"{three_digits(scaled)} {unit}"
        size /= 1000
    raise AssertionError("the last unit always returns")


def format_count(value: float) -> str:
    """Format a plain number: 512, 5.31 k, 2.59 M, 1.2 G."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit * 0.9995:
            return f"{three_digits(value / limit)} {unit}"
    return f"{value:.0f}" if float(value).is_integer() else three_digits(value)


def format_seconds(value: float) -> str:
    """Format a duration: 850 ns, 12.3 µs, 4.56 ms, 1.23 s, 75.0 s, 12 min 5 s, 3 h 20 min."""
    size = abs(value)
    if size == 0:
        return "0 s"
    if size < 1e-6:
        return f"{value * 1e9:.0f} ns"
    if size < 0.9995e-3:
        return f"{three_digits(value * 1e6)} µs"
    if size < 0.9995:
        return f"{three_digits(value * 1e3)} ms"
    if size < 120:
        return f"{three_digits(value)} s"
    minutes, seconds = divmod(round(size), 60)
    sign = "-" if value < 0 else ""
    if minutes < 120:
        return f"{sign}{minutes} min {seconds} s"
    return f"{sign}{minutes // 60} h {minutes % 60} min"


def format_clock(seconds: float, digits: int | None = None) -> str:
    """Format a moment of a session as the header does: 00:18.4, 1:02:03.

    Args:
        seconds: Since the start.
        digits: Of the fraction; None for a tenth below an hour and none from there on.
    """
    hour = seconds >= 3600
    digits = int(not hour) if digits is None else digits
    parts = int(max(seconds, 0.0) * 10**digits + 1e-6)  # 2.3 * 10 is 22.999999999999996
    whole, part = divmod(parts, 10**digits)
    minutes, second = divmod(whole, 60)
    fraction = f".{part:0{digits}d}" if digits else ""
    if not hour:
        return f"{minutes:02d}:{second:02d}{fraction}"
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}{fraction}"


_MOST_BYTES = 2.0**63


def parse_bytes(text: str) -> int:
    """Parse "300MB", "1.5 GiB", "4096".

    Raises:
        ValueError: with a sentence that says what is accepted.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it like 300MB, 1.5GiB or 4096")
    number, prefix, binary, _ = match.groups()
    power = " kmgtp".index(prefix.lower()) if prefix else 0
    base = 1024.0 if binary else 1000.0
    size = float(number) * base**power
    if size >= _MOST_BYTES:
        raise ValueError(f"{text[:20]!r} is more than any machine has; write it like 300MB")
    return round(size)
