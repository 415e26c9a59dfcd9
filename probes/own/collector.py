"""The garbage collector of our own processes, once they have begun.

A full collection looks at every object that was ever made: some 70,000 beside the screen, nearly
all of them modules, classes and style sheets that live until the end. That took 40 ms of CPU each
time, and was most of what the collector cost. What lives once a program is under way is set aside;
after that a collection looks at what came since.
"""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 5_000, 20, 20
"""Readings and stacks are tuples that are kept: a young collection finds hardly ever anything."""


def spare_what_lives() -> None:
    """Leave what lives now out of all later collections; to be called once all is loaded."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
