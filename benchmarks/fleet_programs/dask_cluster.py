"""A local Dask cluster that keeps its workers busy with one kind of task.

    python dask_cluster.py WORKERS SECONDS PORT [PLANT AT]...

After AT seconds of work one worker changes: PLANT is `straggler` (worker 5: tasks take five times
as long), `blocked` (worker 5: they sleep) or `leak` (worker 2 keeps 250 kB of each task). A task
takes 5 ms of CPU and waits 45 ms: eight workers leave two cores half free. Prints
"ready ADDRESS" when all workers are there and "PLANT WORKER PID T_NS" (CLOCK_MONOTONIC) as it
happens.
"""

from __future__ import annotations

import os
import sys
import time


def work(began_s: float, plants: dict[str, float]) -> str | None:
    """One task; says what it did for the first time."""
    from distributed import get_worker

    worker = get_worker()
    name, now_s = str(worker.name), time.time() - began_s
    state = worker.__dict__.setdefault("_planted", {})
    said = None

    def due(plant: str, whose: str) -> bool:
        nonlocal said
        if name != whose or now_s < plants.get(plant, 1e9):
            return False
        if plant not in state:
            state[plant] = []
            said = f"{plant} {name} {os.getpid()} {time.monotonic_ns()}"
        return True

    slow = 5.0 if due("straggler", "5") else 1.0
    if due("leak", "2"):
        state["leak"].append(bytearray(b"x") * 250_000)
    until_s = time.thread_time() + 0.005 * slow
    while time.thread_time() < until_s:
        pass
    time.sleep(0.5 if due("blocked", "5") else 0.045 * slow)
    return said


def main() -> None:
    from distributed import Client, LocalCluster, as_completed

    workers, seconds, port = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    plants = dict(zip(sys.argv[4::2], map(float, sys.argv[5::2]), strict=True))
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=None,
            scheduler_port=port,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(workers)
        began_s = time.time()
        print("ready", cluster.scheduler_address, flush=True)
        whose = {}

        def submit(worker: str) -> object:
            future = client.submit(
                work,
                began_s,
                plants,
                pure=False,
                workers=[worker],
                key=f"work-{os.urandom(8).hex()}",
            )
            whose[future.key] = worker
            return future

        running = as_completed(
            [submit(worker) for worker in cluster.scheduler.workers for _ in range(3)]
        )
        for future in running:
            said = future.result()
            if said is not None:
                print(said, flush=True)
            worker = whose.pop(future.key)
            if time.time() - began_s < seconds:
                running.add(submit(worker))


if __name__ == "__main__":
    main()
