"""How often a process of ours looks for garbage that goes in circles.

Importing makes tens of thousands of objects that stay, and the interpreter would look through all
of them again and again: 10 to 20 ms of every command's start.
"""

from __future__ import annotations

import gc

OBJECTS = 10_000
"""So many more than there were: a megabyte or two, and a collection every few seconds."""


def collect_seldom() -> None:
    """Let the collector run after `OBJECTS` instead of 700 new ones."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
