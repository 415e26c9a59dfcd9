"""What is read of a target's processes from outside, without their help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.process.collections import OutsideCollections
from perftui.probes.process.metrics import MetricProbe
from perftui.probes.resident.probe import ResidentProbe
from perftui.probes.session_parts.stacks import SessionStacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent_link.launch import AgentChannel
    from perftui.probes.session_options import ProbeOptions
    from perftui.probes.session_parts.faces import SessionTarget, Stops
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity

_SELDOM = 0.1
"""Of the CPU that the dear readings may cost else."""


class OutsideProbes:
    """The probes on a family of processes of this machine, to be started one by one.

    Args:
        log: Where the records go.
        target: The root of the family.
        options: What is measured.
        channel: To the target's agent; None: it has none.
        say: Puts a notice into the log.
        on_version: Gets the target's Python version, if a sampler reads it.
        own_cpu_s: Returns the CPU seconds of perftui's other processes.
        dropped: Returns how many records were lost.
    """

    def __init__(
        self,
        log: SessionLog,
        target: SessionTarget,
        options: ProbeOptions,
        channel: AgentChannel | None,
        *,
        say: Callable[[Severity, str], None],
        on_version: Callable[[str], None],
        own_cpu_s: Callable[[], float],
        dropped: Callable[[], int],
    ) -> None:
        dear = _SELDOM if options.seldom else 1.0
        self.metrics = MetricProbe(
            log,
            target.pid,
            mark=target.mark,
            attached=not target.launched,
            rate_hz=options.metrics_rate_hz,
            own_cpu_s=own_cpu_s,
            dropped=dropped,
            dear=dear,
        )
        """CPU and memory."""
        pids = self.metrics.pids
        self.stacks = SessionStacks(log, target, options, channel, pids, say, on_version)
        self.resident = ResidentProbe(log, pids, dear=dear)
        """What RSS is made of."""
        log.connect(self.resident)
        self.collections: OutsideCollections | None = None
        """Collections of cycles; None where an agent tells of them."""
        if channel is None or not options.inquire:
            self.collections = OutsideCollections(log, pids)

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return how all but the stacks is started, and what is missing if it cannot be."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("CPU and memory", self.metrics.start),
            ("what RSS is made of", self.resident.start),
        ]
        if self.collections is not None:
            steps.append(("collections of cycles", self.collections.start))
        return steps

    def ends(self) -> list[Stops | None]:
        """Return what is stopped after the stacks, in this order."""
        return [self.collections, self.resident, self.metrics]
