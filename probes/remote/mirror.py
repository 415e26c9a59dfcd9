"""The other language, "arrow": a recording that is being written, told file by file.

What a recorder writes there is appended here, so what has come is a recording at any moment, and
one that was interrupted if nothing more comes. Its tables are the Arrow batches of the recording.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from perftui.probes.recording.format.meta import META
from perftui.probes.remote import frames
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

LOOK_EVERY_S = 0.5
_PIECE = 1 << 18
_FILE = re.compile(r"meta\.json|[a-z_0-9]+-\d{6}(-\d{6})?\.(arrows|parquet)")
_MOST_UNPACKED = 1 << 25
MOST_BYTES = 1 << 38
"""Of one recording: a stream without an end is cut there."""


class RecordingTeller:
    """Tells a folder as it grows.

    Args:
        directory: The recording.
        fd: Where the frames go.
        on_closed: Called when nobody takes them any more.
    """

    def __init__(self, directory: Path, fd: int, on_closed: Callable[[], None]) -> None:
        self._directory = directory
        self._fd = fd
        self._on_closed = on_closed
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._told: dict[str, int] = {}
        self._meta = b""
        self._stopping = Event()
        self._closed = False
        self._thread = Thread(target=self._run, name="mirror", daemon=True)

    def start(self, hello: dict[str, Any]) -> None:
        """Say hello, and tell what is written from now on."""
        said = {
            "protocol": frames.PROTOCOL,
            "perftui": __version__,
            "speaks": "arrow",
            **hello,
        }
        self._write(frames.MAGIC + frames.said(frames.HELLO, said))
        self._thread.start()

    def stop(self) -> None:
        """Tell what is left, once the recording is closed."""
        self._stopping.set()
        self._thread.join()
        self._look()
        self._say([frames.frame(frames.BYE, b"{}")])

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S) and not self._closed:
            self._look()

    def _look(self) -> None:
        try:
            found = [path.name for path in self._directory.iterdir()]
        except OSError:
            return
        names = sorted(name for name in found if _FILE.fullmatch(name))
        out = []
        if META in names:
            with suppress(OSError):
                meta = (self._directory / META).read_bytes()
                if meta != self._meta:
                    self._meta = meta
                    out.append(_file(META, 0, meta))
        # New files before those are gone that they stand for: what has come is whole at any moment.
        for name in names:
            if name != META:
                with suppress(OSError):
                    out += self._news_of(name)
        for name in sorted(self._told.keys() - set(names)):
            del self._told[name]
            out.append(_file(name, -1, b""))
        self._say(out)

    def _news_of(self, name: str) -> list[bytes]:
        out = []
        at = self._told.get(name, 0)
        with (self._directory / name).open("rb") as file:
            file.seek(at)
            while data := file.read(_PIECE):
                out.append(_file(name, at, data))
                at += len(data)
        self._told[name] = at
        return out

    def _say(self, out: list[bytes]) -> None:
        for piece in out:
            packed = self._deflate.compress(piece) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            self._write(frames.frame(frames.PACKED, packed))

    def _write(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self._closed = True
            self._on_closed()


def _file(name: str, at: int, data: bytes) -> bytes:
    """Return the frame of a piece of a file; at -1: the file is gone."""
    return frames.frame(frames.FILE, json.dumps({"name": name, "at": at}).encode() + b"\n" + data)


class RecordingKeeper:
    """Writes the recording that a stream tells.

    Args:
        directory: Where; it is made.

    Raises:
        OSError: it is there, or cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=False)
        self.directory = directory
        self.hello: dict[str, Any] | None = None
        self.done = False
        """The far end has said goodbye: the recording is whole."""
        self._bytes = 0
        self._reader = frames.FrameReader(1 << 16)
        self._inner = frames.FrameReader()
        self._inflate = zlib.decompressobj(-15)

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            DamagedFrames: they make no sense.
            OSError: they cannot be written.
        """
        try:
            for kind, payload in self._reader.feed(data):
                self._take(kind, payload)
        except zlib.error as error:
            raise frames.DamagedFrames(f"what comes cannot be unpacked ({error})") from error

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == frames.SORRY:
            raise frames.DamagedFrames(str(frames.told(payload).get("text")))
        if kind == frames.HELLO:
            self.hello = frames.told(payload)
            if self.hello.get("protocol") != frames.PROTOCOL:
                theirs = str(self.hello.get("perftui"))[:40]
                raise frames.DamagedFrames(
                    f"it comes from perftui {theirs}, here is {__version__}: they do not "
                    "understand each other"
                )
            if self.hello.get("speaks") != "arrow":
                raise frames.DamagedFrames("it is not the stream of `perftui record --stdio`")
            return
        if kind != frames.PACKED or self.hello is None:
            raise frames.DamagedFrames(f"a frame of kind {kind}")
        data = self._inflate.decompress(payload, _MOST_UNPACKED)
        if self._inflate.unconsumed_tail:
            raise frames.DamagedFrames("a frame that unpacks into too much")
        for inner, inside in self._inner.feed(data):
            if inner == frames.BYE:
                self.done = True
            elif inner == frames.FILE:
                self._file(inside)
            else:
                raise frames.DamagedFrames(f"a frame of kind {inner}")

    def _file(self, payload: bytes) -> None:
        head, _, data = payload.partition(b"\n")
        said = frames.told(head)
        name, at = said.get("name"), said.get("at")
        if not (isinstance(name, str) and _FILE.fullmatch(name) and type(at) is int):
            raise frames.DamagedFrames("a file that is no part of a recording")
        path = self.directory / name
        if at < 0:
            path.unlink(missing_ok=True)
            return
        self._bytes += len(data)
        if self._bytes > MOST_BYTES or at > MOST_BYTES:
            raise frames.DamagedFrames("a recording without an end")
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(path, flags | (os.O_TRUNC if at == 0 else 0), 0o600)
        try:
            if os.fstat(fd).st_size != at:
                raise frames.DamagedFrames("a piece of a file is missing")
            os.lseek(fd, at, os.SEEK_SET)
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)
