"""Where `_PyRuntime` lies in a process, and which Python it belongs to.

The ELF headers are read out of the target's memory, so deleted files, chroots and containers
make no difference. Only a binary whose dynamic symbols were stripped needs its file.
"""

from __future__ import annotations

import os
import struct

from ..memory import Memory

PAGE = os.sysconf("SC_PAGESIZE")
PT_LOAD, PT_DYNAMIC = 1, 2
DT_STRTAB, DT_SYMTAB, DT_GNU_HASH = 5, 6, 0x6FFFFEF5
DEBUG_COOKIE = b"xdebugpy"
_MOST_MAPS = 100_000
_MOST_SECTIONS = 256
_MOST_CHAIN = 10_000


class Found:
    """The runtime of one interpreter."""

    __slots__ = ("address", "glibc", "path", "version")

    def __init__(self, address: int, version: int, path: bytes) -> None:
        self.address = address
        self.version = version
        """As in PY_VERSION_HEX."""
        self.path = path
        self.glibc = False
        """It runs with the GNU C library."""


def mapped_files(pid: int) -> list[tuple[int, bytes]]:
    """Return the lowest address and the path of every mapped file that begins at its offset 0.

    Raises:
        OSError: the process is gone, or we may not look.
    """
    lowest: dict[bytes, int] = {}
    with open(f"/proc/{pid}/maps", "rb") as lines:
        for number, line in enumerate(lines):
            if number > _MOST_MAPS:
                break
            fields = line.split(None, 5)
            if len(fields) < 6 or fields[5][:1] != b"/" or fields[2].strip(b"0"):
                continue
            path = fields[5].rstrip(b"\n")
            path = path[:-10] if path.endswith(b" (deleted)") else path
            address = int(fields[0].partition(b"-")[0], 16)
            lowest[path] = min(address, lowest.get(path, address))
    return [(address, path) for path, address in lowest.items()]


class Image:
    """An ELF image in the memory of a process.

    Raises:
        OSError: what it points to cannot be read.
        ValueError: it is no 64-bit little-endian ELF image.
    """

    def __init__(self, memory: Memory, base: int) -> None:
        self._memory = memory
        header = memory.read(base, 64)
        if header[:6] != b"\x7fELF\x02\x01":
            raise ValueError("no ELF64")
        (at,) = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        if size < 56 or not 0 < count <= 128:
            raise ValueError("program headers")
        table = memory.read(base + at, size * count)
        first_load = dynamic = None
        for i in range(count):
            kind, _, offset, address, _, _, room = struct.unpack_from("<IIQQQQQ", table, i * size)
            # `base` is where the file's beginning is mapped. That is the first segment, unless
            # somebody has made room for more headers and put the new one last (patchelf).
            if kind == PT_LOAD and offset < PAGE and first_load is None:
                first_load = address & ~(PAGE - 1)
            elif kind == PT_DYNAMIC:
                dynamic = address, room
        self.bias = base - (first_load or 0)
        self._tags: dict[int, int] = {}
        if dynamic is not None:
            words = memory.read(self.bias + dynamic[0], min(dynamic[1], 1 << 14) & ~15)
            for tag, value in struct.iter_unpack("<QQ", words):
                if tag == 0:
                    break
                self._tags.setdefault(tag, value)

    def _pointer(self, tag: int) -> int:
        """glibc has relocated the pointers of the dynamic section in memory, musl has not."""
        value = self._tags.get(tag, 0)
        if not value:
            raise ValueError("no dynamic symbols")
        return value if value >= self.bias else value + self.bias

    def symbol(self, name: bytes) -> int | None:
        """Return the address of a dynamic symbol, by the GNU hash table."""
        try:
            table, symbols, strings = map(self._pointer, (DT_GNU_HASH, DT_SYMTAB, DT_STRTAB))
        except ValueError:
            return None
        read = self._memory.read
        buckets, first_symbol, bloom_words, shift = struct.unpack("<IIII", read(table, 16))
        if not buckets or not bloom_words:
            return None
        wanted = _gnu_hash(name)
        word = self._memory.word(table + 16 + 8 * ((wanted // 64) % bloom_words))
        if not (word >> (wanted % 64)) & (word >> ((wanted >> (shift & 31)) % 64)) & 1:
            return None
        at_buckets = table + 16 + 8 * bloom_words
        at_chain = at_buckets + 4 * buckets
        (first,) = struct.unpack("<I", read(at_buckets + 4 * (wanted % buckets), 4))
        if first < first_symbol:
            return None
        for i in range(first, first + _MOST_CHAIN):
            (link,) = struct.unpack("<I", read(at_chain + 4 * (i - first_symbol), 4))
            if link | 1 == wanted | 1:
                at_name, _, _, _, value = struct.unpack("<IBBHQ", read(symbols + 24 * i, 16))
                if read(strings + at_name, len(name) + 1) == name + b"\0":
                    return int(value) + self.bias
            if link & 1:
                break
        return None

    def section(self, path: bytes, name: bytes) -> int | None:
        """Return the address of a section, from the image's file."""
        # A container's paths are seen from inside it, a chroot's from where we stand.
        own_root = b"/proc/%d/root" % self._memory.pid
        for candidate in (own_root + path, path):
            try:
                with open(candidate, "rb") as file:
                    found = _section_in(file, name)
            except (OSError, ValueError, struct.error, IndexError):
                continue
            if found is not None:
                return self.bias + found
        return None


def _section_in(file: object, name: bytes) -> int | None:
    """Return the address of a section in an open ELF file, unrelocated."""
    seek, read = file.seek, file.read  # type: ignore[attr-defined]
    header = read(64)
    if header[:6] != b"\x7fELF\x02\x01":
        return None
    (at,) = struct.unpack_from("<Q", header, 40)
    size, count, at_names = struct.unpack_from("<HHH", header, 58)
    if size < 64 or count > _MOST_SECTIONS:
        return None
    seek(at)
    table = read(size * count)
    sections = [struct.unpack_from("<IIQQQQ", table, i * size) for i in range(count)]
    seek(sections[at_names][4])
    names = read(min(sections[at_names][5], 1 << 16))
    for at_name, _, _, address, _, _ in sections:
        if names[at_name : names.index(b"\0", at_name)] == name:
            return int(address)
    return None


def _gnu_hash(name: bytes) -> int:
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


def find_runtime(memory: Memory) -> Found | None:
    """Return the Python runtime of a process; None if there is none that says its version.

    Raises:
        OSError: the process is gone, or we may not look.
    """
    program = os.readlink(f"/proc/{memory.pid}/exe").encode("utf-8", "surrogateescape")
    program = program[:-10] if program.endswith(b" (deleted)") else program
    ranked = []
    glibc = False
    for address, path in mapped_files(memory.pid):
        name = path.rpartition(b"/")[2]
        glibc = glibc or name.startswith((b"libc.so.6", b"libc-2."))
        if name.startswith(b"libpython"):
            ranked.append((0, address, path))
        elif path == program:
            ranked.append((2 if b"python" not in name else 1, address, path))
        elif b"python" in name and b".so" not in name:
            ranked.append((1, address, path))
    ranked.sort()
    for _, address, path in ranked[:16]:
        try:
            found = _runtime_in(memory, address, path)
        except (ValueError, struct.error):
            continue
        except OSError as error:
            if error.errno in (1, 3, 13):  # no right, no process: the other files fare no better
                raise
            continue
        if found is not None:
            found.glibc = glibc
            return found
    return None


def _runtime_in(memory: Memory, base: int, path: bytes) -> Found | None:
    image = Image(memory, base)
    address = image.symbol(b"_PyRuntime") or image.section(path, b".PyRuntime")
    if address is None:
        return None
    head = memory.read(address, 16)
    if head[:8] == DEBUG_COOKIE:  # 3.13+: the runtime itself says
        return Found(address, int.from_bytes(head[8:], "little"), path)
    version = image.symbol(b"Py_Version")  # 3.11+
    if version is None:
        return Found(address, 0, path)
    return Found(address, int.from_bytes(memory.read(version, 4), "little"), path)
