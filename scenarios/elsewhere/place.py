"""The place where cells run: one worker of a cluster, since cells are compared with each other."""

from __future__ import annotations

import logging
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.own.unneeded import show_all
from perftui.probes.version import __version__ as VERSION
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from perftui.probes.fleet.address import ClusterAddress

CONNECT_S = 10.0
_STEP_S = 0.1


class Elsewhere:
    """A worker of a Dask cluster that measures cells, one at a time.

    Args:
        address: Of the scheduler.

    Raises:
        ScenarioError: it does not answer, has no worker, or the worker cannot measure.
    """

    def __init__(self, address: ClusterAddress) -> None:
        show_all()  # it needs cloudpickle and ssl
        try:
            from distributed import Client
        except ImportError:
            raise ScenarioError(
                "--on dask:// needs distributed, which is not installed here: "
                "pip install 'perftui[dask]'"
            ) from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._folder = str(Path.cwd())
        try:
            self._client: Any = Client(
                f"tcp://{address.host_and_port}",
                timeout=CONNECT_S,
                set_as_default=False,
                name="perftui",
            )
        except (OSError, TimeoutError):
            where = address.host_and_port
            raise ScenarioError(f"no Dask scheduler answers at {where}") from None
        try:
            self.worker, self.host = self._chosen(address)
        except BaseException:
            self.close()
            raise

    def _chosen(self, address: ClusterAddress) -> tuple[str, str]:
        """Return the worker that measures all cells, and its machine."""
        from perftui.scenarios.elsewhere.cell import what_is_there

        workers = sorted(self._client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise ScenarioError(f"{address} has no worker")
        worker = workers[0]
        try:
            told = self._client.run(what_is_there, self._folder, workers=[worker])[worker]
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ScenarioError(f"the worker {worker} cannot run perftui: {what}") from None
        if told["perftui"] != VERSION:
            raise ScenarioError(
                f"the worker {worker} has perftui {told['perftui']}, here is {VERSION}: cells are "
                "measured by equal ones alone"
            )
        if not told["folder"]:
            raise ScenarioError(
                f"the worker {worker} on {told['host']} does not see {self._folder}: cells run in "
                "the same folder, on one machine or a file system that both share"
            )
        return worker, str(told["host"])

    @property
    def folder(self) -> str:
        """Where programs are started."""
        return self._folder

    def call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], go_on: Callable[[], None]
    ) -> Any:
        """Have the worker measure one cell; returns what it measured, raises what it raised.

        Args:
            function: As of `cell.run_cell`.
            arguments: Its arguments; they travel.
            go_on: Called again and again here; what it raises ends the cell there, too.
        """
        from perftui.scenarios.elsewhere.cell import run_cell

        key = f"perftui-cell-{uuid.uuid4().hex}"
        future = self._client.submit(
            run_cell,
            function,
            arguments,
            key,
            key=key,
            pure=False,
            workers=[self.worker],
            allow_other_workers=False,
            retries=0,
        )
        try:
            while not future.done():
                go_on()
                if self.worker not in self._client.scheduler_info(n_workers=-1)["workers"]:
                    raise ScenarioError(f"the worker {self.worker} has gone")
                time.sleep(_STEP_S)
            return future.result()
        finally:
            with suppress(Exception):
                future.cancel()

    def close(self) -> None:
        """Leave the cluster."""
        with suppress(Exception):
            self._client.close(timeout=3)

    def __enter__(self) -> Self:
        """Be there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""
        self.close()
