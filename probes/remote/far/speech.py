"""What the far end says: queued by whoever has something, sent by one thread, packed.

One deflate stream over the whole connection, ended at each sending: a reading of a program that
sleeps is nearly what the last one was, and comes to some 10 bytes.
"""

from __future__ import annotations

import os
import select
import time
import zlib
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.remote import frames

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from perftui.probes.spine.records import Record

_MOST_WAITING = 8 << 20
"""Bytes that may wait for a slow link; beyond, records are dropped and counted."""
DEAF_S = 30.0
"""The near end asks for the time more often than this."""
_PIECE = 1 << 20
"""Of what is packed into one frame."""


class Speech:
    """Frames on their way to the near end. `extend` and `append` make it a log for probes.

    Args:
        fd: Where they go.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = Lock()
        self._waiting: list[bytes] = []
        self._size = 0
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -15, 9)
        self.closed = False
        """Nobody takes anything any more."""
        self.dropped = 0
        """Records."""
        self.sent_bytes = 0
        self.pongs: deque[dict[str, Any]] = deque()
        """Answers to pings, to be sent at once."""
        self.heard_s = time.monotonic()
        """When the near end said something last."""
        os.set_blocking(fd, False)

    def append(self, *records: Record) -> None:
        """Say records, as `SessionLog.append`."""
        self.extend(records)

    def extend(self, records: Sequence[Record]) -> None:
        """Say records, as `SessionLog.extend`; never waits."""
        if not records or self.closed:
            return
        data = frames.frame(frames.RECORDS, frames.pack_records(records))
        with self._lock:
            if self._size > _MOST_WAITING:
                self.dropped += len(records)
                return
            self._put(data)

    def say(self, kind: int, payload: bytes) -> None:
        """Say something else; never waits."""
        with self._lock:
            self._put(frames.frame(kind, payload))

    def _put(self, data: bytes) -> None:
        if not self.closed:
            self._waiting.append(data)
            self._size += len(data)

    @property
    def waiting_bytes(self) -> int:
        """What has not been sent."""
        return self._size

    @property
    def deaf(self) -> bool:
        """Whether the near end has said nothing for so long that it must have gone."""
        return time.monotonic() - self.heard_s > DEAF_S

    def close(self) -> None:
        """Say nothing any more."""
        with self._lock:
            self.closed = True
            self._waiting.clear()
            self._size = 0

    def send_plain(self, data: bytes) -> None:
        """Send bytes as they are, at once; a near end that has gone is not waited for."""
        try:
            while data and not self.closed:
                try:
                    written = os.write(self._fd, data)
                except BlockingIOError:
                    select.select([], [self._fd], [], 1.0)
                    if self.deaf:
                        self.close()
                    continue
                self.sent_bytes += written
                data = data[written:]
        except OSError:
            self.close()

    def send(self) -> None:
        """Send all that waits; waits itself for as long as the link takes. One thread alone."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._size = 0
        data = b"".join(waiting)
        for at in range(0, len(data), _PIECE):
            packed = self._deflate.compress(data[at : at + _PIECE])
            packed += self._deflate.flush(zlib.Z_SYNC_FLUSH)
            self.send_plain(frames.frame(frames.PACKED, packed))
