"""Is memory growing so that it is worth asking the program who makes it grow?

Sooner and with less evidence than an alert needs: asking costs the program some milliseconds,
and an answer is wanted by the time the alert is raised. Pure.
"""

from __future__ import annotations

BUCKET_NS = 500_000_000
KEPT = 121
_RISES = ((2, 4e6), (6, 5e6), (12, 4e6), (20, 8e6), (60, 12e6), (120, 20e6))
"""(buckets, bytes): a floor that rose by so much in so long is suspicious."""
FIRST_NS = 1_500_000_000
"""What a program loads at its start is no growth."""
PAUSE_NS = 3_000_000_000
LONGEST_PAUSE_NS = 60_000_000_000
_LONGER = 1.6


class Suspicion:
    """Follows RSS of one process."""

    def __init__(self) -> None:
        self._began_ns: int | None = None
        self._bucket = -1
        self._low = 0
        self._floors: list[int] = []
        self._next_ns = 0
        self._pause_ns = PAUSE_NS

    def importing(self, t_ns: int) -> None:
        """Modules are being loaded: what rises meanwhile is theirs."""
        self._floors.clear()
        self._bucket = -1
        self._next_ns = max(self._next_ns, t_ns + BUCKET_NS)

    def take(self, t_ns: int, rss_bytes: int) -> bool:
        """Take a reading; True if somebody should look now."""
        if self._began_ns is None:
            self._began_ns = t_ns
        bucket = (t_ns - self._began_ns) // BUCKET_NS
        if bucket == self._bucket:
            self._low = min(self._low, rss_bytes)
            return False
        if self._bucket >= 0:
            self._floors.append(self._low)
            del self._floors[:-KEPT]
        self._bucket, self._low = bucket, rss_bytes
        if t_ns - self._began_ns < FIRST_NS or t_ns < self._next_ns:
            return False
        return self._rises()

    def _rises(self) -> bool:
        now = self._floors[-1]
        return any(
            len(self._floors) > span and now - self._floors[-1 - span] >= least
            for span, least in _RISES
        )

    def asked(self, t_ns: int, lasts_ns: int) -> None:
        """Somebody looks from now on; the next time is later each time."""
        self._next_ns = t_ns + lasts_ns + self._pause_ns
        self._pause_ns = min(int(self._pause_ns * _LONGER), LONGEST_PAUSE_NS)
