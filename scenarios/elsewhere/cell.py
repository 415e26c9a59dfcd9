"""What a worker does with a cell: it measures it as it would be here. Imported there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 0.2


class CellCancelled(Exception):
    """Nobody waits for it any more."""


def run_cell(function: Callable[..., Any], arguments: tuple[Any, ...], key: str) -> Any:
    """Measure one cell, in a thread of a Dask worker; ends when nobody waits for it any more.

    Args:
        function: Takes the arguments, and then what it calls again and again.
        arguments: Its arguments.
        key: Of the task that this is.
    """
    from distributed import get_worker

    worker = get_worker()
    looked_s = 0.0

    def go_on() -> None:
        nonlocal looked_s
        now_s = time.monotonic()
        if now_s - looked_s < _LOOK_S:
            return
        looked_s = now_s
        task = worker.state.tasks.get(key)
        if task is None or task.state in ("cancelled", "released", "forgotten"):
            raise CellCancelled

    return function(*arguments, go_on)


def what_is_there(folder: str) -> dict[str, Any]:
    """Return what a worker has that a cell needs."""
    from perftui.probes.version import __version__

    return {"perftui": __version__, "folder": Path(folder).is_dir(), "host": os.uname().nodename}
