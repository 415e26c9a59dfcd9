"""The one place through which all of our words go, and what becomes of those that cannot.

Two kinds, with two rules:

    tell    remarks, progress, errors: standard error. Whoever closed it does not want them;
            nothing ever depends on them.
    say     what was asked for: standard output. If it cannot be written, the command still
            comes to its end and to its own exit code; `settle` then says so in one line, and
            makes 0 a 2. A reader that has seen enough (`| head`) is no failure.

An exit code other than 0 stands: that a gate failed, or how the target ended, is known whether
or not somebody could be told.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from perftui.probes.own.standard_streams import STDERR, STDOUT, hold_standard_streams
from perftui.probes.text.reason import reason_of
from perftui.tui.text.glyphs import ASCII

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

NOT_WRITTEN = 2
"""The exit code of a command that would be fine but for its output."""
_COLUMNS = 80
_PLAIN_TERMS = ("", "dumb", "unknown")


class _Fate:
    """What has become of the two streams since `begin`."""

    def __init__(self, closed: frozenset[int] = frozenset()) -> None:
        self.closed = closed
        self.failure: str | None = None
        """Why what was asked for is not on standard output, None while all is well."""
        self.reader_left = False
        """The failure is only that nobody reads any more."""

    def fails(self, error: OSError | ValueError, *, whole: bool) -> None:
        """Keep the first failure of standard output."""
        if self.failure is None:
            self.reader_left = isinstance(error, BrokenPipeError) and not whole
            self.failure = reason_of(error)


_fate = _Fate()


def begin() -> None:
    """Take the streams as they are. To be called first, before any file is opened."""
    global _fate
    _fate = _Fate(hold_standard_streams())


def tell(text: str, end: str = "\n") -> None:
    """Write to standard error, at once, if it can be."""
    with suppress(OSError, ValueError):
        _write(sys.stderr, text + end)
        sys.stderr.flush()


def say(text: str, end: str = "\n", *, now: bool = False, whole: bool = False) -> None:
    """Write to standard output; a failure is remembered and told by `settle`.

    Args:
        text: What was asked for.
        end: What follows it.
        now: Do not wait for more.
        whole: It cannot be had again, and a part of it is of no use: to a reader that left
            before its end it was not written.
    """
    if _fate.failure is not None:
        return
    try:
        if STDOUT in _fate.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        _write(sys.stdout, text + end)
        if now or whole:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        _fate.fails(error, whole=whole)


def is_heard() -> bool:
    """Tell whether standard output still takes what is said."""
    return _fate.failure is None


@contextmanager
def answer() -> Iterator[BinaryIO]:
    """Give standard output as bytes; if it fails, the block ends there, and `settle` tells."""
    out = _Answer()
    try:
        yield cast("BinaryIO", out)
        out.flush()
    except Exception:
        if _fate.failure is None:
            raise


def settle(code: int) -> int:
    """Bring what was said to its end; returns the exit code."""
    if _fate.failure is None:
        try:
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            _fate.fails(error, whole=False)
    if _fate.failure is not None:
        _silence(sys.stdout, STDOUT)
        if not _fate.reader_left:
            tell(f"perftui: cannot write to standard output: {_fate.failure}")
            code = code or NOT_WRITTEN
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        _silence(sys.stderr, STDERR)
    return code


def has_screen() -> bool:
    """Tell whether there is a terminal that can be drawn upon; one that cannot is remarked."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    term = os.environ.get("TERM", "")
    if term not in _PLAIN_TERMS:
        return True
    which = f"TERM={term}" if term else "TERM is not set"
    tell(f"perftui: {which}: nothing can be drawn on this terminal, so there is text only")
    return False


def columns() -> int:
    """Return how wide the terminal on standard error is."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


class _Answer(io.RawIOBase):
    """Standard output as bytes; it knows where it stands and cannot seek."""

    def __init__(self) -> None:
        self._count = 0

    def write(self, data: Any) -> int:
        try:
            if STDOUT in _fate.closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            view = memoryview(data).cast("B")
            sys.stdout.buffer.write(view)
        except (OSError, ValueError) as error:
            _fate.fails(error, whole=False)
            raise
        self._count += len(view)
        return len(view)

    def flush(self) -> None:
        if _fate.failure is not None:
            return
        try:
            sys.stdout.buffer.flush()
        except (OSError, ValueError) as error:
            _fate.fails(error, whole=False)
            raise

    def tell(self) -> int:
        return self._count

    def writable(self) -> bool:
        return True


def _write(stream: TextIO, text: str) -> None:
    """Write; signs of ours that the encoding lacks become ASCII, all others escapes."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)


def _silence(stream: TextIO, fd: int) -> None:
    """Let the interpreter throw away at its end what cannot be written: it would exit with 120."""
    with suppress(OSError, ValueError):
        if stream.fileno() != fd:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, fd)
        os.close(nowhere)
        stream.flush()
