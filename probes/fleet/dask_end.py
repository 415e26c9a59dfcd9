"""Our client of a Dask cluster: plugins in its scheduler and workers, heard by its topics."""

from __future__ import annotations

import logging
import sys
import uuid
from typing import Any

from perftui.probes.fleet.end import ClusterRefused, run_client, told_to_leave
from perftui.probes.fleet.say import CONNECT_S, say, words

NOT_INSTALLED = (
    "dask:// needs distributed, which is not installed here: pip install 'perftui[dask]'"
)
_LOOK_S = 1.0


def main(argv: list[str]) -> int:
    """Watch the cluster at HOST:PORT (of the scheduler)."""
    return run_client(DaskClient, argv[0], NOT_INSTALLED)


class DaskClient:
    """An `EngineClient`.

    Raises:
        ImportError: Dask's distributed is not installed.
    """

    looks_for = "Dask scheduler"

    def __init__(self) -> None:
        import cloudpickle
        import dask
        import distributed

        self._register_by_value = cloudpickle.register_pickle_by_value
        self._connect = distributed.Client
        self._version = dask.__version__
        self._client: Any = None
        self._name = f"perftui-{uuid.uuid4().hex[:12]}"

    def connect(self, address: str) -> None:
        """As of `EngineClient`."""
        logging.disable(logging.CRITICAL)  # its words are not for a screen
        try:
            self._client = self._connect(
                f"tcp://{address}", timeout=CONNECT_S, set_as_default=False, name="perftui"
            )
        except Exception as error:
            why = f"no Dask scheduler at {address}: {words(error)}"
            if isinstance(error, TimeoutError | OSError):
                why = f"no Dask scheduler answers at {address} within {CONNECT_S:g} s"
            raise ClusterRefused(why) from error

    def cluster(self) -> dict[str, Any]:
        """As of `EngineClient`."""
        versions = self._client.get_versions(check=False)
        if problem := other_version(versions["client"], versions["scheduler"]):
            raise ClusterRefused(problem)
        from perftui.probes.fleet import dask_plugin, in_worker

        self._register_by_value(dask_plugin)
        self._register_by_value(in_worker)
        scheduler = self._client.run_on_scheduler(in_worker.identity)
        return {
            "version": self._version,
            "scheduler": {**scheduler, "address": self._client.scheduler.address},
            "name": self._name,
        }

    def tell(self) -> None:
        """As of `EngineClient`: also until the scheduler has gone."""
        from perftui.probes.fleet import dask_plugin, in_worker

        client, name = self._client, self._name

        def heard(event: Any) -> None:
            say(event[1])

        client.subscribe_topic(name, heard)
        client.register_plugin(dask_plugin.PerftuiSchedulerPlugin(name, client.id))
        client.register_plugin(
            dask_plugin.PerftuiWorkerPlugin(name, in_worker.identity()), name=name
        )
        # The plugins went another way than our wish to be told: a worker may have been faster.
        for _, event in client.get_events(name):
            if event["is"] == "worker":
                say(event)
        while not told_to_leave(_LOOK_S):
            # One that has lost the scheduler is "connecting": Dask's client tries again for ever;
            # who has ended does not come back under the same address with our plugins in it.
            if client.status in ("closed", "closing", "connecting") or client.scheduler is None:
                say({"is": "lost", "text": "the scheduler has gone"})
                return

    def take_out(self) -> str | None:
        """As of `EngineClient`."""
        client, name = self._client, self._name
        if client.status != "running":
            return None
        try:
            client.unsubscribe_topic(name)
            client.unregister_worker_plugin(name)
            client.unregister_scheduler_plugin(f"{name}-scheduler")
            client.run_on_scheduler(_forget, name=name)
        except Exception as error:
            return words(error)
        return None

    def close(self) -> None:
        """As of `EngineClient`."""
        if self._client is not None:
            self._client.close(timeout=3)


def _forget(name: str, dask_scheduler: Any = None) -> None:
    """Free what the scheduler keeps of our topic."""
    broker = getattr(dask_scheduler, "_broker", None)
    getattr(broker, "_topics", {}).pop(name, None)


def other_version(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """Return why this Python, or this Dask, cannot bring a plugin there, None if it can.

    Args:
        ours, theirs: As `Client.get_versions` tells them of the client and the scheduler.
    """
    for package in ("distributed", "python"):
        mine, other = _series(ours, package), _series(theirs, package)
        if mine is None or other is None or mine == other:
            continue
        what = "Python" if package == "python" else package
        return (
            f"the cluster runs {what} {other}, here is {mine}: a plugin travels between equal "
            f"versions alone. Start perftui with the Python that the cluster's clients use"
        )
    return None


def _series(versions: dict[str, Any], package: str) -> str | None:
    """Return a version: of Python the first two numbers, which its bytecode depends on."""
    if package == "python":
        text = versions.get("host", {}).get("python")
        return None if text is None else ".".join(str(text).split(".")[:2])
    found = versions.get("packages", {}).get(package)
    return None if found is None else str(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
