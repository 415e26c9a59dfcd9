"""What was found in a session that is read back: the same edges as `perftui detect` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import Edge
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
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
