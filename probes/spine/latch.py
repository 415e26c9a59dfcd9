"""A flag that is set once, and may be waited for: for threads that do so many times a second."""

from __future__ import annotations

from threading import Lock


class Latch:
    """As `threading.Event`, but it cannot be cleared, and waiting is one call into C.

    An event makes a lock and a list entry for each wait, in Python: for who wakes 20 times a
    second, out of the processor's caches, that is a tenth of all that it does.
    """

    def __init__(self) -> None:
        self._closed = Lock()
        self._closed.acquire()
        self._setting = Lock()
        self._set = False

    def is_set(self) -> bool:
        """Tell whether it has been set."""
        return self._set

    def set(self) -> None:
        """Set it for good: who waits goes on."""
        with self._setting:
            if not self._set:
                self._set = True
                self._closed.release()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is set, or for so long; tell whether it is set."""
        if not self._set and self._closed.acquire(timeout=max(timeout_s, 0.0)):
            self._closed.release()  # for the next one who waits
        return self._set
