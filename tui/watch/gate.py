"""`--fail-on`: alerts that must not be. What failed is told on stderr, and what was not judged."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.evidence.observations import Edge
    from perftui.probes.detect.judged import Seen
    from perftui.probes.session_parts.base import BaseSession
    from perftui.probes.spine.reader import Reader
    from perftui.probes.spine.records import Alert

GATE_FAILED = 1


def alert_kinds(text: str) -> tuple[str, ...]:
    """Read KIND,... as argparse wants it read."""
    from perftui.probes.detect.registry import DETECTORS

    kinds = tuple(word.strip() for word in text.split(",") if word.strip())
    known = sorted(DETECTORS)
    for kind in kinds:
        if kind not in known:
            raise argparse.ArgumentTypeError(f"no alert {kind!r}; there are {', '.join(known)}")
    if not kinds:
        raise argparse.ArgumentTypeError(f"names no alert; there are {', '.join(known)}")
    return kinds


def gate_failed(session: BaseSession, kinds: Sequence[str]) -> bool:
    """Tell the alerts that must not be; those of severity info are only marks."""
    if not kinds:
        return False
    from perftui.probes.detect.judged import undecided, unjudged

    alerts = session.store.alerts(0, 1 << 62)
    failed: set[str] = set()
    for alert in alerts:
        if alert.severity != "info":
            failed.update(tell_failures(alert, kinds))
    rest = [kind for kind in kinds if kind not in failed]
    seen = seen_in(session.store, limit=session.limit_bytes is not None)
    # What went away was judged: what rose has levelled off.
    left = [alert for alert in alerts if alert.t_clear_ns is None]
    tell_unjudged({**undecided(rest, left), **unjudged(rest, seen)})
    return bool(failed)


def seen_in(reader: Reader, *, limit: bool) -> Seen:
    """Return what the detectors of a session were fed with."""
    from perftui.probes.detect.evidence.peers import LEAST_PEERS
    from perftui.probes.detect.judged import END_BLOCKS, END_S, Seen, rose_to_end

    status = reader.status()
    end_ns = status.t_end_ns - NS_PER_S  # what ends gives all back in its last moments
    span_ns = round(END_S * NS_PER_S)
    rss = reader.metric("rss_bytes", end_ns - span_ns, end_ns, END_BLOCKS)
    return Seen(
        duration_s=(status.t_end_ns - status.t_start_ns) / NS_PER_S,
        calls=bool(reader.calls(0, 1 << 62)),
        counts=bool(reader.counters(0, 1 << 62)),
        phases=bool(reader.phases(0, 1 << 62)),
        limit=limit,
        agent=reader.target().agent,
        alike=len(reader.processes()) >= LEAST_PEERS,
        rose_bytes=rose_to_end(rss.low),
    )


def tell_failures(alert: Alert | Edge, kinds: Sequence[str]) -> list[str]:
    """Say which of the gates an alert fails, and return them."""
    from perftui.probes.detect.judged import gates_of

    gates = gates_of(alert.kind, kinds)
    for gate in gates:
        name = "" if gate == alert.kind else f"{alert.kind}: "
        tell_failure(gate, f"{name}{alert.message}; {alert.evidence}")
    return gates


def tell_failure(kind: str, text: str) -> None:
    """Say why the exit code is 1."""
    tell(f"perftui: --fail-on {kind}: {text}")


def tell_unjudged(reasons: dict[str, str], where: str = "") -> None:
    """Say which kinds had no chance to be found: that nothing was raised means nothing."""
    for kind, reason in reasons.items():
        tell(f"perftui: {where}--fail-on {kind} was not judged: {reason}")
