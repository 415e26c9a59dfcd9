"""Our process that is a client of the engine, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from perftui.probes.own.python import own_module
from perftui.probes.process.face import ProcessGone
from perftui.probes.process.opening import open_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perftui.probes.fleet.address import ClusterAddress
    from perftui.probes.process.face import ProcessReader

ANSWER_S = 90.0
"""So long the client process may take to start, connect, or say why it cannot."""
LEAVE_S = 10.0
_END = {"dask": "perftui.probes.fleet.dask_end", "ray": "perftui.probes.fleet.ray_end"}

Message = dict[str, Any]


class NoCluster(Exception):
    """The cluster cannot be watched; the message is one line."""


class ClusterLink:
    """The connection to a cluster. Make one with `to`.

    Args:
        process: The client process.
        cluster: Its first message: who the scheduler is.
        address: Where.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], cluster: Message, address: ClusterAddress
    ) -> None:
        self.address = address
        self.cluster = cluster
        self._process = process
        self._reader: ProcessReader | None = None
        with suppress(ProcessGone):
            self._reader = open_process(process.pid)
        self._cpu_s = 0.0
        self._ended = Event()
        self.lost: str | None = None
        """Why the cluster went away, None while it is there or after we have left."""
        self.left_problem: str | None = None
        """What could not be taken out of the cluster when we left."""

    @classmethod
    def to(cls, address: ClusterAddress, environ: Mapping[str, str] | None = None) -> ClusterLink:
        """Connect.

        Raises:
            NoCluster: nobody answers, the engine is not installed, another version is there.
        """
        process = subprocess.Popen(
            own_module(_END[address.engine], address.host_and_port),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
        first: list[Message] = []
        assert process.stdout is not None
        lines = process.stdout
        reading = Thread(target=lambda: first.append(_message(lines.readline())), daemon=True)
        reading.start()
        reading.join(ANSWER_S)
        said = first[0] if first else {}
        if said.get("is") == "cluster":
            return cls(process, said, address)
        process.kill()
        process.wait()
        problem = said.get("text") or f"the client of {address} does not answer"
        raise NoCluster(str(problem))

    @property
    def pid(self) -> int:
        """Process id of the client, which is one of ours."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Return the CPU seconds of the client process."""
        if self._reader is not None:
            with suppress(ProcessGone):
                self._cpu_s = self._reader.fast(0).cpu_s
        return self._cpu_s

    def listen(self, take: Callable[[Message], None]) -> None:
        """Give every message to `take`, until the client process has ended."""
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                message = _message(line)
                kind = message.get("is")
                if kind == "lost":
                    self.lost = str(message.get("text", ""))
                elif kind == "left":
                    self.left_problem = message.get("problem")
                elif kind is not None:
                    take(message)
        finally:
            self._process.wait()
            if self.lost is None and not self._leaving:
                self.lost = "the client process has ended"
            self._ended.set()

    _leaving = False

    def alive(self) -> bool:
        """Tell whether the cluster is there."""
        return not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the connection; False if it did not come in time."""
        return self._ended.wait(timeout_s)

    def leave(self) -> None:
        """Have the plugin taken out, and return when that is done."""
        self._leaving = True
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        until = time.monotonic() + LEAVE_S
        while time.monotonic() < until:
            if self._ended.wait(0.1) or self._process.poll() is not None:
                break
        if self._process.poll() is None:
            # The scheduler's own plugin sees our client go, and takes out what we brought.
            self._process.kill()
            self.left_problem = "the client did not end in time: the scheduler was left to do it"
        self._ended.wait(1.0)
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _message(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
