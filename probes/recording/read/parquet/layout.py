"""What a Parquet file claims to hold, read and judged before the real reader sees it.

The footer may lie about sizes, so every page's header is read as well. Only what we write is
let through: flat columns, our encodings, sizes within the limits. Some other encodings turn a
few bytes into gigabytes, and some damaged footers make pyarrow end the process.
"""

from __future__ import annotations

import struct
from typing import Any

from perftui.probes.recording.format.limits import (
    BATCH_BYTES,
    DECODED_BYTES,
    FILE_ROWS,
    MIB,
    RecordingError,
)
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.read.parquet.thrift import ThriftError, read_struct

_MAGIC = b"PAR1"
_PLAIN, _PLAIN_DICTIONARY, _RLE, _BIT_PACKED, _DELTA, _RLE_DICTIONARY = 0, 2, 3, 4, 5, 8
_ENCODINGS = frozenset([_PLAIN, _PLAIN_DICTIONARY, _RLE, _BIT_PACKED, _DELTA, _RLE_DICTIONARY])
_CODECS = frozenset([0, 1, 6])
"""Uncompressed, Snappy, Zstandard."""
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_PHYSICAL = {"bool": 0, "i64": 2, "f64": 5, "str": 6}
_OTHER_PHYSICAL = frozenset(_PHYSICAL.values())
_OPTIONAL, _REQUIRED = 1, 0
_COLUMNS = 256
_ROW_GROUPS = 256
_PAGES = 20_000


def check_layout(name: str, data: bytes) -> None:
    """See that a file claims to be what a sealed file of table `name` is.

    Raises:
        RecordingError: it does not.
    """
    try:
        _check(name, data)
    except (ThriftError, struct.error, TypeError, AttributeError, KeyError, IndexError) as error:
        raise RecordingError(f"damaged: {error or 'its footer makes no sense'}") from error


def check_footer(name: str, tail: bytes, size: int) -> None:
    """See by its end alone whether a file may be a sealed one of table `name`: costs no decoding.

    Args:
        name: The table.
        tail: The last bytes of the file, or all of it.
        size: Of the whole file.

    Raises:
        RecordingError: it is not.
    """
    try:
        if size < 12 or len(tail) < 8 or tail[-4:] != _MAGIC:
            raise RecordingError("damaged: it is cut off or no Parquet file")
        length = struct.unpack_from("<I", tail, len(tail) - 8)[0]
        start = len(tail) - 8 - length
        if start < 0:
            if length > size - 12:
                raise RecordingError("damaged: its footer is cut off")
            return  # a long one: it is looked at when the file is read
        footer, _ = read_struct(tail, start, len(tail) - 8)
        _check_schema(name, footer[2])
    except (ThriftError, struct.error, TypeError, AttributeError, KeyError, IndexError) as error:
        raise RecordingError(f"damaged: {error or 'its footer makes no sense'}") from error


def _check(name: str, data: bytes) -> None:
    if len(data) < 12 or data[:4] != _MAGIC or data[-4:] != _MAGIC:
        raise RecordingError("damaged: it is cut off or no Parquet file")
    length = struct.unpack_from("<I", data, len(data) - 8)[0]
    start = len(data) - 8 - length
    if start < 4 or length > 16 * MIB:
        raise RecordingError("damaged: its footer is cut off")
    footer, end = read_struct(data, start, len(data) - 8)
    if end != len(data) - 8:
        raise RecordingError("damaged: its footer makes no sense")
    columns = _check_schema(name, footer[2])
    groups = footer.get(4, [])
    if _whole(footer[3]) > FILE_ROWS or len(groups) > _ROW_GROUPS:
        raise RecordingError("damaged: it claims more rows than a segment may have")
    rows = claimed = 0
    for group in groups:
        count = _whole(group[3])
        rows += count
        if len(group[1]) != len(columns) or rows > FILE_ROWS:
            raise RecordingError("damaged: its row groups make no sense")
        for (column, physical), chunk in zip(columns, group[1], strict=True):
            about = chunk[3]
            if about[3] != [column] or about[1] != physical or 1 in chunk or 8 in chunk:
                raise RecordingError("damaged: its columns are mixed up")
            claimed += _check_column(about, count, data, start)
            if claimed > DECODED_BYTES:
                raise RecordingError("damaged: it claims to be larger than a segment may be")
    if rows != footer[3]:
        raise RecordingError("damaged: its row groups make no sense")


def _check_schema(name: str, elements: list[dict[int, Any]]) -> list[tuple[bytes, int]]:
    """Return (name, physical type) of the columns, which must be flat."""
    known = {column.name.encode(): _PHYSICAL[column.type] for column in TABLES[name].columns}
    if not 1 < len(elements) <= _COLUMNS + 1 or elements[0].get(5) != len(elements) - 1:
        raise RecordingError("damaged: its columns are not those of a recording")
    found = []
    for element in elements[1:]:
        label, physical = element[4], element.get(1)
        if physical not in _OTHER_PHYSICAL or known.get(label, physical) != physical:
            text = label[:40].decode("utf-8", "replace")
            raise RecordingError(f"damaged: column {text!r} has the wrong type")
        if element.get(5) or element.get(3) not in (_REQUIRED, _OPTIONAL):
            raise RecordingError("damaged: its columns are not flat")
        found.append((label, physical))
    labels = {label for label, _ in found}
    if len(labels) != len(found):
        raise RecordingError("damaged: it has a column twice")
    if not TABLES[name].may_be(label.decode("utf-8", "replace") for label in labels):
        raise RecordingError(f"damaged: it is no file of the table {name}")
    return found


def _check_column(about: dict[int, Any], rows: int, data: bytes, end_of_pages: int) -> int:
    """Walk a column's pages; returns how many bytes its rows may take in memory."""
    if about[4] not in _CODECS or not _ENCODINGS.issuperset(about[2]) or about[5] != rows:
        raise RecordingError("damaged: a column is not written as a recording's is")
    at = _whole(about[9])
    if 11 in about:
        at = min(at, _whole(about[11]))
    end = at + _whole(about[7])
    if at < 4 or end > end_of_pages or _whole(about[6]) > BATCH_BYTES:
        raise RecordingError("damaged: a column lies outside of its file")
    claimed = values = pages = 0
    while at < end:
        header, body = read_struct(data, at, end)
        kind = header[1]
        if kind == _DICTIONARY:
            if pages:
                raise RecordingError("damaged: a page is out of its place")
            count, encoding = header[7][1], header[7][2]
        elif kind == _DATA:
            count, encoding = header[5][1], header[5][2]
            values += count
        elif kind == _DATA_V2:
            count, encoding = header[8][1], header[8][4]
            values += count
        else:
            raise RecordingError("damaged: it has a page of unknown kind")
        unpacked, packed = _whole(header[2]), _whole(header[3])
        pages += 1
        if (
            encoding not in _ENCODINGS
            or _whole(count) > rows + (kind == _DICTIONARY)
            or unpacked > BATCH_BYTES
            or body + packed > end
            or pages > _PAGES
        ):
            raise RecordingError("damaged: a page makes an impossible claim")
        claimed += unpacked
        at = body + packed
    if values != rows:
        raise RecordingError("damaged: a column has more or fewer values than rows")
    return claimed + 8 * rows


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise RecordingError("damaged: its footer makes no sense")
    return value
