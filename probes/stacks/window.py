"""From one recording to records: clip it to its window, judge its stacks, name its threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perftui.probes.spine.records import Stack, StackWindow, ThreadName
from perftui.probes.stacks import procfs
from perftui.probes.stacks.chrometrace import parse_trace
from perftui.probes.stacks.faults_seen import FaultsSeen
from perftui.probes.stacks.recorder import BACKEND
from perftui.probes.stacks.torn import RootJudge
from perftui.probes.target.orders import at_rest
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.records import Record
    from perftui.probes.stacks.chrometrace import SeenStack
    from perftui.probes.stacks.recorder import SpyRecording
    from perftui.probes.stacks.used_cpu import UsedCpu


_MAIN = "MainThread"


class WindowWriter:
    """Writes the windows of one process, each beginning where the one before it ended."""

    def __init__(self, tree: CallTree, pid: int, cpu: UsedCpu) -> None:
        self._tree = tree
        self._cpu = cpu
        self._pid = pid
        self._judge = RootJudge(tree)
        self._covered_ns = 0
        self._numbers: dict[int, int] = {}
        """Of threads whose address py-spy tells, as it does before Python 3.11."""
        self._faults = FaultsSeen(pid)
        self._names: dict[int, str] = {}
        self._last_seen_ns: dict[int, int] = {}
        """OS threads of the process and when they were last known to live."""

    def note_threads(self) -> None:
        """Look which threads live: py-spy holds the last stack of one that has ended."""
        now = time.monotonic_ns()
        self._cpu.note()
        tids = procfs.thread_ids(self._pid)
        for tid in tids:
            self._last_seen_ns[tid] = now
        self._faults.note(tids)

    def write(self, recording: SpyRecording, t_gone_ns: int | None) -> list[Record]:
        """Return the records of a recording.

        Args:
            recording: What a recorder left.
            t_gone_ns: When the process was seen to be gone; nothing is held beyond.
        """
        self.note_threads()
        now = time.monotonic_ns()
        trace = parse_trace(
            recording.data,
            self._tree,
            recording.origin_ns,
            self._covered_ns,
            now if t_gone_ns is None else t_gone_ns,
        )
        t0 = max(trace.t0_ns, self._covered_ns)
        t1 = min(trace.t1_ns, now if t_gone_ns is None else t_gone_ns)
        if t1 <= t0:
            return []
        self._covered_ns = t1
        intervals = self._cut_ended(self._numbered(trace.intervals), t1, now)
        torn = self._judge.judge(intervals, round(NS_PER_S / recording.rate_hz))
        records: list[Record] = []
        stacks: list[Stack] = []
        for interval, is_torn in zip(intervals, torn, strict=True):
            tid, name, frames, begin, end = interval
            if self._tree.is_own_thread(frames):
                continue
            if not name and tid == self._pid:
                # What Python calls it; it has no name until `threading` is imported.
                name = _MAIN
            if name and self._names.get(tid) != name:
                self._names[tid] = name
                records.append(ThreadName(begin, self._pid, tid, name))
            if is_torn:
                node = self._tree.intern_leaf(frames)
            else:
                node = self._tree.intern(frames)
            if not (at_rest(self._tree.frame(node)) or self._tree.begins_interpreter(node)):
                faults = self._faults.between(tid, begin, end)
                stacks.append(Stack(begin, end, self._pid, tid, node, is_torn, faults=faults))
        stacks.sort()
        records.extend(stacks)
        # The overlap with the recorder before was sampled twice; count its samples once.
        share = (t1 - t0) / max(trace.t1_ns - trace.t0_ns, 1)
        errors = recording.errors + trace.bad_events
        good = recording.samples / max(recording.samples + errors, 1)
        used, covered = self._cpu.window(t0, t1, good)
        records.append(
            StackWindow(
                t0_ns=t0,
                t1_ns=t1,
                pid=self._pid,
                rate_hz=recording.rate_hz,
                samples=round(recording.samples * min(share, 1.0)),
                errors=errors,
                torn=sum(torn),
                sampler_cpu_s=recording.cpu_s,
                backend=BACKEND,
                cpu_ns=used,
                covered_cpu_ns=covered,
            )
        )
        self._forget(now)
        return records

    def _numbered(self, intervals: list[SeenStack]) -> list[SeenStack]:
        """Give the kernel's numbers to threads that py-spy knows by address only.

        If all else fails the main thread is the one that is called so, or the only one without a
        name. Of others whose number is not found, the CPU stays unknown by function.
        """
        unknown = {each.tid: each.name for each in intervals if each.tid >= procfs.MOST_TIDS}
        if not unknown:
            return intervals
        for address in unknown:  # asked anew: the address of one that has ended is used again
            number = procfs.number_of_thread(self._pid, address)
            if number:
                self._numbers[address] = number
        if self._pid not in self._numbers.values():
            named = [tid for tid, name in unknown.items() if name == _MAIN]
            found = named or [tid for tid, name in unknown.items() if not name]
            if len(found) == 1 and not any(each.tid == self._pid for each in intervals):
                self._numbers[found[0]] = self._pid
        known = self._numbers = {at: self._numbers[at] for at in unknown if at in self._numbers}
        return [
            each._replace(tid=known[each.tid]) if each.tid in known else each for each in intervals
        ]

    def _cut_ended(self, intervals: list[SeenStack], t1_ns: int, now_ns: int) -> list[SeenStack]:
        """End the stacks of threads that ended within the window when they were last seen.

        Threads that were never listed are left alone: in another pid namespace the kernel's
        numbers are not those that the program knows.
        """
        kept: list[SeenStack] = []
        for interval in intervals:
            seen = self._last_seen_ns.get(interval.tid, now_ns)
            if seen >= now_ns or interval.t1_ns < t1_ns or interval.t1_ns <= seen:
                kept.append(interval)
            else:
                end = max(seen, interval.t0_ns + 1)
                kept.append(interval._replace(t1_ns=end))
        return kept

    def _forget(self, now_ns: int) -> None:
        """Drop threads that ended some time ago."""
        old = now_ns - 10 * NS_PER_S
        gone = [tid for tid, seen in self._last_seen_ns.items() if seen < old]
        for tid in gone:
            del self._last_seen_ns[tid]
            self._names.pop(tid, None)
