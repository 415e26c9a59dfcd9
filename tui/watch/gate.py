"""`--fail-on`: alerts that must not be. What failed is told on stderr, and what was not judged."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.session import Session

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


def gate_failed(session: Session, kinds: Sequence[str]) -> bool:
    """Tell the alerts that must not be; those of severity info are only marks."""
    if not kinds:
        return False
    store = session.store
    alerts = store.alerts(0, 1 << 62)
    failed = [alert for alert in alerts if alert.kind in kinds and alert.severity != "info"]
    for alert in failed:
        tell_failure(alert.kind, f"{alert.message}; {alert.evidence}")
    from perftui.probes.detect.judged import Seen, unjudged

    status = store.status()
    seen = Seen(
        duration_s=(status.t_end_ns - status.t_start_ns) / NS_PER_S,
        calls=bool(store.calls(0, 1 << 62)),
        counts=bool(store.counters(0, 1 << 62)),
        phases=bool(store.phases(0, 1 << 62)),
        limit=session.limit_bytes is not None,
        agent=store.target().agent,
    )
    raised = {alert.kind for alert in failed}
    tell_unjudged(unjudged([kind for kind in kinds if kind not in raised], seen))
    return bool(failed)


def tell_failure(kind: str, text: str) -> None:
    """Say why the exit code is 1."""
    tell(f"perftui: --fail-on {kind}: {text}")


def tell_unjudged(reasons: dict[str, str], where: str = "") -> None:
    """Say which kinds had no chance to be found: that nothing was raised means nothing."""
    for kind, reason in reasons.items():
        tell(f"perftui: {where}--fail-on {kind} was not judged: {reason}")
