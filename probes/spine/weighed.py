"""Stacks with what they weigh: what sums are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perftui.probes.spine.records import ThreadKey


class WeighedStack(NamedTuple):
    """One stack interval with what it weighs."""

    t0_ns: int
    t1_ns: int
    thread: ThreadKey
    node: int
    cpu_ns: int
    grown_bytes: int
    torn: bool
    cpu_share: float
    """Share of the interval on a CPU, 0..1: what `cpu_ns` comes from."""
