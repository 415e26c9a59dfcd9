"""The sampler at the far end: started out of the archive, its stream handed on as it is."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from contextlib import suppress

from perftui.probes.own.python import code_elsewhere

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_END_S = 3.0
_START = """\
import sys
package = type(sys)("perftui_sampler")
package.__path__ = [sys.argv[1]]
sys.modules["perftui_sampler"] = package
from perftui_sampler.loop import main
sys.exit(main(sys.argv[2:]))
"""


class FarSampler:
    """One running sampler (`probes/sampler`).

    Args:
        folder: Of the sampler's package, be it in an archive.
        held: The descriptor behind the archive, which the sampler inherits; -1: there is none.
        rate_hz: Sweeps a second.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, folder: str, held: int, rate_hz: float) -> None:
        argv = code_elsewhere(sys.executable, _START, folder, "--rate", f"{rate_hz:g}")
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pass_fds=(held,) if held >= 0 else (),
            start_new_session=True,
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        with suppress(OSError):  # as much as we are allowed
            fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(fd, False)
        self._fd = fd
        self.ended = False

    def tell(self, command: str) -> None:
        """Send one of the commands of `sampler/loop`."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(command.encode() + b"\n")

    def take(self) -> bytes:
        """Return what it has said by now; b"" if nothing."""
        pieces = []
        while not self.ended:
            try:
                data = os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.ended = True
            pieces.append(data)
        return b"".join(pieces)

    def end(self) -> bytes:
        """End it; return its last words."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        os.set_blocking(self._fd, True)
        last = self.take()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return last
