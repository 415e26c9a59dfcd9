"""What a cluster says becomes records: a row for each worker, tasks as phases, its memory."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import (
    Count,
    Exit,
    Metric,
    Notice,
    PhaseBegin,
    PhaseEnd,
    Pool,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.text.redact import redact_text
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.fleet.link import ClusterLink, Message
    from perftui.probes.fleet.target import Hosts
    from perftui.probes.spine.log import SessionLog

MANAGED, UNMANAGED, SPILLED = "dask managed", "dask unmanaged", "dask spilled (on disk)"
IN_WORKER = "in the worker"
"""Who took the stacks of a worker on another machine."""
_WHAT = "what the cluster says"
_WAITS_EVERY_NS = 9 * NS_PER_S // 10


class Adopts(Protocol):
    """Whoever reads processes of this machine from outside."""

    def adopt(self, pid: int, title: tuple[str, ...]) -> bool:
        """Read this process too, under this name; False if there is none."""
        ...


class _Worker(NamedTuple):
    pid: int
    shift_ns: int
    here: bool
    name: str


class ClusterProbe:
    """Listens to a cluster. A `Probe`.

    Args:
        log: Where the records go.
        link: To the cluster.
        hosts: Numbers its machines.
        family: Reads the workers of this machine.
    """

    def __init__(self, log: SessionLog, link: ClusterLink, hosts: Hosts, family: Adopts) -> None:
        self._log = log
        self._link = link
        self._hosts = hosts
        self._family = family
        self._workers: dict[str, _Worker] = {}
        self._totals: dict[tuple[int, str], int] = {}
        self._open: dict[int, dict[int, None]] = {}
        """Phases that are open, by pid."""
        self._windows: dict[int, int] = {}
        self._far: dict[int, Metric] = {}
        self._waits_told_ns: dict[int, int] = {}
        self._fresh: set[int] = set()
        """Far workers that have told something since it was last handed on."""
        self._t_start_ns = time.monotonic_ns()
        """What was so before is so from here on: the session has no time before it."""
        self._thread = ProbeThread(log, _WHAT, self._run, "perftui-cluster")

    def start(self) -> None:
        """Take the scheduler, and begin to listen."""
        scheduler = self._link.cluster["scheduler"]
        engine = self._link.address.engine
        role = "ray raylet" if engine == "ray" else f"{engine} scheduler"
        title = (role, str(scheduler.get("address", "")))
        if self._hosts.is_here(scheduler):
            self._family.adopt(self._hosts.pid_of(scheduler), title)
        else:
            where = f"the {role} runs elsewhere ({scheduler.get('host')}): it is not measured"
            self._log.append(Notice(time.monotonic_ns(), "info", where))
        self._thread.start()

    def stop(self) -> None:
        """Return when all that was said is taken. The link has been left before."""
        self._thread.end()
        if self._link.left_problem:
            text = f"not all of perftui has left the cluster: {self._link.left_problem}"
            self._log.append(Notice(time.monotonic_ns(), "warn", text))

    def _run(self) -> None:
        self._link.listen(self._take)
        if self._link.lost is not None:
            text = f"the cluster has gone: {self._link.lost}"
            self._log.append(Notice(time.monotonic_ns(), "warn", text))

    def _take(self, message: Message) -> None:
        """Turn one message into records; one that makes no sense is passed over."""
        with suppress(KeyError, TypeError, ValueError, IndexError):
            kind = message["is"]
            if kind == "worker":
                self._came(message)
            elif kind == "gone":
                self._went(message)
            elif kind == "said":
                worker = self._workers.get(message["address"])
                if worker is not None:
                    self._said(worker, message)

    def _came(self, message: Message) -> None:
        address = str(message["address"])
        engine = self._link.address.engine
        pid = self._hosts.pid_of(message)
        name = _short_name(str(message.get("name", "")), address)
        here = self._hosts.is_here(message)
        shift_ns = self._hosts.shift_ns(message)
        before = self._workers.get(address)
        if before is not None:
            if before.pid == pid:
                return  # told twice
            self._end(before, message)
        self._workers[address] = _Worker(pid, shift_ns, here, name)
        label = f"{engine} worker {name}" if name else f"{engine} worker"
        if here:
            if not self._family.adopt(pid, (label, address)):
                text = f"{label} (pid {pid}) may not be read, or has ended"
                self._log.append(Notice(time.monotonic_ns(), "warn", text))
            return
        t_ns = max(int(message["t"]) + shift_ns, self._t_start_ns)
        host = redact_text(str(message.get("host", "?")))
        argv = (f"{engine} worker {name or address}", f"on {host}", f"pid {message['pid']}")
        self._log.append(ProcessStart(t_ns, pid, 0, argv, message.get("python")))

    def _went(self, message: Message) -> None:
        worker = self._workers.pop(str(message["address"]), None)
        if worker is not None:
            self._end(worker, message)

    def _end(self, worker: _Worker, message: Message) -> None:
        """Its phases end with it; of one on this machine whoever reads it sees the end."""
        t_ns = time.monotonic_ns()
        ends: list[Record] = [
            PhaseEnd(t_ns, worker.pid, id_, None, None) for id_ in self._open.pop(worker.pid, {})
        ]
        if not worker.here:
            self._far.pop(worker.pid, None)
            ends.append(Exit(t_ns, worker.pid, None, None))
        self._log.extend(ends)

    def _said(self, worker: _Worker, message: Message) -> None:
        pid, shift_ns = worker.pid, worker.shift_ns
        t_ns = max(int(message["t"]) + shift_ns, self._t_start_ns)
        rows: list[Record] = []
        open_ = self._open.setdefault(pid, {})
        edges: list[tuple[int, int, int, Record]] = []
        for began_ns, id_, prefix in message.get("began", ()):
            open_[id_] = None
            t0_ns = max(began_ns + shift_ns, self._t_start_ns)
            begin = PhaseBegin(t0_ns, pid, 0, id_, prefix, None, None, None)
            edges.append((begin.t_ns, id_, 0, begin))
        for ended_ns, id_ in message.get("ended", ()):
            if open_.pop(id_, id_) is None:
                t1_ns = max(ended_ns + shift_ns, self._t_start_ns)
                end = PhaseEnd(t1_ns, pid, id_, None, None)
                edges.append((end.t_ns, id_, 1, end))
        rows += [edge for _, _, _, edge in sorted(edges, key=lambda edge: edge[:3])]
        for prefix, n, _ in message.get("done", ()):
            key = (pid, str(prefix))
            self._totals[key] = self._totals.get(key, 0) + int(n)
            rows.append(Count(t_ns, pid, f"tasks: {prefix}", float(self._totals[key])))
        memory = message.get("memory")
        if memory is not None:
            rows.append(Pool(t_ns, pid, MANAGED, int(memory["managed"])))
            rows.append(Pool(t_ns, pid, UNMANAGED, int(memory["unmanaged"])))
            if memory["spilled"]:
                rows.append(Pool(t_ns, pid, SPILLED, int(memory["spilled"])))
        use = message.get("use")
        if use is not None:
            rows += self._use(pid, t_ns, shift_ns, use)
        self._log.extend(rows)

    def _use(self, pid: int, t_ns: int, shift_ns: int, use: dict[str, Any]) -> list[Record]:
        """What a worker elsewhere has read of itself."""
        threads: Sequence[Any] = use["threads"]
        waited_s = sum(waited for *_, waited in threads) / NS_PER_S
        self._far[pid] = Metric(
            t_ns,
            pid,
            float(use["cpu_s"]),
            int(use["rss"]),
            threads=len(threads) or None,
            run_queue_wait_s=waited_s if threads else None,
        )
        self._fresh.add(pid)
        rows: list[Record] = []
        for tid, name, ran, waited in threads:
            if name == "perftui":
                continue
            rows.append(
                ThreadCpu(t_ns, pid, tid, name[:15], ran / NS_PER_S, "?", waited / NS_PER_S)
            )
            if name:
                rows.append(ThreadName(t_ns, pid, tid, name))
        stacks = [
            Stack(began + shift_ns, until + shift_ns, pid, tid, self._node(frames))
            for began, until, tid, frames in use["stacks"]
        ]
        rows += stacks
        before_ns = self._windows.get(pid, t_ns - NS_PER_S // 2)
        self._windows[pid] = t_ns
        rows.append(
            StackWindow(
                before_ns,
                t_ns,
                pid,
                float(use["rate_hz"]),
                samples=len(stacks),
                errors=int(use["dropped"]),
                torn=0,
                sampler_cpu_s=0.0,
                backend=IN_WORKER,
            )
        )
        return rows

    def far_metrics(self, t_ns: int) -> list[Metric]:
        """Return what each worker elsewhere told last, as of a moment.

        How long it waited for a core is told once a second, as of processes here.
        """
        told = []
        for pid, metric in list(self._far.items()):
            due = t_ns - self._waits_told_ns.get(pid, 0) >= _WAITS_EVERY_NS
            if pid in self._fresh and due:
                self._fresh.discard(pid)
                self._waits_told_ns[pid] = t_ns
            else:
                metric = metric._replace(run_queue_wait_s=None)
            told.append(metric._replace(t_ns=t_ns))
        return told

    def _node(self, frames: Sequence[tuple[str, str, int]]) -> int:
        tree = self._log.tree
        ids = [tree.frame_id(str(name), str(file), int(line)) for name, file, line in frames]
        return 0 if tree.is_own_thread(ids) else tree.intern(ids)


def _short_name(name: str, address: str) -> str:
    """Return a worker's name where a person gave it one: else it is its address again."""
    return "" if name == address else name[:40]
