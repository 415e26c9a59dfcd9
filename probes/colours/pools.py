"""The fixed colours of allocators: the same in every session, on the screen and in reports.

Colours have the names of the palette, which knows what they are on dark and on light ground.
"""

from __future__ import annotations

TELLING_SHARE = 0.02
"""A pool below this share of the highest RSS is told as a figure and not drawn."""
_KNOWN = (
    ("heap", "teal"),
    ("python", "teal"),
    ("duckdb", "indigo"),
    ("arrow", "memory"),
    ("lance", "violet"),
)
_OTHERS = ("teal", "indigo", "memory", "violet", "cpu_soft")


def pool_colour(name: str, index: int) -> str:
    """Return the colour of an allocator; `index` tells unknown ones apart."""
    lowered = name.lower()
    for word, colour in _KNOWN:
        if word in lowered:
            return colour
    return _OTHERS[index % len(_OTHERS)]
