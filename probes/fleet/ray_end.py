"""Our client of a Ray cluster: an actor per node tells of its workers.

The actors are no more than readers of /proc: Ray titles its workers by what they do (`ray::IDLE`,
`ray::load`, `ray::Model.predict`), and that title is the phase. They end with us, also when we are
killed: Ray ends what belongs to a driver that has gone.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from typing import Any

from perftui.probes.fleet.end import ClusterRefused, run_client, told_to_leave
from perftui.probes.fleet.say import say, words

START_S = 60.0
"""For an actor: Ray starts a worker process for it."""
ASK_S = 0.5
_LOOK_AT_NODES_S = 2.0
NOT_INSTALLED = "ray:// needs ray, which is not installed here: pip install 'perftui[ray]'"


def main(argv: list[str]) -> int:
    """Watch the cluster at HOST:PORT (of the GCS)."""
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    return run_client(RayClient, argv[0], NOT_INSTALLED)


class RayClient:
    """An `EngineClient`.

    Raises:
        ImportError: Ray is not installed.
    """

    looks_for = "Ray cluster"

    def __init__(self) -> None:
        import ray

        self._ray = ray
        self._address = ""
        self._here: dict[str, Any] = {}
        self._actors: dict[str, Any] = {}
        """By the id of their node."""
        self._known: dict[str, set[str]] = {}
        """Addresses of the workers of each node."""

    def connect(self, address: str) -> None:
        """As of `EngineClient`."""
        self._address = address
        try:
            # What Ray says would be among our messages.
            self._ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                namespace="perftui",
            )
        except Exception as error:
            raise ClusterRefused(f"no Ray cluster at {address}: {words(error)}") from error

    def cluster(self) -> dict[str, Any]:
        """As of `EngineClient`; the actors are there then."""
        import cloudpickle

        from perftui.probes.fleet import in_worker, ray_actor

        for module in (in_worker, ray_actor):
            cloudpickle.register_pickle_by_value(module)
            self._ray.cloudpickle.register_pickle_by_value(module)
        self._here = in_worker.identity()
        self._look_at_nodes()
        return {
            "version": self._ray.__version__,
            "scheduler": {**self._raylet(), "address": self._address},
        }

    def tell(self) -> None:
        """As of `EngineClient`."""
        looked_s = 0.0
        while not told_to_leave(ASK_S):
            now_s = time.monotonic()
            if now_s - looked_s > _LOOK_AT_NODES_S:
                looked_s = now_s
                self._look_at_nodes()
            for node in list(self._actors):
                self._ask(node)

    def take_out(self) -> str | None:
        """As of `EngineClient`."""
        for actor in self._actors.values():
            with suppress(Exception):
                self._ray.kill(actor)
        return None

    def close(self) -> None:
        """As of `EngineClient`."""
        self._ray.shutdown()

    def _ask(self, node: str) -> None:
        """Say what a node's actor has to tell."""
        try:
            messages = self._ray.get(self._actors[node].take.remote(), timeout=10)
        except Exception:  # the node has gone, or is stuck: the next look finds it anew
            del self._actors[node]
            for worker in self._known.pop(node, set()):
                say({"is": "gone", "address": worker})
            return
        for message in messages:
            if message["is"] == "worker":
                self._known.setdefault(node, set()).add(message["address"])
            say(message)

    def _raylet(self) -> dict[str, Any]:
        """Return who runs the workers: of this machine, if it is one of the cluster's."""
        first: dict[str, Any] | None = None
        for actor in self._actors.values():
            who: dict[str, Any] = self._ray.get(actor.raylet.remote(), timeout=START_S)
            first = first or who
            if (who["boot"], who["pid_ns"]) == (self._here["boot"], self._here["pid_ns"]):
                return who
        if first is None:
            raise RuntimeError("it has no node that lives")
        return first

    def _look_at_nodes(self) -> None:
        """Have an actor on every node that lives."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from perftui.probes.fleet import ray_actor

        for node in self._ray.nodes():
            name = node["NodeID"]
            if not node["Alive"] or name in self._actors:
                continue
            there = NodeAffinitySchedulingStrategy(node_id=name, soft=False)
            actor = self._ray.remote(ray_actor.NodeActor).options(
                num_cpus=0, scheduling_strategy=there, max_restarts=0
            )
            self._actors[name] = actor.remote(self._here, name[:8])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
