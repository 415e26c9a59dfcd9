"""What a kernel function that a thread sleeps in says of what it waits for."""

from __future__ import annotations

from . import stream

_WAIT_KINDS = (
    ("nanosleep", "sleep"),
    ("futex", "lock"),
    ("lock_inode_wait", "lock"),
    ("semtimedop", "lock"),
    ("poll", "poll"),
    ("select", "poll"),
    ("do_wait_intr", "poll"),  # eventfd, timerfd
    ("signalfd", "poll"),
    ("pipe", "pipe"),
    ("wait_for_partner", "pipe"),
    ("msgrcv", "pipe"),
    ("msgsnd", "pipe"),
    ("unix_stream", "socket"),
    ("sk_wait", "socket"),
    ("sock_", "socket"),
    ("wait_for_more", "socket"),
    ("wait_woken", "socket"),
    ("inet_", "socket"),
    ("tcp_", "socket"),
    ("skb_", "socket"),
    ("do_wait", "child"),
    ("kernel_clone", "child"),  # vfork: until the child has become another program
    ("vfork", "child"),
    ("folio", "disk"),
    ("io_schedule", "disk"),
    ("blk", "disk"),
    ("bio", "disk"),
    ("wait_on_page", "disk"),
    ("fsync", "disk"),
    ("read_events", "disk"),
    ("io_cqring", "disk"),
    ("userfault", "fault"),
)
"""Part of the kernel function that a thread sleeps in, and what that is; the first that fits."""


_known: dict[bytes, int] = {}
_MOST_KNOWN = 1000


def wait_of(wchan: bytes) -> int:
    """Return what a thread waits for by its file in /proc, as index into `stream.WAITS`."""
    kind = _known.get(wchan)
    if kind is None:
        kind = kind_of_wait(wchan.decode("ascii", "replace"))
        if len(_known) < _MOST_KNOWN:
            _known[wchan] = kind
    return kind


def kind_of_wait(place: str) -> int:
    """Return the index into `stream.WAITS` for a kernel function that a thread sleeps in."""
    if place in ("", "0"):
        return 0
    for part, kind in _WAIT_KINDS:
        if part in place:
            return stream.WAITS.index(kind)
    return stream.WAITS.index("other")
