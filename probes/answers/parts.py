"""The parts that answers are composed of: one set is in memory, the other on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perftui.probes.answers.own_cost import OwnCost
    from perftui.probes.answers.part_faces import (
        CallsPart,
        CountsPart,
        JournalPart,
        LinesPart,
        ProcessesPart,
        SeriesPart,
        SessionPart,
        StacksPart,
        ThreadsPart,
    )
    from perftui.probes.answers.quality import StackQuality
    from perftui.probes.spine.calltree import CallTree


class Parts(NamedTuple):
    """All that a session is answered from."""

    tree: CallTree
    session: SessionPart
    series: SeriesPart
    stacks: StacksPart
    threads: ThreadsPart
    journal: JournalPart
    calls: CallsPart
    counts: CountsPart
    lines: LinesPart
    processes: ProcessesPart
    quality: StackQuality
    own_cost: OwnCost
