"""A real local cluster: everybody in the picture, who is odd named, and gone without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import has_ended, wait_for, whole_line

from perftui.probes.fleet.address import cluster_address
from perftui.probes.fleet.link import ClusterLink
from perftui.probes.fleet.session import ClusterSession
from perftui.probes.session_options import ProbeOptions
from perftui.scenarios.bench.lab_run import LabOptions, lab_run
from perftui.scenarios.bench.subject import Subject
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.elsewhere.place import Elsewhere
from perftui.scenarios.run.runner import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perftui.scenarios.bench.lab_run import LabRun

pytest.importorskip("distributed")
pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

END = 1 << 62
WORKERS = 3
CLUSTER = """
import sys, time
from distributed import Client, LocalCluster

def nap(s):
    time.sleep(s)

if __name__ == "__main__":
    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address=None,
    ) as cluster, Client(cluster) as client:
        print(cluster.scheduler.port, flush=True)
        for line in sys.stdin:  # "nap 0.05 7": so many naps of so long
            name, seconds, many = line.split()
            work = [client.submit(nap, float(seconds), pure=False) for _ in range(int(many))]
            client.gather(work)
            print("done", flush=True)
"""


class Cluster:
    """A local cluster in a process of its own, which runs what it is told."""

    def __init__(self, folder: Path) -> None:
        script = folder / "cluster.py"
        script.write_text(CLUSTER)
        self.errors = folder / "errors"
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(WORKERS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors.open("wb"),
            text=True,
        )
        self.port = int(self.line())

    @property
    def link(self) -> ClusterLink:
        return ClusterLink.to(cluster_address(f"dask://127.0.0.1:{self.port}"))

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, self.errors.read_text()[-2000:]
        return line

    def run(self, order: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        assert self.line() == "done"

    def traces(self) -> list[str]:
        """What is of ours in the scheduler and its workers."""
        from distributed import Client

        with Client(f"tcp://127.0.0.1:{self.port}", set_as_default=False) as client:
            plugins = client.run(lambda dask_worker: list(dask_worker.plugins))
            found = [name for names in plugins.values() for name in names]
            found += client.run_on_scheduler(
                lambda dask_scheduler: [
                    *dask_scheduler.plugins,
                    *dask_scheduler.worker_plugins,
                    *(t for t in dask_scheduler._broker._topics if not t.startswith("Client-")),
                ]
            )
        return [name for name in found if "perftui" in name]

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()  # once more changes nothing
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.stop()


def all_come(session: ClusterSession) -> None:
    """Wait for a row of each worker."""

    try:
        wait_for(lambda: len(workers_of(session)) == WORKERS)
    except AssertionError:
        told = [(p.pid, p.argv, p.t_end_ns) for p in session.store.processes()]
        notices = [notice.text for notice in session.store.status().notices]
        pytest.fail(f"not all workers came: {told} {notices}")


def workers_of(session: ClusterSession) -> dict[str, Any]:
    """The workers that live, by title."""
    return {
        process.argv[0]: process
        for process in session.store.processes()
        if process.argv[0].startswith("dask worker") and process.t_end_ns is None
    }


def test_everybody_is_in_the_picture_and_leaving_leaves_nothing(cluster: Cluster) -> None:
    session = ClusterSession.attach(cluster.link, ProbeOptions())
    try:
        all_come(session)
        assert cluster.traces(), "the plugin is in the cluster"
        cluster.run("nap 0.2 20")
        store = session.store
        wait_for(
            lambda: [c.total for c in store.counters(0, END)] == [20.0], "the tasks are not counted"
        )
        assert [c.name for c in store.counters(0, END)] == ["tasks: nap"]
        wait_for(
            lambda: {p.name for p in store.phases(0, END) if p.t1_ns is not None} == {"nap"},
            "the phase has not ended",
        )
        assert {p.pid for p in store.phases(0, END)} == {
            process.pid for process in workers_of(session).values()
        }
        uses = {use.pid: use for use in store.process_use(0, END)}
        for process in workers_of(session).values():
            assert uses[process.pid].rss_bytes
            assert not process.pid >= 10_000_000
        assert any(p.argv[0] == "dask scheduler" for p in store.processes())
        wait_for(lambda: store.call_tree(0, END), "no stacks")

        # One dies in the middle: its row ends, and its successor has a row of its own.
        before = {process.pid for process in workers_of(session).values()}
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        wait_for(
            lambda: (
                len(after := {p.pid for p in workers_of(session).values()}) == WORKERS
                and victim not in after
            ),
            "the successor of the worker that died has no row",
        )
        ended = {p.pid for p in store.processes() if p.t_end_ns is not None}
        assert victim in ended
    finally:
        session.close()
    assert cluster.traces() == []
    assert not has_ended(cluster.process.pid)


def test_a_client_that_is_killed_is_taken_out_by_the_scheduler(cluster: Cluster) -> None:
    link = cluster.link
    session = ClusterSession.attach(link, ProbeOptions(stacks=False))
    try:
        all_come(session)
        os.kill(link.pid, signal.SIGKILL)
        wait_for(lambda: not session.target_alive(), "the session does not end")
    finally:
        session.close()
    assert any("the cluster has gone" in n.text for n in session.store.status().notices)
    wait_for(lambda: cluster.traces() == [], "something of ours stayed in the cluster")


def test_cells_run_as_tasks_and_end_when_nobody_waits(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "load.py").write_text(
        "import os, time\n\n"
        "def work(rows: int = 1) -> None:\n"
        "    pass\n\n"
        "def hang(rows: int = 1) -> None:\n"
        "    with open('began', 'w') as file:\n"
        "        file.write(f'{os.getpid()}\\n')\n"
        "    time.sleep(300)\n"
    )
    monkeypatch.chdir(tmp_path)
    with Elsewhere(cluster_address(f"dask://127.0.0.1:{cluster.port}")) as place:
        options = LabOptions(calls=3, elsewhere=place)

        def cell(name: str, go_on: Callable[[], None] = lambda: None) -> LabRun:
            scenario = resolve(f"load.py:{name}")
            argv = tuple(scenario.command(sys.executable, scenario.bind([])))
            return lab_run(Subject(name, argv, kept=True), "new", 1, options, go_on)

        run = cell("work")
        assert run.done, run.why
        assert len(run.calls_s) == 3
        assert {"duration", "first_call", "cpu"} <= set(run.figures)

        def until_it_runs() -> None:
            if (tmp_path / "began").exists() and whole_line(tmp_path / "began"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cell("hang", until_it_runs)
        pid = int(whole_line(tmp_path / "began"))
        wait_for(lambda: has_ended(pid), "what the cell had started goes on")
    with pytest.raises(ScenarioError, match="does not see /nowhere"):
        monkeypatch.setattr(Path, "cwd", lambda: Path("/nowhere"))
        Elsewhere(cluster_address(f"dask://127.0.0.1:{cluster.port}"))


def test_a_scheduler_that_goes_ends_the_session(cluster: Cluster) -> None:
    session = ClusterSession.attach(cluster.link, ProbeOptions(stacks=False))
    try:
        all_come(session)
    finally:
        cluster.stop()  # the last test of this file
        wait_for(lambda: not session.target_alive(), "the session does not end")
        session.close()
    assert any("the scheduler has gone" in n.text for n in session.store.status().notices)
