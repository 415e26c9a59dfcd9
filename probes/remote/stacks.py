"""Stacks from a far sampler: its bytes come over the link and go the way of all stacks."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from perftui.probes.stacks.own.decode import Decoder
from perftui.probes.stacks.own.probe import OwnStackProbe
from perftui.probes.stacks.thread_names import ThreadNames

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.remote.clock import FarClock
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.stacks.own.records import OwnRecord, ProcessRecord
    from perftui.probes.stacks.own.source import OwnSampler

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 16


class FarSamplerStream:
    """What `OwnSampler` is for a process of this machine: give it bytes, read records.

    Args:
        clock: Of the machine that it runs on.
    """

    def __init__(self, clock: FarClock) -> None:
        self._decoder = Decoder(lambda: clock.offset_ns)
        self._read_fd, self._write_fd = os.pipe2(os.O_CLOEXEC)
        with suppress(OSError):
            fcntl.fcntl(self._write_fd, _F_SETPIPE_SZ, _PIPE_BYTES)

    def put(self, data: bytes) -> None:
        """Take bytes; waits while nobody reads, so that the far end hears of it."""
        with suppress(OSError):
            view = memoryview(data)
            while view and self._write_fd >= 0:
                view = view[os.write(self._write_fd, view) :]

    def end(self) -> None:
        """Nothing more comes."""
        fd, self._write_fd = self._write_fd, -1
        if fd >= 0:
            os.close(fd)

    @property
    def generation(self) -> int:
        """See `Decoder.generation`."""
        return self._decoder.generation

    def fileno(self) -> int:
        """Return the descriptor to wait on before `read`."""
        return self._read_fd

    def read(self) -> list[OwnRecord] | None:
        """Return the records that have come; None once nothing more will.

        Raises:
            DamagedStream: what came is no stream of ours.
        """
        data = os.read(self._read_fd, _READ_BYTES)
        return self._decoder.feed(data) if data else None

    def add(self, pid: int, *, born: bool = False) -> None:
        """Nothing to do: the far end says whom to sample."""

    def ask_to_end(self) -> None:
        """Nothing to do: the far end does."""

    def close(self) -> int:
        """Let go of it."""
        fd, self._read_fd = self._read_fd, -1
        if fd >= 0:
            os.close(fd)
        self.end()
        return 0


class KernelNames(ThreadNames):
    """Threads are called as the kernel calls them, or by their function: nobody else is asked."""

    def want(self, pid: int) -> None:
        """Nothing to do."""


class FarStackProbe(OwnStackProbe):
    """Takes the stream of one far end into the log.

    Args:
        log: Where the records go.
        pid: The target.
        stream: Gets the far sampler's bytes.
        told_ns: Returns up to when the far end has told all, on our clock.
        on_news, on_broken: As of `OwnStackProbe`.
    """

    def __init__(
        self,
        log: SessionLog,
        pid: int,
        stream: FarSamplerStream,
        told_ns: Callable[[], int],
        on_news: Callable[[ProcessRecord], None],
        on_broken: Callable[[str], None],
    ) -> None:
        super().__init__(
            log,
            pid,
            lambda: (),
            born=False,
            on_stack=lambda: None,
            on_news=on_news,
            on_broken=on_broken,
            names=KernelNames(log),
        )
        self._stream = stream
        self._told_ns = told_ns

    def _begun(self) -> OwnSampler:
        return cast("OwnSampler", self._stream)

    def _now_ns(self) -> int:
        return self._told_ns()

    def _look(self, sampler: OwnSampler) -> None:
        """Nothing to do: the far end looks after its family."""
