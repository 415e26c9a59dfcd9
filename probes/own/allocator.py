"""The C allocator of our own processes (glibc's; elsewhere nothing is done)."""

from __future__ import annotations

from contextlib import suppress

_M_ARENA_MAX = -8


def share_one_arena() -> None:
    """Have all threads allocate from one place; to be called before there are any.

    A dozen threads that mostly wait each got an arena of their own: more than a megabyte beside
    the screen. They hold the interpreter's lock while they allocate, and need no other.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
