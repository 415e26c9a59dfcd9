"""The sampler's process as seen from ours: start, tell, read, end."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.own import interrupts
from perftui.probes.own.python import own_script
from perftui.probes.stacks.own.decode import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perftui.probes.stacks.own.records import OwnRecord

START = Path(__file__).resolve().parents[2] / "sampler" / "start.py"
_READ_BYTES = 1 << 16
_PIPE_BYTES = 1 << 20
_END_S = 3.0


class OwnSampler:
    """One running sampler. `tell` may be called from any thread, `records` from one."""

    def __init__(
        self,
        pids: Iterable[int] = (),
        *,
        rate_hz: float = 100,
        budget: float | None = None,
        follow: bool = True,
        python: str | None = None,
        script: Path = START,
    ) -> None:
        """Start it.

        Args:
            pids: Processes to sample from the start; what they used before does not count.
            rate_hz: Sweeps per second that are aimed at.
            budget: Share of a core above which the sampler lowers its rate by itself.
            follow: Also sample what the processes start.
            python: Interpreter to run it with, 3.9 or later.
            script: What is run.
        """
        argv = own_script(script, "--rate", f"{rate_hz:g}")
        if python is not None:
            argv[0] = python
        if budget is not None:
            argv += ["--budget", f"{budget:g}"]
        if not follow:
            argv.append("--no-follow")
        argv += [str(pid) for pid in pids]
        with interrupts.held_back():  # for good: it ends when we say so, or are no more
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pipesize=_PIPE_BYTES
            )
        self.pid = self._process.pid
        self._decoder = Decoder()

    @property
    def generation(self) -> int:
        """See `Decoder.generation`."""
        return self._decoder.generation

    def fileno(self) -> int:
        """Return the descriptor to wait on before `read`."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def tell(self, command: str) -> None:
        """Send one of the commands of `sampler/loop`; a sampler that has ended does not mind."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(command.encode() + b"\n")

    def add(self, pid: int, *, born: bool = False) -> None:
        """Sample a process too.

        Args:
            pid: The process.
            born: It began in this session: all that it has used counts.
        """
        self.tell(f"{'born' if born else 'add'} {pid}")

    def remove(self, pid: int) -> None:
        """Sample a process no longer."""
        self.tell(f"remove {pid}")

    def read(self) -> list[OwnRecord] | None:
        """Wait for bytes and return the records in them; None once the sampler has ended.

        Raises:
            DamagedStream: what came is no stream of ours.
        """
        data = os.read(self.fileno(), _READ_BYTES)
        return self._decoder.feed(data) if data else None

    def records(self) -> Iterator[OwnRecord]:
        """Yield records until the sampler has ended."""
        while (batch := self.read()) is not None:
            yield from batch

    def ask_to_end(self) -> None:
        """Let it end: its last records can still be read."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self) -> int:
        """End it, reading nothing more; return its exit code."""
        self.ask_to_end()
        assert self._process.stdout is not None
        self._process.stdout.close()
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
