"""Reads of another process's memory: one piece, or many pieces in one system call."""

from __future__ import annotations

import ctypes

_libc = ctypes.CDLL(None, use_errno=True)
_readv = _libc.process_vm_readv
_readv.restype = ctypes.c_ssize_t
_readv.argtypes = [
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_ulong,
]

MOST_PIECES = 1000
"""Of one batch; the kernel takes 1024 (IOV_MAX)."""
MOST_BYTES = 6 << 20
"""Of one batch. The buffers grow as they are needed."""
_FIRST_BYTES = 1 << 16
MOST_ONE_PIECE = 1 << 16
ADDRESS_MASK = (1 << 64) - 1


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 4 << 20


def keep_what_is_freed() -> None:
    """Have the allocator keep some megabytes that are free, instead of giving them to the kernel.

    What a sweep takes and gives back lay at the end of the heap: four calls of brk a sweep, and
    pages to be cleared anew. Elsewhere than in glibc nothing is done.
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)


class Buffer:
    """Room for one batch and the two lists that the system call wants.

    Shared by all processes that are sampled: a batch is used up before the next one is read.
    """

    __slots__ = ("_keep", "bytes", "local", "local_address", "pieces", "remote", "remote_address")

    def __init__(self, size: int = _FIRST_BYTES) -> None:
        self.local = (ctypes.c_uint64 * 2)()
        self.local_address = ctypes.addressof(self.local)
        self._room(size)
        self.remote = (ctypes.c_uint64 * (2 * 1024))()
        self.remote_address = ctypes.addressof(self.remote)
        self.pieces: list[int] | None = None
        """What `remote` and `local` ask for: the same list again asks for the same."""

    def _room(self, size: int) -> None:
        self.bytes = bytearray(size)
        self._keep = (ctypes.c_char * size).from_buffer(self.bytes)
        self.local[0] = ctypes.addressof(self._keep)

    def grow(self, size: int) -> None:
        """Make room for `size` bytes; what was read before is lost."""
        self._room(min(max(2 * len(self.bytes), size), MOST_BYTES))


_piece = ctypes.create_string_buffer(MOST_ONE_PIECE)
_piece_at = ctypes.addressof(_piece)
_piece_lists = (ctypes.c_uint64 * 4)()
_piece_lists_at = ctypes.addressof(_piece_lists)


class Memory:
    """The memory of one process."""

    __slots__ = ("pid", "reads")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        """Return exactly `size` bytes.

        Raises:
            OSError: nothing is mapped there (EFAULT), the process is gone (ESRCH), or we have
                no right (EPERM).
        """
        if not 0 < size <= MOST_ONE_PIECE:
            raise OSError(22, "size")
        self.reads += 1
        lists = _piece_lists
        lists[0], lists[1] = _piece_at, size
        lists[2], lists[3] = address & ADDRESS_MASK, size
        got = _readv(self.pid, _piece_lists_at, 1, _piece_lists_at + 16, 1, 0)
        if got != size:
            raise OSError(ctypes.get_errno() if got < 0 else 14, "read")
        return ctypes.string_at(_piece_at, size)

    def word(self, address: int) -> int:
        """Return a pointer or another unsigned 64-bit word."""
        return int.from_bytes(self.read(address, 8), "little")

    def long_read(self, address: int, size: int) -> bytes:
        """Return `size` bytes that may be more than one piece holds; the caller bounds them."""
        parts = []
        while size > 0:
            step = min(size, MOST_ONE_PIECE)
            parts.append(self.read(address, step))
            address += step
            size -= step
        return b"".join(parts)

    def gather(self, buffer: Buffer, pieces: list[int], total: int) -> bool:
        """Read `pieces` = [address, size, address, size, ...] one after another into `buffer`.

        Who gives the same list again must not have changed it.

        Returns:
            Whether all `total` bytes came.
        """
        self.reads += 1
        if total > len(buffer.bytes):
            if total > MOST_BYTES:
                return False
            buffer.grow(total)
        n = len(pieces)
        if buffer.pieces is not pieces:
            buffer.pieces = None
            try:
                buffer.remote[0:n] = pieces  # type: ignore[assignment]
            except (TypeError, ValueError, OverflowError):
                return False
            buffer.local[1] = total
            buffer.pieces = pieces
        got: int = _readv(self.pid, buffer.local_address, 1, buffer.remote_address, n >> 1, 0)
        return got == total
