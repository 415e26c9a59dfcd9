"""Recordings for tests, made by the program's own writer on a clock of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.stacks.own.weigher import Weigher
from support.enriched import feed
from support.recordings.synthetic import T0, TARGET, S, session

if TYPE_CHECKING:
    from pathlib import Path


def make_own(directory: Path, seconds: int = 32) -> Path:
    """Record the synthetic session with a child whose stacks are the own sampler's.

    Weighed as a session does it: amounts that come to light later are among the rows.
    """
    tree = CallTree()
    recording = Recording(directory, tree, TARGET, T0, clock=lambda: T0)
    enricher = Enricher(Weigher().weigh)
    for batch in session(tree, seconds, own=True):
        recording.ingest(enricher.enrich(batch))
        recording.flush()
    recording.close()
    return directory


def make(
    directory: Path,
    seconds: int = 10,
    seal_s: float = 4.0,
    *,
    close: bool = True,
    seed: int = 1,
) -> Path:
    """Record `seconds` of the synthetic session; flushed once a second, sealed every `seal_s`."""
    clock = [T0]
    tree = CallTree()
    options = WriterOptions(seal_s=seal_s)
    recording = Recording(directory, tree, TARGET, T0, options, clock=lambda: clock[0])
    # 26 batches are one second; the first is the beginning.
    for number, batch in enumerate(session(tree, seconds, seed=seed)):
        feed(recording, batch)
        if number % 26 == 25:
            clock[0] += S
            recording.flush()
    if close:
        clock[0] = T0 + seconds * S
        recording.close()
    else:
        recording.flush()
        recording.heartbeat()
    return directory
