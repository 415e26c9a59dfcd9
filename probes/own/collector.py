"""The garbage collector of our own processes: while they begin, and once they have begun.

Importing makes tens of thousands of objects that stay, and the interpreter would look through all
of them again and again: 10 to 20 ms of every command's start. Later a full collection looks at
every object that was ever made: some 70,000 beside the screen, nearly all of them modules, classes
and style sheets that live until the end. That took 40 ms of CPU each time.
"""

from __future__ import annotations

import gc

_AT_START = 50_000
"""So many more than there were, some megabytes: a start comes to its end without a collection."""
_YOUNG, _MIDDLE, _OLD = 5_000, 20, 20
"""Readings and stacks are tuples that are kept: a young collection finds hardly ever anything."""


def collect_seldom() -> None:
    """Let the collector run after `_AT_START` instead of 700 new objects: for the start."""
    gc.set_threshold(_AT_START, *gc.get_threshold()[1:])


def spare_what_lives() -> None:
    """Leave what lives now out of all later collections; to be called once all is loaded."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
