"""A session that is read back, as the edges that `perftui detect` prints: what was found while it
was recorded, or what is found in it today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import Edge
from perftui.probes.detect.live import Judge
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.reader import Reader


def alerts_of(reader: Reader) -> list[Edge]:
    """Return each alert of a session and its clear, in time order; seconds from its start."""
    status = reader.status()
    base_ns = status.t_start_ns
    edges: list[Edge] = []
    for alert in reader.alerts(base_ns, status.t_end_ns + NS_PER_S):
        raised = Edge(
            kind=alert.kind,
            severity=alert.severity,
            t_onset_s=(alert.t_onset_ns - base_ns) / NS_PER_S,
            t_detect_s=(alert.t_detect_ns - base_ns) / NS_PER_S,
            message=alert.message,
            evidence=alert.evidence,
        )
        edges.append(raised)
        if alert.t_clear_ns is not None:
            end_s = (alert.t_clear_ns - base_ns) / NS_PER_S
            edges.append(
                raised._replace(
                    severity="clear",
                    t_detect_s=max(end_s, raised.t_detect_s),
                    first=False,
                    t_end_s=end_s,
                )
            )
    return sorted(edges, key=lambda edge: edge.t_detect_s)


def judged_anew(
    reader: Reader,
    batches: Iterable[Batch],
    *,
    limit_bytes: float | None,
    cores: int | None,
    stacks: bool,
) -> Iterator[Edge]:
    """Judge a session with today's rules, as a live one is; yield what becomes known as it does.

    Args:
        reader: Of the session.
        batches: Its records, in the order of time.
        limit_bytes: Memory limit of the target, None if there is none.
        cores: That the target could use, None if it is not known.
        stacks: It has stacks: they tell what threads waited for, and which code ran.
    """
    judge = Judge(
        reader.tree,
        reader.target().pid,
        reader.status().t_start_ns,
        limit_bytes=limit_bytes,
        cores=cores,
        call_tree=reader.call_tree if stacks else None,
        blame=reader.blame,
        tells_again=False,
    )
    for batch in batches:
        for edges in judge.take(batch):
            yield from edges
