"""A real local Ray: its workers in the picture, and the actors gone after."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.fleet.address import cluster_address
from perftui.probes.fleet.link import ClusterLink
from perftui.probes.fleet.session import ClusterSession
from perftui.probes.session_options import ProbeOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("ray", reason="ray is not installed: 75 MB, and no wheels for Python 3.15")
pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

END = 1 << 62
CLUSTER = """
import sys, time
import ray

ray.init(
    num_cpus=2, include_dashboard=False, log_to_driver=False, _temp_dir=sys.argv[1],
    object_store_memory=100_000_000,
)
print(ray.get_runtime_context().gcs_address, flush=True)

@ray.remote
def nap():
    time.sleep(0.7)

for _ in sys.stdin:
    ray.get([nap.remote() for _ in range(4)])
    print("done", flush=True)
"""


@pytest.fixture
def ray_cluster(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    script, errors = tmp_path / "cluster.py", tmp_path / "errors"
    script.write_text(CLUSTER)
    with errors.open("wb") as file:
        program = subprocess.Popen(
            [sys.executable, str(script), f"/tmp/r{os.getpid()}"],  # its sockets have short names
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env={**os.environ, "RAY_AUTH_MODE": "disabled"},
        )
    assert program.stdout is not None
    address = program.stdout.readline().strip()
    assert address, errors.read_text()[-2000:]
    yield program, address
    assert program.stdin is not None
    program.stdin.close()
    program.wait(60)


def titles_of_ray() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.append((entry / "cmdline").read_bytes().split(b"\0")[0].decode())
            except (OSError, UnicodeDecodeError):
                continue
    return [title for title in found if title.startswith("ray::NodeActor")]


def test_workers_are_rows_tasks_are_phases_and_nothing_stays(
    ray_cluster: tuple[subprocess.Popen[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program, address = ray_cluster
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert program.stdin is not None
    assert program.stdout is not None
    session = ClusterSession.attach(
        ClusterLink.to(cluster_address(f"ray://{address}")), ProbeOptions()
    )
    try:
        program.stdin.write("go\n")
        program.stdin.flush()
        store = session.store
        wait_for(lambda: {p.name for p in store.phases(0, END)} >= {"nap"}, "the task is no phase")
        assert program.stdout.readline() == "done\n"
        workers = {p.pid for p in store.processes() if p.argv[0] == "ray worker"}
        assert {p.pid for p in store.phases(0, END) if p.name == "nap"} <= workers
        assert any(p.argv[0] == "ray raylet" for p in store.processes())
        wait_for(lambda: store.call_tree(0, END), "no stacks")
    finally:
        session.close()
    wait_for(lambda: not titles_of_ray(), "an actor of ours goes on")
