"""Our client of a Dask cluster, in a process of its own: `distributed` is heavy, and its loop is
not to be beside a screen. Orders come on standard input (its end is the order to leave), messages
go to standard output, one JSON object a line.
"""

from __future__ import annotations

import os
import sys
import uuid
from contextlib import suppress
from typing import Any

from perftui.probes.fleet.say import CONNECT_S, nobody_there, say, words

NOT_INSTALLED = (
    "dask:// needs distributed, which is not installed here: pip install 'perftui[dask]'"
)


def main(argv: list[str]) -> int:
    """Connect to HOST:PORT, bring the plugins, tell, and take them out again."""
    address = argv[0]
    try:
        import cloudpickle
        import dask
        from distributed import Client
    except ImportError:
        say({"is": "refused", "text": NOT_INSTALLED})
        return 0
    import logging

    if problem := nobody_there(address, "Dask scheduler"):
        say({"is": "refused", "text": problem})
        return 0
    logging.disable(logging.CRITICAL)  # its words are not for a screen
    try:
        client = Client(f"tcp://{address}", timeout=CONNECT_S, set_as_default=False, name="perftui")
    except Exception as error:
        say({"is": "refused", "text": _why_not(address, error)})
        return 0
    try:
        versions = client.get_versions(check=False)
        if problem := other_version(versions["client"], versions["scheduler"]):
            say({"is": "refused", "text": problem})
            return 0
        from perftui.probes.fleet import dask_plugin, in_worker

        cloudpickle.register_pickle_by_value(dask_plugin)
        cloudpickle.register_pickle_by_value(in_worker)
        name = f"perftui-{uuid.uuid4().hex[:12]}"
        scheduler = client.run_on_scheduler(in_worker.identity)
        say(
            {
                "is": "cluster",
                "version": dask.__version__,
                "scheduler": {**scheduler, "address": client.scheduler.address},
                "name": name,
            }
        )

        def heard(event: Any) -> None:
            say(event[1])

        client.subscribe_topic(name, heard)
        client.register_plugin(dask_plugin.PerftuiSchedulerPlugin(name, client.id))
        client.register_plugin(
            dask_plugin.PerftuiWorkerPlugin(name, in_worker.identity()), name=name
        )
        _until_told(client)
        say({"is": "left", "problem": _leave(client, name)})
    except Exception as error:
        say({"is": "lost", "text": words(error)})
    finally:
        with suppress(Exception):
            client.close(timeout=3)
    return 0


def _until_told(client: Any) -> None:
    """Return when standard input ends, or the scheduler has gone."""
    import select

    while True:
        ready, _, _ = select.select([0], [], [], 1.0)
        if ready and not os.read(0, 4096):
            return
        if client.status in ("closed", "closing") or client.scheduler is None:
            say({"is": "lost", "text": "the scheduler has gone"})
            return
        if client.status == "connecting":
            # It has lost the scheduler. Dask's client tries again for ever; who has ended does
            # not come back under the same address with our plugins in it.
            say({"is": "lost", "text": "the scheduler has gone"})
            return


def _leave(client: Any, name: str) -> str | None:
    """Take the plugins out; returns what could not be taken out."""
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


def _why_not(address: str, error: Exception) -> str:
    if isinstance(error, TimeoutError | OSError):
        return f"no Dask scheduler answers at {address} within {CONNECT_S:g} s"
    return f"no Dask scheduler at {address}: {words(error)}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
