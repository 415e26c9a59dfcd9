"""Our client of an engine, in a process of its own: what comes when, whichever engine it is.

Engines are heavy, and their loops are not to be beside a screen. Orders come on standard input
(its end is the order to leave), messages go to standard output, one JSON object a line.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from perftui.probes.fleet.say import nobody_there, say, words

if TYPE_CHECKING:
    from collections.abc import Callable


class ClusterRefused(Exception):
    """The cluster is not watched; the message is one line."""


class EngineClient(Protocol):
    """What differs from engine to engine. `run_client` calls them in this order."""

    looks_for: str
    """Who is to answer at the address, such as "Dask scheduler"."""

    def connect(self, address: str) -> None:
        """Become a client of the cluster at HOST:PORT.

        Raises:
            ClusterRefused: that is not to be had.
        """
        ...

    def cluster(self) -> dict[str, Any]:
        """Return who the cluster is: its "version" and its "scheduler".

        Raises:
            ClusterRefused: nothing of ours can run there.
        """
        ...

    def tell(self) -> None:
        """Bring what tells of the workers, and tell, until it is time to leave."""
        ...

    def take_out(self) -> str | None:
        """Take out what was brought; returns what could not be."""
        ...

    def close(self) -> None:
        """Be a client no more."""
        ...


def run_client(make: Callable[[], EngineClient], address: str, not_installed: str) -> int:
    """Connect, tell and leave without a trace, or say why not; returns the exit code.

    Args:
        make: Imports the engine.
        address: HOST:PORT.
        not_installed: What is said if it cannot be imported.
    """
    try:
        client = make()
    except ImportError:
        say({"is": "refused", "text": not_installed})
        return 0
    if problem := nobody_there(address, client.looks_for):
        say({"is": "refused", "text": problem})
        return 0
    try:
        client.connect(address)
        say({"is": "cluster", **client.cluster()})
        client.tell()
        say({"is": "left", "problem": client.take_out()})
    except ClusterRefused as refused:
        say({"is": "refused", "text": str(refused)})
    except Exception as error:
        say({"is": "lost", "text": words(error)})
    finally:
        with suppress(Exception):
            client.close()
    return 0


def told_to_leave(within_s: float) -> bool:
    """Wait so long for the order to leave; tells whether it has come."""
    ready, _, _ = select.select([0], [], [], within_s)
    return bool(ready) and not os.read(0, 4096)
