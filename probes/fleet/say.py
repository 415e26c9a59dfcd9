"""What both clients of engines have in common: how they say something, and to whom."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from threading import Lock
from typing import Any

CONNECT_S = 10.0
_LOCK = Lock()


def say(message: dict[str, Any]) -> None:
    """Write a message to standard output, a whole line at a time."""
    line = json.dumps(message, separators=(",", ":"), default=str) + "\n"
    with _LOCK, suppress(OSError):
        view = memoryview(line.encode())
        while view:
            view = view[os.write(1, view) :]


def words(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def nobody_there(address: str, what: str) -> str | None:
    """Return why nobody can be reached, at once: engines' clients try until their time is over.

    Args:
        address: HOST:PORT.
        what: Is looked for, such as "Dask scheduler".
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except TimeoutError:
        return f"no {what} answers at {address} within {CONNECT_S:g} s"
    except OSError as error:
        return f"no {what} answers at {address}: {error.strerror or error}"
    return None
