"""What is asked of a `Reader` once, for all that look for findings."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.profile.memory.blame import keepers_of
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict.places import Spots
from perftui.probes.verdict.spent import burnt, guilty, waited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.profile.memory.blame import Keeping
    from perftui.probes.spine.reader import Blame, Import, Reader, ThreadTree
    from perftui.probes.spine.records import Alert
    from perftui.probes.verdict.places import Key
    from perftui.probes.verdict.spent import Burnt, WaitedFor

RSS_STEPS = 400
OURS = "perftui.probes."
"""What our own agent keeps in the program is none of its memory."""


class Case:
    """A session or a recording, whole."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.status = reader.status()
        self.t0_ns = self.status.t_start_ns
        self.t1_ns = self.status.t_end_ns + 1
        self.spots = Spots(reader.tree)

    @property
    def span_s(self) -> float:
        """Length of it all."""
        return max((self.t1_ns - self.t0_ns) / NS_PER_S, 1e-9)

    def seconds(self, t_ns: int) -> float:
        """Time since the start."""
        return (t_ns - self.t0_ns) / NS_PER_S

    @cached_property
    def threads(self) -> tuple[ThreadTree, ...]:
        """Stacks of all threads, those told after the end, too: who waited is read up to then."""
        return self.reader.call_tree(self.t0_ns, self.t1_ns + NS_PER_S)

    @property
    def _meta(self) -> Mapping[str, Any]:
        """What a recording says of the machine; nothing of what is going on."""
        found: Mapping[str, Any] = getattr(self.reader, "meta", {})
        return found

    @cached_property
    def cores(self) -> int | None:
        """Of the machine that it ran on, None if that is not known."""
        machine = self._meta.get("machine") if self._meta else {"cpu_count": os.cpu_count()}
        cores = machine.get("cpu_count") if isinstance(machine, dict) else None
        return cores if isinstance(cores, int) else None

    def has_source(self, file: str) -> bool:
        """Tell whether a file has not changed since it ran, as far as that can be told."""
        began = self._meta.get("created_wall_ns")
        try:
            changed_ns = Path(file).stat().st_mtime_ns
        except (OSError, ValueError):
            return False
        return not isinstance(began, int) or changed_ns <= began

    @cached_property
    def burnt(self) -> Burnt:
        """CPU by the program's own functions, and that of threads which no stack was read of."""
        found = burnt(self.spots, self.threads)
        known = {(stack.pid, stack.tid) for stack in self.threads if stack.cpu_ns}
        lived = self.reader.threads(self.t0_ns, self.t1_ns)
        pids = {stack.pid for stack in self.threads}
        native_ns = sum(
            round(thread.cpu_s * NS_PER_S)
            for thread in lived
            if thread.pid in pids and not thread.is_python and (thread.pid, thread.tid) not in known
        )
        return found._replace(
            whole_ns=found.whole_ns + native_ns,
            wanted_ns=found.wanted_ns + native_ns,
            native_ns=found.native_ns + native_ns,
        )

    @cached_property
    def outlived(self) -> bool:
        """Processes of the target's go on after its end: what they use then is in the sums."""
        if self.status.state != "exited" and self.reader.exit() is None:
            return False
        return any(
            process.t_end_ns is None or process.t_end_ns > self.t1_ns
            for process in self.reader.processes()
            if process.pid != self.reader.target().pid
        )

    @cached_property
    def guilty(self) -> Key | None:
        """The own function that used most CPU, None if none stands out."""
        return guilty(self.burnt, self.spots, self.threads)

    @cached_property
    def waited(self) -> WaitedFor:
        """Waiting by the program's own functions."""
        return waited(self.spots, self.threads)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """All imports."""
        return self.reader.imports(self.t0_ns, self.t1_ns)

    @cached_property
    def blame(self) -> Blame:
        """What looks from inside found."""
        return self.reader.blame(self.t0_ns, self.t1_ns)

    def looks_of(self, kept: Keeping) -> list[tuple[int, int]]:
        """Return the spans in which something was seen to come to hold more; time between them is
        in none of its figures."""
        mine = (row for row in self.blame.keepers if (row.pid, row.what) == (kept.pid, kept.what))
        return [(row.t0_ns, row.t_ns) for row in mine]

    @cached_property
    def keepers(self) -> list[Keeping]:
        """What holds more than before, the most first."""
        found = keepers_of(self.blame, self.reader.tree, self.reader.call_tree)
        return [kept for kept in found if not kept.what.startswith(OURS)]

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert and mark, by onset."""
        return self.reader.alerts(self.t0_ns, self.t1_ns)

    def alerts_of(self, *kinds: str) -> tuple[Alert, ...]:
        """Alerts of some kinds that are more than a mark."""
        return tuple(a for a in self.alerts if a.kind in kinds and a.severity != "info")

    def alert_span(self, alert: Alert) -> tuple[int, int]:
        """From when to when an alert was; up to the end if its cause did not end."""
        return alert.t_onset_ns, min(alert.t_clear_ns or self.t1_ns, self.t1_ns)

    @cached_property
    def rss(self) -> tuple[tuple[int, float, float], ...]:
        """RSS of the tree over time: (end of the step, highest, last), holes left out."""
        found = self.reader.metric("rss_bytes", self.t0_ns, self.t1_ns, RSS_STEPS, TREE)
        step = (self.t1_ns - self.t0_ns) / RSS_STEPS
        return tuple(
            (self.t0_ns + round((n + 1) * step), high, last)
            for n, (high, last) in enumerate(zip(found.high, found.last, strict=True))
            if high is not None and last is not None and high > 0
        )

    def rss_at(self, t_ns: int) -> float | None:
        """RSS at a moment, None before the first reading."""
        before = [last for t, _, last in self.rss if t <= t_ns]
        first = self.rss[0][2] if self.rss else None
        return before[-1] if before else first

    @cached_property
    def peak_bytes(self) -> float:
        """Highest RSS that was read."""
        return max((high for _, high, _ in self.rss), default=0.0)
