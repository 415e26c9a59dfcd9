"""What a cluster says, as records: without a cluster, the worker being this very process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import wait_for

from perftui.probes.fleet.address import BadAddress, cluster_address
from perftui.probes.fleet.in_worker import InWorker, identity, is_far
from perftui.probes.fleet.link import ClusterLink, NoCluster
from perftui.probes.fleet.probe import MANAGED, SPILLED, ClusterProbe
from perftui.probes.fleet.target import Hosts
from perftui.probes.process.rank import rank_in
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import TREE, Target
from perftui.probes.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

END = 1 << 62
ELSEWHERE = {"boot": "another machine's", "pid_ns": "pid:[1]", "host": "far"}


class Adopted:
    """Whoever reads processes of this machine."""

    def __init__(self) -> None:
        self.titles: dict[int, tuple[str, ...]] = {}

    def adopt(self, pid: int, title: tuple[str, ...]) -> bool:
        self.titles[pid] = title
        return True


class Said:
    """A link over which this is said."""

    def __init__(self, messages: list[dict[str, Any]], scheduler: dict[str, Any]) -> None:
        self.address = cluster_address("dask://127.0.0.1:1")
        self.cluster = {"scheduler": {**scheduler, "address": "tcp://127.0.0.1:1"}}
        self.lost = self.left_problem = None
        self._messages = messages

    def listen(self, take: Callable[[dict[str, Any]], None]) -> None:
        for message in self._messages:
            take(json.loads(json.dumps(message)))  # as it comes over a pipe


def heard(messages: list[dict[str, Any]]) -> tuple[Store, Adopted]:
    log = SessionLog()
    store = Store(log.tree, Target("c", (), 1, None, launched=False, agent=False))
    log.connect(store)
    family = Adopted()
    link: Any = Said(messages, {**identity(), **ELSEWHERE})
    probe = ClusterProbe(log, link, Hosts(), family)
    probe.start()
    probe.stop()
    log.extend(probe.far_metrics(time.monotonic_ns()))
    return store, family


def worker(address: str, **more: Any) -> dict[str, Any]:
    return {"is": "worker", "address": address, "name": "3", **identity(), **more}


def test_a_worker_of_this_machine_is_read_from_outside_under_its_name() -> None:
    _, family = heard([worker("tcp://w")])
    assert family.titles[os.getpid()] == ("dask worker 3", "tcp://w")


def test_a_worker_elsewhere_reads_itself() -> None:
    inside = InWorker()
    done = threading.Event()

    def busy_in_here() -> None:
        while not done.is_set():
            sum(range(1000))

    thread = threading.Thread(target=busy_in_here, name="a task")
    thread.start()
    try:
        time.sleep(0.3)
        uses = [inside.take()]
        wait_for(lambda: (uses.append(inside.take()), uses[-1])[1]["stacks"], "no stacks")
    finally:
        done.set()
        thread.join()
        inside.stop()
        inside.join()
    me = identity()
    said = [{"is": "said", "address": "tcp://w", **me, "use": use} for use in uses]
    store, family = heard([worker("tcp://w", **ELSEWHERE), *said])
    assert os.getpid() not in family.titles
    (process,) = store.processes()
    assert process.pid == 10_000_000 + os.getpid()
    assert process.argv == ("dask worker 3", "on far", f"pid {os.getpid()}")
    assert process.python == me["python"]
    (use,) = store.process_use(0, END)
    assert use.peak_rss_bytes is not None
    assert use.peak_rss_bytes > 10_000_000
    assert store.last("rss_bytes", TREE) == use.rss_bytes
    functions = {
        store.tree.frame(node).function
        for tree in store.call_tree(0, END)
        for node in tree.self_by_node
    }
    assert any("busy_in_here" in name for name in functions)
    assert {thread.name for thread in store.threads(0, END)} >= {"a task"}


def test_tasks_are_phases_counters_and_pools_and_end_with_their_worker() -> None:
    t_ns = time.monotonic_ns() + 60 * 10**9  # what was so before we came is so from then on
    store, _ = heard(
        [
            worker("tcp://w"),
            {
                "is": "said",
                "address": "tcp://w",
                "t": t_ns,
                "wall": time.time_ns(),
                "began": [[t_ns, 1, "load"], [t_ns + 10, 2, "fit"]],
                "ended": [[t_ns + 5, 1]],
                "done": [["load", 3, 10**9]],
                "memory": {"managed": 5_000, "unmanaged": 7_000, "spilled": 9_000},
            },
            {"is": "said", "address": "tcp://unknown", "t": t_ns, "done": [["x", 1, 1]]},
            {"is": "said", "address": "tcp://w", "t": "nonsense"},
            {"is": "gone", "address": "tcp://w", "t": t_ns + 20},
        ]
    )
    phases = {phase.name: phase for phase in store.phases(0, END)}
    assert phases["load"].t1_ns == t_ns + 5
    assert phases["fit"].t1_ns is not None
    assert [(c.name, c.total) for c in store.counters(0, END)] == [("tasks: load", 3.0)]
    for name, size in ((MANAGED, 5_000), (SPILLED, 9_000)):
        last = store.metric(f"pool:{name}", t_ns - 10**9, t_ns + 10**9, 1, TREE).high[0]
        assert last == size, name


def test_a_worker_that_began_anew_is_another_process() -> None:
    again = worker("tcp://w", pid=99_999, **ELSEWHERE)
    store, _ = heard([worker("tcp://w", **ELSEWHERE), again])
    first, second = store.processes()
    assert first.t_end_ns is not None
    assert (second.pid, second.t_end_ns) == (10_099_999, None)


def test_another_boot_or_namespace_is_another_machine() -> None:
    me = identity()
    assert not is_far(me, me)
    assert is_far({**me, "pid_ns": "pid:[1]"}, me)
    assert is_far({**me, "boot": ""}, me)
    hosts = Hosts()
    assert hosts.pid_of(me) == os.getpid()
    assert hosts.shift_ns({**me, "pid_ns": "pid:[1]"}) == 0  # the same kernel, the same clock
    assert hosts.pid_of({**me, "pid": 7, "host": "a", "boot": "x"}) == 10_000_007
    assert hosts.pid_of({**me, "pid": 7, "host": "b", "boot": "y"}) == 20_000_007
    assert hosts.pid_of({**me, "pid": 8, "host": "a", "boot": "x"}) == 10_000_008
    ahead = {**me, "boot": "x", "t": me["t"] + 5 * 10**9}  # its uptime is 5 s longer
    assert hosts.shift_ns(ahead) == pytest.approx(-5 * 10**9, abs=2 * 10**9)


@pytest.mark.parametrize(
    "text",
    ["dask://", "dask://host:port", "dask://h:0", "dask://h:99999", "dask://u@h:1", "ray:///"],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadAddress, match="HOST:PORT is"):
        cluster_address(text)


def test_addresses() -> None:
    assert cluster_address("dask://h").host_and_port == "h:8786"
    assert str(cluster_address("dask://[::1]:99/")) == "dask://[::1]:99"


def test_nobody_there_is_told_at_once_and_in_one_line() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(NoCluster, match=r"no Dask scheduler answers at 127\.0\.0\.1:1: Connection"):
        ClusterLink.to(cluster_address("dask://127.0.0.1:1"))


def test_without_distributed_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from perftui.probes.fleet.dask_end import main\n"
        "main(['127.0.0.1:1'])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'perftui[dask]'" in json.loads(said.stdout)["text"]


def test_another_version_there_is_refused_with_both_named() -> None:
    from perftui.probes.fleet.dask_end import other_version

    def versions(python: str, distributed: str) -> dict[str, Any]:
        return {"host": {"python": python}, "packages": {"distributed": distributed}}

    here = versions("3.11.7.final.0", "2026.8.0")
    assert other_version(here, versions("3.11.9.final.0", "2026.8.0")) is None
    told = other_version(here, versions("3.13.1.final.0", "2026.8.0"))
    assert told is not None
    assert "the cluster runs Python 3.13, here is 3.11" in told
    told = other_version(here, versions("3.11.7.final.0", "2024.1.0"))
    assert told is not None
    assert "distributed 2024.1.0, here is 2026.8.0" in told


def test_ranks_of_launchers() -> None:
    assert rank_in(b"A=1\0RANK=5\0LOCAL_RANK=1\0") == 5
    assert rank_in(b"OMPI_COMM_WORLD_RANK=12\0") == 12
    assert rank_in(b"PMI_RANK=0\0RANK=not a number\0") == 0
    assert rank_in(b"MYRANK=5\0RANKING=3\0RANK=\0") is None
    assert rank_in(b"RANK=123456789012\0") is None


def test_the_sum_is_of_all_who_are_elsewhere() -> None:
    far = InWorker()
    far.stop()
    use = {**far.take(), "rss": 50_000_000}
    messages: list[dict[str, Any]] = []
    for name in ("a", "b", "c"):
        me = {**identity(), **ELSEWHERE, "pid": 7 + ord(name)}
        messages.append({**worker(f"tcp://{name}"), **me})
        messages.append({"is": "said", "address": f"tcp://{name}", **me, "use": use})
    store, _ = heard(messages)
    assert store.last("rss_bytes", TREE) == 150_000_000
