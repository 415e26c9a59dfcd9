"""Has a program use a loader and libraries that lie beside it; nothing in its file moves.

    own-loader.py PROGRAM LOADER LIBRARIES

The kernel reads the loader's path from where PT_INTERP says in the file: it goes to the end. The
folder of the libraries, as the program's DT_RPATH, goes into the unused rest of the first mapped
page behind a segment. Tools that make room by moving sections leave a file in which a debugger,
and Python's own `_remote_debugging`, no longer find what is at a fixed place.

64-bit little-endian ELF (System V ABI, chapters 4 and 5).
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_STRTAB, DT_RPATH, DT_RUNPATH = 0, 5, 15, 29
PAGE_BYTES = 4096
HEADER = struct.Struct("<IIQQQQQQ")
"""type, flags, file offset, address, physical address, bytes in the file, in memory, alignment"""
ENTRY = struct.Struct("<qQ")


def main() -> int:
    """Change the file."""
    path, loader, libraries = Path(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].encode()
    data = bytearray(path.read_bytes())
    if data[:6] != b"\x7fELF\x02\x01":
        print(f"{path}: no 64-bit little-endian ELF file", file=sys.stderr)
        return 1
    (first,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    places = [first + number * size for number in range(count)]
    headers = {place: HEADER.unpack_from(data, place) for place in places}
    loads = [header for header in headers.values() if header[0] == PT_LOAD]
    place = next(place for place, header in headers.items() if header[0] == PT_INTERP)
    kind, flags, _offset, address, physical, _bytes, _memory, align = headers[place]
    # The address stays that of the old path: the loader looks there for the name it was asked by.
    length = len(loader) + 1
    HEADER.pack_into(data, place, kind, flags, len(data), address, physical, length, length, align)
    gap = _gap(data, loads, len(libraries) + 1)
    if gap is None:
        print(f"{path}: no room for the folder of its libraries", file=sys.stderr)
        return 1
    at, gap_address = gap
    data[at : at + len(libraries) + 1] = libraries + b"\0"
    dynamic = next(header for header in headers.values() if header[0] == PT_DYNAMIC)
    rows = [dynamic[2] + n * ENTRY.size for n in range(dynamic[5] // ENTRY.size)]
    tags = {ENTRY.unpack_from(data, row)[0]: row for row in reversed(rows)}
    (_tag, strings) = ENTRY.unpack_from(data, tags[DT_STRTAB])
    end = tags[DT_NULL]
    if DT_RUNPATH in tags or DT_RPATH in tags or end == rows[-1]:
        print(f"{path}: it has a folder of libraries, or no room to name one", file=sys.stderr)
        return 1
    ENTRY.pack_into(data, end, DT_RPATH, gap_address - strings)
    data += loader + b"\0"
    path.write_bytes(data)
    return 0


def _gap(data: bytearray, loads: list[tuple[int, ...]], needed: int) -> tuple[int, int] | None:
    """Return file offset and address of `needed` unused bytes that are mapped with a segment."""
    for _kind, _flags, offset, address, _physical, in_file, in_memory, _align in loads:
        end = offset + in_file
        room = -end % PAGE_BYTES
        unused = data[end : end + room]
        if in_file == in_memory and len(unused) == room >= needed and not any(unused):
            return end, address + in_file
    return None


if __name__ == "__main__":
    sys.exit(main())
