"""`ClusterSession`: the workers of a cluster that runs already, as one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.fleet.probe import ClusterProbe
from perftui.probes.fleet.target import HOST_STEP, ClusterTarget, Hosts
from perftui.probes.machine.quiet_threads import quiet_threads
from perftui.probes.session_options import NOT_RECORDED
from perftui.probes.session_parts.base import BaseSession, new_log
from perftui.probes.session_parts.bounds import bounds_here
from perftui.probes.session_parts.outside import OutsideProbes
from perftui.probes.session_parts.recording import place_of
from perftui.probes.spine.reader import Target

if TYPE_CHECKING:
    from perftui.probes.fleet.link import ClusterLink
    from perftui.probes.session_options import ProbeOptions, RecordOptions


class ClusterSession(BaseSession):
    """Make one with `attach`.

    Args:
        link: To the cluster.
        options: What is measured.
        record: Whether and where it is recorded.
    """

    _target: ClusterTarget

    def __init__(self, link: ClusterLink, options: ProbeOptions, record: RecordOptions) -> None:
        hosts = Hosts()
        title = str(link.address)
        target = ClusterTarget(link, hosts)
        about = Target(title, (title,), target.pid, python=None, launched=False, agent=False)
        bounds = bounds_here(target.pid, options.limit_bytes)
        place = place_of(record, title)
        super().__init__(target, about, new_log(), options, bounds, record, place)
        self._link = link
        self._wants_stacks = options.stacks
        self._outside = OutsideProbes(
            self._log,
            target,
            options,
            None,
            say=self._say,
            on_version=self._seen_python,
            own_cpu_s=self._helpers_cpu_s,
            dropped=self._dropped,
        )
        self._cluster = ClusterProbe(self._log, link, hosts, self._outside.metrics)
        self._outside.metrics.elsewhere = self._cluster.far_metrics

    @classmethod
    def attach(
        cls, link: ClusterLink, options: ProbeOptions, record: RecordOptions = NOT_RECORDED
    ) -> ClusterSession:
        """Watch the workers of a cluster.

        Raises:
            FileExistsError: another session is being recorded at the path that was asked for.
        """
        try:
            with quiet_threads():
                session = cls(link, options, record)
                session.start()
        except BaseException:
            link.leave()
            raise
        return session

    def start(self) -> None:
        """Begin; as of `attach`."""
        steps = [("the cluster", self._cluster.start), *self._outside.steps()]
        self._begin([*steps, ("stacks", self._start_stacks)])
        self._target.watch(self._log.append)

    def _start_stacks(self) -> None:
        if self._wants_stacks and self._target.pid >= HOST_STEP:  # there is nobody to begin with
            text = "workers of this machine have no stacks: their scheduler is elsewhere"
            self._say("info", text)
        else:
            self._outside.stacks.start()

    def _close(self) -> None:
        self._target.leave()
        self._end([self._cluster, self._outside.stacks, *self._outside.ends()])

    def _helpers_cpu_s(self) -> float:
        return super()._helpers_cpu_s() + self._link.cpu_s()
