"""A session that was killed has files of memray that nobody has read: they are read here.

With our own memray, never with a program that the recording names; and only files of a folder
that is the reader's own, for a parser in C++ meets them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from perftui.probes.allocations.captured import BEYOND, NotRead, read_capture, rows_each
from perftui.probes.recording.format.captures import captures_in
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.recording.format.schema import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.recording.read.face import RecordedReader

TABLE = "allocations"


def take_in(reader: RecordedReader, tell: Callable[[str], None]) -> bool:
    """Read what an interrupted session left; True if the recording now has allocations.

    Args:
        reader: Any recording; nothing is done to most.
        tell: Hears why files were not read.
    """
    if not reader.target().memray or reader.state != "interrupted" or not reader.path.is_dir():
        return False
    if reader.catalog.extents(TABLE) or reader.path.stat().st_uid != os.getuid():
        return False
    found = captures_in(reader.path)
    if not found:
        return False
    if importlib.util.find_spec("memray") is None:
        tell("its allocations were not read: pip install 'perftui[memray]'")
        return False
    start_ns = reader.status().t_start_ns
    began_ns = wall_ns(reader.meta, start_ns)
    if began_ns is None:
        return False
    offset_ns = start_ns - began_ns
    rows = []
    for capture, most in rows_each(found):
        file = reader.path / capture.name
        try:
            found_rows, damaged = read_capture(
                file, capture.pid, sys.executable, offset_ns, most_rows=most
            )
        except NotRead as error:
            tell(f"{capture.name} was not read: {error}")
            continue
        rows += found_rows
        if damaged:
            tell(f"{capture.name} {BEYOND}: what came later is missing")
    if not rows:
        return False
    from perftui.probes.recording.format.arrow import arrow

    schema = arrow_schema(TABLE)
    columns = zip(*((0, *row) for row in rows), strict=True)
    arrays = [
        arrow().array(list(values), type=field.type)
        for values, field in zip(columns, schema, strict=True)
    ]
    reader.catalog.add(TABLE, arrow().Table.from_arrays(arrays, schema=schema))
    reader.refresh()
    return True
