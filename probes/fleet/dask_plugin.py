"""What comes into a Dask cluster: a plugin in each worker, and one in the scheduler.

Both travel by value: the cluster has nothing of ours installed. What they say goes through the
scheduler's topics, one message a worker every half second at the most.
"""

import collections
import time
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin

from perftui.probes.fleet.in_worker import InWorker, identity, is_far

FLUSH_S = 0.5
JOINED_S = 0.5
"""Tasks of one key prefix that follow each other within this are told as one phase."""
MOST_PREFIXES = 200
"""Of one worker at a time; of what is more only the number of tasks is told."""


class PerftuiWorkerPlugin(WorkerPlugin):  # type: ignore[misc]
    """Tells of one worker: who it is, its tasks by key prefix, and the memory that it manages.

    Args:
        name: Of the plugin and of the topic.
        watcher: `identity()` of whoever watches: a worker beside it is read from outside.
    """

    idempotent = True

    def __init__(self, name: str, watcher: "dict[str, Any]") -> None:
        self.name = name
        self.watcher = watcher

    def setup(self, worker: Any) -> None:
        """Say who this is, and begin to tell."""
        from tornado.ioloop import PeriodicCallback

        self.worker: Any = worker
        self.running: "dict[Any, tuple[str, int]]" = {}
        self.open: "dict[str, list[int]]" = {}
        """By prefix: id of its phase, tasks that run."""
        self.idle: "dict[str, int]" = {}
        """Open phases of which no task runs, since when."""
        self.began: "list[list[Any]]" = []
        self.ended: "list[list[Any]]" = []
        self.done: "collections.Counter[str]" = collections.Counter()
        self.took_ns: "collections.Counter[str]" = collections.Counter()
        self.told: "dict[str, int]" = {}
        self.next_id = 1
        me = identity()
        self.inside = InWorker() if is_far(me, self.watcher) else None
        hello = {"is": "worker", "address": worker.address, "name": str(worker.name), **me}
        worker.log_event(self.name, hello)
        self.timer = PeriodicCallback(self.flush, FLUSH_S * 1000)
        self.timer.start()

    def teardown(self, worker: Any) -> None:
        """Stop, and leave nothing."""
        self.timer.stop()
        if self.inside is not None:
            self.inside.stop()
        self.worker = None

    def transition(self, key: Any, start: Any, finish: Any, **kwargs: Any) -> None:
        """A task begins to run or is over; called between the worker's own steps, so short."""
        if finish == "executing":
            from dask.utils import key_split

            prefix = str(key_split(key))[:200]
            phase = self.open.get(prefix)
            if key in self.running or (phase is None and len(self.open) >= MOST_PREFIXES):
                return
            t_ns = time.monotonic_ns()
            self.running[key] = (prefix, t_ns)
            if phase is None:
                self.open[prefix] = [self.next_id, 1]
                self.began.append([t_ns, self.next_id, prefix])
                self.next_id += 1
            else:
                phase[1] += 1
                self.idle.pop(prefix, None)
        elif key in self.running and finish not in ("long-running", "cancelled", "resumed"):
            prefix, began_ns = self.running.pop(key)
            t_ns = time.monotonic_ns()
            if finish in ("memory", "error"):
                self.done[prefix] += 1
                self.took_ns[prefix] += t_ns - began_ns
            phase = self.open[prefix]
            phase[1] -= 1
            if not phase[1]:
                self.idle[prefix] = t_ns

    def flush(self) -> None:
        """Tell what has come since."""
        worker = self.worker
        if worker is None:
            return
        now_ns = time.monotonic_ns()
        for prefix, t_ns in list(self.idle.items()):
            if now_ns - t_ns > JOINED_S * 1e9:
                del self.idle[prefix]
                self.ended.append([t_ns, self.open.pop(prefix)[0]])
        said: "dict[str, Any]" = {}
        if self.began or self.ended:
            said["began"], said["ended"] = self.began, self.ended
            self.began, self.ended = [], []
        if self.done:
            said["done"] = [[name, n, self.took_ns[name]] for name, n in self.done.items()]
            self.done.clear()
            self.took_ns.clear()
        memory = self.memory()
        if memory != self.told:
            said["memory"] = self.told = memory
        if self.inside is not None:
            said["use"] = self.inside.take()
        if said:
            head = {"is": "said", "address": worker.address, "t": now_ns, "wall": time.time_ns()}
            worker.log_event(self.name, {**head, **said})

    def memory(self) -> "dict[str, int]":
        """Return what the worker manages, what it has spilled, and what is neither, in bytes."""
        worker = self.worker
        spilled = disk = 0
        try:
            spilled, disk = worker.data.spilled_total
        except (AttributeError, TypeError, ValueError):
            pass  # a worker that does not spill
        managed = max(int(worker.state.nbytes) - int(spilled), 0)
        whole = int(worker.monitor.get_process_memory())
        return {
            "managed": managed,
            "unmanaged": max(whole - managed, 0),
            "spilled": int(disk),
        }


class PerftuiSchedulerPlugin(SchedulerPlugin):  # type: ignore[misc]
    """Tells of workers that go, and takes everything of ours out when our client has gone.

    Args:
        topic: The topic, and name of the plugin in the workers.
        client: Id of our client.
    """

    idempotent = True

    def __init__(self, topic: str, client: str) -> None:
        self.name = topic + "-scheduler"
        self.topic = topic
        self.client = client
        self.scheduler: Any = None

    async def start(self, scheduler: Any) -> None:
        """Take the scheduler."""
        self.scheduler = scheduler

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """Tell that a worker has gone."""
        message = {"is": "gone", "address": worker}
        scheduler.log_event(self.topic, {**message, "t": time.monotonic_ns()})

    def remove_client(self, scheduler: Any, client: str, **kwargs: Any) -> None:
        """Our client has gone, however that came: so does what it brought."""
        if client == self.client:
            scheduler.loop.add_callback(self.leave)

    async def leave(self) -> None:
        """Take the plugin out of all workers, then ourselves and the topic."""
        scheduler = self.scheduler
        if self.topic in scheduler.worker_plugins:
            await scheduler.unregister_worker_plugin(None, self.topic)
        if self.name in scheduler.plugins:
            scheduler.remove_plugin(self.name)
        # What workers had sent before they heard of it is forgotten with the topic.
        scheduler.loop.call_later(2, self.forget)
        self.forget()

    def forget(self) -> None:
        """Free what the scheduler keeps of our topic."""
        topics = getattr(getattr(self.scheduler, "_broker", None), "_topics", {})
        topics.pop(self.topic, None)
