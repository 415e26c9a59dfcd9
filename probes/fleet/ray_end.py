"""Our client of a Ray cluster, in a process of its own: an actor per node tells of its workers.

Orders come on standard input (its end is the order to leave), messages go to standard output, one
JSON object a line, as those of `dask_end`. The actors are no more than readers of /proc: Ray titles
its workers by what they do (`ray::IDLE`, `ray::load`, `ray::Model.predict`), and that title is the
phase. They end with us, also when we are killed: Ray ends what belongs to a driver that has gone.
"""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import suppress
from typing import Any

from perftui.probes.fleet.say import say, words

START_S = 60.0
"""For an actor: Ray starts a worker process for it."""
ASK_S = 0.5
NOT_INSTALLED = "ray:// needs ray, which is not installed here: pip install 'perftui[ray]'"


def main(argv: list[str]) -> int:
    """Connect to HOST:PORT (of the GCS), bring the actors, tell, and take them out again."""
    address = argv[0]
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    try:
        import ray
    except ImportError:
        say({"is": "refused", "text": NOT_INSTALLED})
        return 0
    import logging

    from perftui.probes.fleet.say import nobody_there

    if problem := nobody_there(address, "Ray cluster"):
        say({"is": "refused", "text": problem})
        return 0
    try:
        # What Ray says would be among our messages.
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            namespace="perftui",
        )
    except Exception as error:
        say({"is": "refused", "text": f"no Ray cluster at {address}: {words(error)}"})
        return 0
    try:
        _watch(ray, address)
    except Exception as error:
        say({"is": "lost", "text": words(error)})
    finally:
        with suppress(Exception):
            ray.shutdown()
    return 0


def _watch(ray: Any, address: str) -> None:
    import cloudpickle

    from perftui.probes.fleet import in_worker, ray_actor

    for module in (in_worker, ray_actor):
        cloudpickle.register_pickle_by_value(module)
        ray.cloudpickle.register_pickle_by_value(module)
    here = in_worker.identity()
    actors: dict[str, Any] = {}
    _look_at_nodes(ray, ray_actor, here, actors)
    say(
        {
            "is": "cluster",
            "version": ray.__version__,
            "scheduler": {**_raylet(ray, actors, here), "address": address},
        }
    )
    known: dict[str, set[str]] = {}
    looked_s = 0.0
    while True:
        ready, _, _ = select.select([0], [], [], ASK_S)
        if ready and not os.read(0, 4096):
            break
        now_s = time.monotonic()
        if now_s - looked_s > 2.0:
            looked_s = now_s
            _look_at_nodes(ray, ray_actor, here, actors)
        for node, actor in list(actors.items()):
            try:
                messages = ray.get(actor.take.remote(), timeout=10)
            except Exception:  # the node has gone, or is stuck: the next look finds it anew
                del actors[node]
                for worker in known.pop(node, set()):
                    say({"is": "gone", "address": worker})
                continue
            for message in messages:
                if message["is"] == "worker":
                    known.setdefault(node, set()).add(message["address"])
                say(message)
    for actor in actors.values():
        with suppress(Exception):
            ray.kill(actor)
    say({"is": "left", "problem": None})


def _raylet(ray: Any, actors: dict[str, Any], here: dict[str, Any]) -> dict[str, Any]:
    """Return who runs the workers: of this machine, if it is one of the cluster's."""
    first: dict[str, Any] | None = None
    for actor in list(actors.values()):
        who: dict[str, Any] = ray.get(actor.raylet.remote(), timeout=START_S)
        first = first or who
        if (who["boot"], who["pid_ns"]) == (here["boot"], here["pid_ns"]):
            return who
    if first is None:
        raise RuntimeError("it has no node that lives")
    return first


def _look_at_nodes(ray: Any, ray_actor: Any, here: dict[str, Any], actors: dict[str, Any]) -> None:
    """Have an actor on every node that lives."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    for node in ray.nodes():
        name = node["NodeID"]
        if not node["Alive"] or name in actors:
            continue
        actors[name] = (
            ray.remote(ray_actor.NodeActor)
            .options(
                num_cpus=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=name, soft=False),
                max_restarts=0,
            )
            .remote(here, name[:8])
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
