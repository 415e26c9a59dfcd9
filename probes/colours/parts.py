"""How the parts of resident memory are drawn: few groups, from what a program has in its hands to
what nobody tells. The same on the screen and in reports."""

from __future__ import annotations

from typing import NamedTuple

UNTOLD = "not told"
"""The rest up to RSS: native memory of which nobody says whose it is, and what is newer than the
last reading."""


class PartGroup(NamedTuple):
    """Parts that are drawn as one."""

    label: str
    colour: str
    """Of the palette."""


PYTHON = PartGroup("Python heap", "teal")
DUCKDB = PartGroup("DuckDB", "indigo")
ARROW = PartGroup("Arrow", "memory")
MALLOC = PartGroup("malloc", "cpu_soft")
KEPT = PartGroup("freed, kept", "rows_soft")
FILES = PartGroup("files, shared", "violet")
GROUPS = (FILES, PYTHON, MALLOC, DUCKDB, ARROW, KEPT)
"""From the bottom up: what seldom changes is below."""


def group_of(part: str) -> PartGroup | None:
    """Return the group of a part, None for what is not told."""
    if "not told" in part:
        return None
    if "freed but kept" in part:
        return KEPT
    for group in (PYTHON, DUCKDB, ARROW, MALLOC):
        if part.startswith(group.label):
            return group
    return FILES
