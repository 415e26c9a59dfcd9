"""The memory of a family of processes, with the pages that they share counted once.

A server that forks has the same pages resident in every worker: the sum of their RSS counts them
as often as there are workers. The kernel shares every page out among those that map it (PSS),
but walks all pages for it: it is asked at a pace bounded by its cost (`process.metrics`), for all
processes at once, because what one reading gives to a process depends on who else lives.

Between two such readings the figure follows the memory without a file (RssAnon), which is read 20
times a second: what was counted twice at the last one is taken off again. Mapped files, which
relatives have in common as a rule, wait for the next reading. Three things change meanwhile:

* A process that is new is held to share what is not private of what it has when it is first seen,
  as after a fork; what it takes from then on is its own. If it becomes another program its RSS
  falls: what is private is asked anew then.
* Of a process that ends, its part of what it shared stays: the others have it still.
* What is written to shared pages becomes private without a change of RSS: that is seen at the
  next reading.

PSS leaves out what is shared with others than the family's own, libraries mostly: of mapped files a
family has at least what the process with the most of them has, and is never told to have less than
the largest of its processes. So the figure does not fall when a second process comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Metric

Counting = Literal["RSS", "shared once", "sum of RSS"]
"""How a figure came about: one process; several; several whose shares may not be read."""


class FamilyMemory:
    """Takes the readings of one moment after the other."""

    def __init__(self) -> None:
        self._twice: dict[int, int] = {}
        """Of each process's memory without a file, what others are counted with."""
        self._files: dict[int, int] = {}
        """Of each process, its part of mapped files."""
        self._strangers: dict[int, int] = {}
        """Of each process, the part of its mapped files that others than the family are given."""
        self._stays: dict[int, int] = {}
        """Of each process, its part of what it shares."""
        self._left: int = 0
        """The same of processes that have ended since."""
        self._left_files: int = 0
        """Of that, mapped files."""
        self._may_read = False
        """Whether any share was ever read."""
        self.more_than_once = 0
        """Bytes by which the sum over all processes is larger than the newest figure."""
        self.counting: Counting = "RSS"
        """Of the newest figure."""

    def total(self, metrics: Sequence[Metric]) -> int:
        """Return the bytes of the family, given one reading of each of its processes."""
        self._forget(metrics)
        read = any(metric.pss_bytes is not None for metric in metrics)
        if read:
            self._may_read = True
            self._left = self._left_files = 0
        alone = len(metrics) == 1 and not self._twice.keys() - {metrics[0].pid}
        whole = self._left
        of_files = most_files = 0
        for metric in metrics:
            rss, pid = metric.rss_bytes, metric.pid
            private = rss if metric.anon_rss_bytes is None else min(metric.anon_rss_bytes, rss)
            if read:
                pss = rss if metric.pss_bytes is None else min(metric.pss_bytes, rss)
                part = _part_without_file(private, metric.uss_bytes, len(metrics))
                # The rest is of mapped files, of which there are only so many.
                part = min(max(part, pss - (rss - private)), pss)
                self._twice[pid] = max(private - part, 0)
                self._files[pid] = pss - part
                # With less than what is without a file, memory is shared within the family, and
                # nobody tells how much of the rest that is.
                self._strangers[pid] = max(rss - pss, 0) if pss >= private else 0
                uss = pss if metric.uss_bytes is None else metric.uss_bytes
                self._stays[pid] = max(pss - uss, 0)
            elif pid not in self._twice or metric.uss_bytes is not None:
                # The first of a family has nobody that it could share with.
                own = min(metric.uss_bytes or 0, rss)
                if not self._may_read or alone:
                    own = rss
                elif 2 * own <= rss:  # a fork: the next reading tells what is its own
                    own = 0
                self._twice[pid] = max(private - own, 0)
                self._files[pid] = max(own - private, 0)
            twice = self._twice[pid] = min(self._twice[pid], private)
            # What it maps of files meanwhile others have, too, as a rule: libraries.
            files = rss - private
            most_files = max(most_files, files)
            if self._may_read and not alone:
                files = min(self._files[pid], files)
            of_files += files
            whole += private - twice
        known = of_files + self._left_files
        missing = min(max(self._strangers.values(), default=0), most_files - known)
        whole += of_files + max(missing, 0)
        largest = max(metric.rss_bytes for metric in metrics)
        if len(metrics) == 1:
            self.counting, whole = "RSS", largest
        else:
            self.counting = "shared once" if self._may_read else "sum of RSS"
            whole = max(whole, largest)
        self.more_than_once = max(sum(metric.rss_bytes for metric in metrics) - whole, 0)
        return whole

    def _forget(self, metrics: Sequence[Metric]) -> None:
        for pid in self._twice.keys() - {metric.pid for metric in metrics}:
            del self._twice[pid]
            stays, files = self._stays.pop(pid, 0), self._files.pop(pid)
            self._strangers.pop(pid, None)
            self._left += stays
            self._left_files += min(files, stays)


def _part_without_file(private: int, uss_bytes: int | None, processes: int) -> int:
    """Return a process's part of its memory without a file.

    What of that is not its own alone, it has from whom it was forked, and so have its siblings.
    """
    if uss_bytes is None or uss_bytes >= private:
        return private
    return uss_bytes + (private - uss_bytes) // processes
