"""Can the own sampler read a process? The only proof is to let it."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

from perftui.probes.stacks.own.records import ProcessRecord
from perftui.probes.stacks.own.source import OwnSampler

if TYPE_CHECKING:
    from perftui.probes.stacks.own.records import OwnRecord


def ask(pid: int, limit_s: float = 3.0) -> ProcessRecord | None:
    """Return what the own sampler says of a process, None if it says nothing in time.

    Raises:
        OSError: it cannot be started.
    """
    sampler = OwnSampler([pid], follow=False)
    deadline = time.monotonic() + limit_s
    try:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([sampler.fileno()], [], [], left)[0]:
                return None
            records = sampler.read()
            if records is None:
                return None
            answer = _answer(records)
            if answer is not None:
                return answer
        return None
    finally:
        sampler.close()


def _answer(records: list[OwnRecord]) -> ProcessRecord | None:
    told = [record for record in records if isinstance(record, ProcessRecord)]
    return next((record for record in told if record.status in ("sampled", "refused")), None)
