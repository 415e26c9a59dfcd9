"""What comes into a Ray cluster: an actor on each node that reads its neighbours in /proc.

It travels by value: the cluster has nothing of ours installed.
"""

import os
import threading
import time
from typing import Any

from perftui.probes.fleet.in_worker import identity, is_far

LOOK_S = 0.1
JOINED_S = 0.5
"""What a worker does again within this is told as one phase."""
IDLE = "IDLE"
NOT_WORKERS = ("DashboardAgent", "RuntimeEnvAgent", "NodeActor")
"""Ray's own, and this one."""


class NodeActor:
    """Tells of the workers of one node: who they are, and by their titles what they do.

    Args:
        watcher: `identity()` of whoever watches.
        node: What tells this node's workers from another's.
    """

    def __init__(self, watcher: "dict[str, Any]", node: str) -> None:
        self.me = identity()
        self.far = is_far(self.me, watcher)
        self.node = node
        self.lock = threading.Lock()
        self.messages: "list[dict[str, Any]]" = []
        self.known: "dict[int, list[Any]]" = {}
        """By pid: title, what it does, id of that phase, when it was last at it."""
        self.next_id = 1
        self.told_ns = 0
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.ticks = os.sysconf("SC_CLK_TCK")
        threading.Thread(target=self.run, name="perftui", daemon=True).start()

    def raylet(self) -> "dict[str, Any]":
        """Return who this node's workers are started by."""
        return {**self.me, "pid": os.getppid()}

    def run(self) -> None:
        """Look again and again."""
        while True:
            self.look()
            time.sleep(LOOK_S)

    def workers(self) -> "dict[int, str]":
        """Return the title of each worker: what the node's own raylet has started."""
        raylet = os.getppid()
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                with open("/proc/" + name + "/stat") as file:
                    fields = file.read().rpartition(") ")[2].split()
                if int(fields[1]) != raylet:
                    continue
                with open("/proc/" + name + "/cmdline", "rb") as raw:
                    title = raw.read().split(b"\0")[0].decode("utf-8", "replace").strip()
            except (OSError, ValueError, IndexError):
                continue
            role = title[5:].partition(".")[0]
            if title.startswith("ray::") and role not in NOT_WORKERS:
                found[int(name)] = title[5:]
        return found

    def look(self) -> None:
        """Find who has come, gone, or does something else."""
        found = self.workers()
        t_ns = time.monotonic_ns()
        head = {"t": t_ns, "wall": time.time_ns()}
        with self.lock:
            for pid, title in found.items():
                address = self.node + ":" + str(pid)
                known = self.known.get(pid)
                if known is None:
                    known = self.known[pid] = [None, None, 0, 0]
                    who = {**self.me, **head, "pid": pid}
                    self.messages.append({"is": "worker", "address": address, "name": "", **who})
                doing = None if title == IDLE or not title else title[:200]
                said: "dict[str, Any]" = {"began": [], "ended": []}
                over = doing is None and t_ns - known[3] > JOINED_S * 1e9
                if known[1] is not None and (over or doing not in (None, known[1])):
                    said["ended"].append([known[3], known[2]])
                    known[1] = None
                if doing is not None:
                    known[3] = t_ns
                    if known[1] is None:
                        known[1], known[2] = doing, self.next_id
                        said["began"].append([t_ns, self.next_id, doing])
                        self.next_id += 1
                if said["began"] or said["ended"]:
                    self.messages.append({"is": "said", "address": address, **head, **said})
            for pid in list(self.known.keys() - found.keys()):
                del self.known[pid]
                self.messages.append({"is": "gone", "address": self.node + ":" + str(pid), **head})
            if self.far and t_ns - self.told_ns > 0.5e9:
                self.told_ns = t_ns
                for pid in found:
                    use = self.use(pid)
                    if use is not None:
                        address = self.node + ":" + str(pid)
                        self.messages.append({"is": "said", "address": address, **head, "use": use})
            del self.messages[:-5000]

    def use(self, pid: int) -> "dict[str, Any] | None":
        """Return what a neighbour uses: no stacks, which only it could read."""
        try:
            with open("/proc/" + str(pid) + "/stat") as file:
                fields = file.read().rpartition(") ")[2].split()
        except OSError:
            return None
        return {
            "cpu_s": (int(fields[11]) + int(fields[12])) / self.ticks,
            "rss": int(fields[21]) * self.page,
            "threads": [],
            "stacks": [],
            "dropped": 0,
            "rate_hz": 0.0,
        }

    def take(self) -> "list[dict[str, Any]]":
        """Return what came since it was last asked."""
        with self.lock:
            messages, self.messages = self.messages, []
        return messages
