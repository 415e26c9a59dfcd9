"""The near end of one connection: starts the far end, takes its frames, and asks for its time."""

from __future__ import annotations

import os
import select
import subprocess
import time
import zlib
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Protocol

from perftui.probes.own import interrupts
from perftui.probes.remote import frames
from perftui.probes.remote.clock import FarClock
from perftui.probes.remote.travel import NO_PYTHON, first_words, shell_line, what_was_found
from perftui.probes.text.harmless import clean
from perftui.probes.text.redact import redact_text
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from typing import Any

    from perftui.probes.remote.address import Address
    from perftui.probes.spine.records import Record

_GREETING_BYTES = 1 << 16
"""What a login shell may print before the far end speaks."""
HELLO_LIMIT_S = 30.0
ASKING_LIMIT_S = 120.0
"""The same where a person may have to type a password first."""
SILENT_S = 15.0
"""A far end that says nothing at all for so long has been cut off: it speaks twice a second."""
_PING_EVERY_S = 5.0
_FIRST_PINGS = 5
_FIRST_PINGS_S = 2.0
_READ_BYTES = 1 << 16
_MOST_UNPACKED = 1 << 25
END_S = 5.0
"""For the far end's last words."""


class LinkError(Exception):
    """The far end cannot be had.

    Args:
        text: Why, in one line.
        kind: "gone": the process is not there; "no-right", "launch": as it says; "link": it was not
            reached; "version", "python": something is missing there.
    """

    def __init__(self, text: str, kind: str = "link") -> None:
        super().__init__(text)
        self.kind = kind


class Listener(Protocol):
    """Takes what a far end says, on the link's thread."""

    def records(self, batch: list[Record], clock: FarClock) -> None:
        """Records, times of the far clock."""
        ...

    def sampler(self, data: bytes) -> None:
        """Bytes of the sampler's stream."""
        ...

    def output(self, stream: int, data: bytes) -> None:
        """What a program that was started there has written."""
        ...

    def ended(self, link: Link, reason: str | None) -> None:
        """Nothing more comes: why, None if the far end has said goodbye."""
        ...


class Link:
    """One connection; `connect` it, then `listen`.

    Args:
        address: Where to.
        begin: The first order (`far.end`).
        python: The interpreter there; None: the first that will do.
        far: A line of shell that starts an installed perftui there instead of what travels.
    """

    def __init__(
        self,
        address: Address,
        begin: dict[str, Any],
        python: str | None = None,
        far: str | None = None,
    ) -> None:
        self.address = address
        self.clock = FarClock()
        self.received_bytes = self.sent_bytes = 0
        self._begin = begin
        self._python = python
        self._far = far
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = frames.FrameReader(_GREETING_BYTES)
        self._inner = frames.FrameReader()
        self._inflate = zlib.decompressobj(-15)
        self._stderr = b""
        self._writing = Lock()
        self._early: list[tuple[int, bytes]] = []
        self._asked: dict[int, int] = {}
        self._pings = 0
        self._ending = False
        self._thread: Thread | None = None
        self._listener: Listener | None = None

    def another(self, begin: dict[str, Any]) -> Link:
        """Return a further link to the same place."""
        return Link(self.address, begin, self._python, self._far)

    # Connecting

    def connect(self, *, again: bool = False, limit_s: float = HELLO_LIMIT_S) -> dict[str, Any]:
        """Start the far end; returns its hello.

        Args:
            again: Nobody can be asked for a password.
            limit_s: For all of it.

        Raises:
            LinkError: it cannot be had.
            AddressError: nothing here reaches it.
        """
        line = self._far or shell_line(self._python, self._begin.get("pid"))
        argv = self.address.command(line, again=again)
        with interrupts.held_back():  # ctrl+c is ours to hear: the end is said, not cut off
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=again,
            )
        try:
            Thread(target=self._say_first, name="far-begin", daemon=True).start()
            return self._hello(time.monotonic() + limit_s)
        except BaseException:
            self.close()
            raise

    def _say_first(self) -> None:
        words = b"" if self._far is not None else first_words()
        with suppress(OSError, ValueError):  # it has gone, or was let go
            self._write(words + frames.said(frames.ORDER, {"do": "begin", **self._begin}))

    def _hello(self, until_s: float) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        where = self.address.text
        while True:
            if time.monotonic() >= until_s:
                raise LinkError(f"{where} does not answer")
            data = self._read(min(until_s - time.monotonic(), 1.0))
            if data is None:
                continue
            if not data:
                raise self._no_hello()
            try:
                found = list(self._reader.feed(data))
            except frames.DamagedFrames as error:
                raise LinkError(f"{where}: {error}") from None
            if not found:
                continue
            (kind, payload), *more = found
            self._early = more
            if kind == frames.SORRY:
                said = frames.told(payload)
                text = clean(redact_text(str(said.get("text"))))[:500]
                raise LinkError(f"{where}: {text}", str(said.get("kind")))
            if kind != frames.HELLO:
                raise LinkError(f"{where}: something else answers there")
            return self._checked(frames.told(payload))

    def _checked(self, hello: dict[str, Any]) -> dict[str, Any]:
        """Return a hello that we understand."""
        theirs = clean(str(hello.get("perftui")))[:40]
        protocol = hello.get("protocol")
        if theirs != __version__ or protocol != frames.PROTOCOL:
            raise self._another_version(theirs, f" (protocol {frames.PROTOCOL}, not {protocol})")
        if type(hello.get("pid")) is not int or not isinstance(hello.get("argv"), list):
            raise LinkError(f"{self.address.text}: its hello makes no sense")
        return hello

    def _another_version(self, theirs: str, beside: str = "") -> LinkError:
        return LinkError(
            f"{self.address.text} has perftui {theirs}, here is {__version__}{beside}: install the "
            "same there, or leave out --far, and what is needed travels along",
            "version",
        )

    def _no_hello(self) -> LinkError:
        """Return why nobody said hello: in the words of what reaches it, or ours."""
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        self._read_stderr()
        where = self.address.text
        said = self._stderr.decode("utf-8", "replace")
        versions = what_was_found(said)
        if versions is not None or self._process.returncode == NO_PYTHON:
            named = f" {self._python!r}" if self._python is not None else ""
            if versions:
                have = ", ".join(clean(version)[:20] for version in versions)
                return LinkError(
                    f"{where}: Python{named} {have} is too old there, 3.9 or later is needed: "
                    "--far-python EXE names one",
                    "python",
                )
            return LinkError(
                f"{where}: no Python{named} there: --far-python EXE names one", "python"
            )
        lines = [clean(redact_text(line.strip())) for line in said.splitlines()]
        if self._far is not None and lines and lines[-1].startswith("perftui "):
            return self._another_version(lines[-1].removeprefix("perftui ")[:40])
        lines = [line for line in lines if line and not line.startswith("Warning:")]
        if lines:
            return LinkError(f"{where}: {lines[-1][:300]}")
        return LinkError(f"{where}: no answer (exit code {self._process.returncode})")

    # Listening

    def listen(self, listener: Listener) -> None:
        """Take what comes on a thread of the link's own."""
        self._listener = listener
        self._thread = Thread(target=self._listen, name="far-link", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._listener is not None
        try:
            reason = self._take_all()
        except (frames.DamagedFrames, zlib.error) as error:
            reason = f"what comes makes no sense ({error})"
        except OSError as error:
            reason = error.strerror or str(error)
        except Exception as error:  # what a far end says may be anything
            reason = f"what comes makes no sense ({type(error).__name__})"
        with suppress(Exception):
            if self._early:
                self._settle()
        self._listener.ended(self, reason)

    def _take_all(self) -> str | None:
        begun_s = heard_s = time.monotonic()
        ping_s = begun_s
        while True:
            now_s = time.monotonic()
            if now_s >= ping_s:
                self._ping()
                settling = not self._settled and len(self._asked) < _FIRST_PINGS
                ping_s = now_s + (_FIRST_PINGS_S / 10 if settling else _PING_EVERY_S)
            if not self._settled and now_s - begun_s > _FIRST_PINGS_S and self.clock.known:
                self._settle()
            data = self._read(0.2 if not self._settled else 1.0)
            if data is None:
                if time.monotonic() - heard_s > SILENT_S:
                    return f"nothing was heard for {SILENT_S:.0f} s"
                continue
            if not data:
                return self._why_ended()
            heard_s = time.monotonic()
            for kind, payload in self._reader.feed(data):
                if kind == frames.PONG:
                    self._pong(frames.told(payload))
                    if not self._settled and self._pings < _FIRST_PINGS:
                        self._ping()
                        ping_s = time.monotonic() + _PING_EVERY_S
                elif kind != frames.PACKED:
                    raise frames.DamagedFrames(f"a frame of kind {kind}")
                elif self._settled:
                    if self._unpack(payload):
                        return None
                else:
                    self._early.append((kind, payload))

    _settled = False

    def _settle(self) -> None:
        """The far clock is known: what has come before can be told."""
        self.clock.settle()
        self._settled = True
        early, self._early = self._early, []
        for _, payload in early:
            self._unpack(payload)

    def _unpack(self, payload: bytes) -> bool:
        """Hand on what was packed; True at goodbye."""
        assert self._listener is not None
        data = self._inflate.decompress(payload, _MOST_UNPACKED)
        if self._inflate.unconsumed_tail:
            raise frames.DamagedFrames("a frame that unpacks into too much")
        for kind, inside in self._inner.feed(data):
            if kind == frames.RECORDS:
                self._listener.records(frames.unpack_records(inside), self.clock)
            elif kind == frames.SAMPLER:
                self._listener.sampler(inside)
            elif kind == frames.OUTPUT and inside:
                self._listener.output(inside[0], inside[1:])
            elif kind == frames.BYE:
                return True
        return False

    def _why_ended(self) -> str:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        self._read_stderr()
        lines = [clean(line) for line in self._stderr.decode("utf-8", "replace").splitlines()]
        lines = [line for line in lines if line.strip()]
        return redact_text(lines[-1][:200]) if lines else "the connection was closed"

    def _ping(self) -> None:
        self._pings += 1
        self._asked[self._pings] = time.monotonic_ns()
        if len(self._asked) > 100:
            del self._asked[next(iter(self._asked))]
        self.order({"do": "ping", "n": self._pings})

    def _pong(self, said: dict[str, Any]) -> None:
        came_ns = time.monotonic_ns()
        asked_ns = self._asked.get(said.get("n", 0))
        got_ns, sent_ns = said.get("mono_ns"), said.get("sent_ns")
        if asked_ns is not None and type(got_ns) is int and type(sent_ns) is int:
            self.clock.take(asked_ns, got_ns, sent_ns, came_ns)
            if not self._settled and said.get("n") == _FIRST_PINGS:
                self._settle()

    # Both

    def _read(self, timeout_s: float) -> bytes | None:
        """Return bytes that came, b"" at the end, None if none came in time."""
        assert self._process is not None
        assert self._process.stdout is not None and self._process.stderr is not None
        fd = self._process.stdout.fileno()
        self._read_stderr()
        if not select.select([fd], [], [], max(timeout_s, 0.0))[0]:
            return None
        data = os.read(fd, _READ_BYTES)
        self.received_bytes += len(data)
        return data

    def _read_stderr(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        fd = self._process.stderr.fileno()
        while select.select([fd], [], [], 0)[0]:
            data = os.read(fd, 4096)
            if not data:
                break
            self._stderr = (self._stderr + data)[-8192:]

    def order(self, order: dict[str, Any]) -> None:
        """Say something to the far end; one that has gone does not mind."""
        with suppress(OSError, ValueError):
            self._write(frames.said(frames.ORDER, order))

    def _write(self, data: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None
        with self._writing:
            view = memoryview(data)
            while view:
                written = os.write(self._process.stdin.fileno(), view)
                self.sent_bytes += written
                view = view[written:]

    def end(self) -> None:
        """Ask for the last words, and return when they have come, or should have."""
        self._ending = True
        self.order({"do": "end"})
        if self._thread is not None:
            self._thread.join(END_S)
        self.close()
        if self._thread is not None:
            self._thread.join(END_S)

    @property
    def ending(self) -> bool:
        """Whether we have asked for the end."""
        return self._ending

    def close(self) -> None:
        """Let go of the connection."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(2.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def pid(self) -> int:
        """Return the id of the process that carries it: ssh, docker, kubectl."""
        assert self._process is not None
        return self._process.pid
