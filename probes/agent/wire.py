"""JSON lines out of the program: never blocking, never where they do not belong.

A line is at most LINE_BYTES long, so that a pipe takes it whole or not at all; what the pipe
does not take is dropped and counted. Before every write the descriptor is compared with what it
was at the start: a program may close every descriptor it finds and open files in their place.
"""

import posix
import time
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LINE_BYTES = 4000
NAME_BYTES = 1200

_INTERVAL_NS = 5_000_000
_BURST_NS = 50 * _INTERVAL_NS
"""Lines of calls and phases leave one by one, up to 200 a second and 50 in a burst: what a program
that dies said last is told. Beyond that several leave in one write, which is most of their cost."""


_KEPT = (b'{"k":"phase', b'{"k":"import')
"""Lines without which others would be wrong, as a phase whose end is lost never ends: those that
the pipe does not take are kept, up to KEPT_BYTES, and go before all others."""
KEPT_BYTES = 500_000

_LAST_NS = 200_000_000
"""As long a program that ends may wait for room in the pipe, which is full only if it says more
than anybody can read: else nobody knew how much of it was dropped."""

_OURS = ("_perftui_agent", "_frozen_importlib", "importlib._bootstrap")
"""Where our own failures end; imports have another name once a program has imported importlib."""


def foreign(error: BaseException) -> bool:
    """Tell whether an exception only passed through our code: a signal handler of the program
    may raise at any of our bytecodes, and that exception is the program's.

    What an audit hook of the program raises is an answer to what we did, and ends with us.
    """
    trace = error.__traceback__
    if trace is None or trace.tb_next is None:
        return False  # nobody's code ran but ours
    try:
        return _passed_through(error)
    except Exception as second:
        # While we looked: a handler has raised, or an audit hook refuses even that.
        try:
            of_handler = _passed_through(second)
        except Exception:
            return False
        if of_handler:
            raise
        return False


def _passed_through(error: BaseException) -> bool:
    """Tell whether the code that raised was called neither by us nor by an audit of what we did."""
    trace: "Any" = error.__traceback__
    above = None
    ours = True
    while trace is not None:
        frame = trace.tb_frame  # audited, as is `f_code`
        name = frame.f_globals.get("__name__")
        ours = isinstance(name, str) and name.startswith(_OURS)
        if ours:
            above = None
        elif above is None:
            above = frame  # what our code, or nobody, has called
        trace = trace.tb_next
    return not ours and not _is_audit_hook(above)


def _is_audit_hook(frame: "Any") -> bool:
    """Tell by its arguments: (event, arguments), where a signal handler has (number, frame)."""
    for name in frame.f_code.co_varnames[:3]:
        value = frame.f_locals.get(name)
        if type(value) is tuple and value:
            value = value[0]
        if isinstance(value, str):
            return True
    return False


def quote(text: str, limit_bytes: int = NAME_BYTES) -> str:
    """Return `text` as an ASCII JSON string of at most about `limit_bytes`."""
    if (
        len(text) < limit_bytes
        and text.isascii()
        and text.isprintable()
        and '"' not in text
        and "\\" not in text
    ):
        return '"' + text + '"'
    pieces = []
    room = limit_bytes
    for letter in text:
        code = ord(letter)
        if 0x20 <= code < 0x7F and letter not in '"\\':
            piece = letter
        elif code < 0x10000:
            piece = "\\u%04x" % code
        else:
            code -= 0x10000
            piece = "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
        room -= len(piece)
        if room < 0:
            pieces.append("\\u2026")
            break
        pieces.append(piece)
    return '"' + "".join(pieces) + '"'


class Wire:
    """The write end of the record pipe, as one process sees it."""

    def __init__(self, fd: int, device: int, inode: int) -> None:
        self.fd = fd
        self.open = True
        self.dropped = 0
        self._dropped_told = 0
        self._device = device
        self._inode = inode
        self._lock = RLock()
        self._held: "list[str]" = []
        self._held_bytes = 0
        self._kept: "list[bytes]" = []
        self._kept_bytes = 0
        self._due_ns = 0

    def ours(self) -> bool:
        """Tell whether the descriptor still is the pipe; once it is not, it never is again."""
        if self.open:
            try:
                status = posix.fstat(self.fd)
                self.open = status.st_ino == self._inode and status.st_dev == self._device
            except OSError as error:
                if foreign(error):
                    raise
                self.open = False
        return self.open

    def send(self, body: str) -> bool:
        """Send one JSON object, given without its closing brace; return whether it went out."""
        self.flush()
        dropped = self.dropped
        if dropped != self._dropped_told:
            body += ',"dropped":%d' % dropped
        data = (body + "}\n").encode()  # UTF-8: any other codec might have to be imported
        if len(data) > LINE_BYTES:
            self.dropped += 1
            return False
        if self._write(data, 1):
            self._dropped_told = dropped
            return True
        return False

    def send_often(self, now_ns: int, body: str) -> None:
        """The same for what may come a hundred thousand times a second: in good time."""
        due_ns = self._due_ns
        if due_ns < now_ns:
            due_ns = now_ns
        if due_ns - now_ns <= _BURST_NS:
            self._due_ns = due_ns + _INTERVAL_NS
            self.send(body)
            return
        size = len(body) + 2  # of ASCII, as `quote` makes it
        if size > LINE_BYTES:
            self.dropped += 1
            return
        with self._lock:
            if self._held_bytes + size > LINE_BYTES:
                self.flush()
            self._held.append(body)
            self._held_bytes += size

    def send_last(self, body: str) -> None:
        """Send the last line, with how many were dropped; wait a little if there is no room."""
        self.flush()
        give_up_ns = time.monotonic_ns() + _LAST_NS
        while self.open:
            if self._write((body + ',"dropped":%d}\n' % self.dropped).encode(), 0):
                return
            if time.monotonic_ns() > give_up_ns:
                if not self._kept:
                    self.dropped += 1
                    return
                # Who reads is too slow for what was kept: it is dropped, and that is told.
                self.dropped += len(self._kept)
                self._kept, self._kept_bytes = [], 0
                give_up_ns = time.monotonic_ns() + _LAST_NS
            time.sleep(0.002)

    def flush(self) -> None:
        """Write what is held back."""
        if not self._held:
            if self._kept:
                self._write_kept()
            return
        with self._lock:
            held, self._held, self._held_bytes = self._held, [], 0
            if held:
                held.append("")
                self._write("}\n".join(held).encode(), len(held) - 1)

    def _write(self, data: bytes, lines: int) -> bool:
        """Write whole lines, at most LINE_BYTES of them; the pipe takes all or nothing."""
        if not self.ours():
            return False
        if self._kept and not self._write_kept():
            self._keep(data, lines)
            return False
        try:
            posix.write(self.fd, data)
        except BlockingIOError as error:
            if foreign(error):
                raise
            self._keep(data, lines)
            return False
        except OSError as error:
            if foreign(error):
                raise
            self.open = False
            return False
        return True

    def _keep(self, data: bytes, lines: int) -> None:
        """The pipe is full: keep the lines that must not be lost, and count the others."""
        with self._lock:
            for line in data.splitlines(True) if lines else ():
                if line.startswith(_KEPT) and self._kept_bytes + len(line) <= KEPT_BYTES:
                    self._kept.append(line)
                    self._kept_bytes += len(line)
                else:
                    self.dropped += 1

    def _write_kept(self) -> bool:
        """Write what was kept, as far as the pipe takes it; return whether nothing is left."""
        with self._lock:
            while self._kept:
                kept, size, n = self._kept, 0, 0
                while n < len(kept) and size + len(kept[n]) <= LINE_BYTES:
                    size += len(kept[n])
                    n += 1
                # Taken out first: a handler of the program may come in and write, too.
                some, self._kept = kept[:n], kept[n:]
                try:
                    posix.write(self.fd, b"".join(some))
                except OSError as error:
                    self._kept[:0] = some
                    if foreign(error):
                        raise
                    if not isinstance(error, BlockingIOError):
                        self.open = False
                    return False
                self._kept_bytes -= size
            return True

    def reset(self) -> None:
        """Begin anew in a forked child: what is held back is the parent's to say."""
        self.dropped = self._dropped_told = 0
        self._lock = RLock()
        self._held, self._held_bytes = [], 0
        self._kept, self._kept_bytes = [], 0
