"""One file to share: a recording as a zip of stored entries."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.whole_file import whole_file
from perftui.probes.recording.format.captures import captures_in
from perftui.probes.recording.format.limits import ENTRIES, RecordingError
from perftui.probes.recording.format.meta import META, with_rules
from perftui.probes.recording.format.redacted import has_texts
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.shelf.shelf import ENDING, PACKED_ENDING
from perftui.probes.recording.write.seal import seal, write_table
from perftui.probes.text.units import format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from perftui.probes.recording.read.face import RecordedReader

CAPTURE_BYTES = 128 << 20
"""A file of memray's that is larger stays out."""
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class PackResult(NamedTuple):
    """What was packed."""

    path: Path
    file_bytes: int


def contents_line(reader: RecordedReader) -> str:
    """Say in one line what somebody who gets the recording can see."""
    status = reader.status()
    length = format_seconds((status.t_end_ns - status.t_start_ns) / 1e9)
    lines = sum(extent.rows for extent in reader.catalog.extents("log").values())
    host = "the host's name" if reader.meta.get("host") else "no host name"
    captures = [] if reader.path.is_file() else captures_in(reader.path)
    large = sum(each.size > CAPTURE_BYTES for each in captures)
    memray = f", {format_count(len(captures) - large)} files of memray's" if captures else ""
    if large:
        memray += f" ({format_count(large)} too large left out; their sums are in `allocations`)"
    output = f"{lines:,} lines of its output" if lines else "none of its output"
    return (
        f"{length} of {reader.target().title!r}: its command line (secrets redacted), file and "
        f"function names, {output}, {host}{memray}, no environment"
    )


def pack(reader: RecordedReader, out: Path | None = None) -> PackResult:
    """Write a recording as one zip.

    A segment that was never sealed is sealed into the zip; the recording itself is not touched.

    Args:
        reader: The recording, closed or interrupted.
        out: The file; beside the recording if not given.

    Raises:
        RecordingError: it is still being written, or the file cannot be written.
    """
    if reader.path.is_file():
        raise RecordingError(f"{reader.path} is packed already")
    if reader.state == "recording":
        raise RecordingError(f"{reader.path.name} is still being recorded: pack it when it ends")
    target = out or reader.path.with_name(reader.path.name.removesuffix(ENDING) + PACKED_ENDING)
    if target.exists():
        raise RecordingError(f"{target} is there already")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pack-") as folder:
            files = _files(reader, Path(folder))
            if len(files) > ENTRIES:
                raise RecordingError(f"{reader.path.name} has too many files for one zip")
            captures = [each for each in captures_in(reader.path) if each.size <= CAPTURE_BYTES]
            meta = json.dumps(_final_meta(reader), indent=1).encode("utf-8", "replace")
            with whole_file(target, mode=0o600, replace=False) as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                    _add(archive, META, meta)
                    for name, path in sorted(files.items()):
                        _add(archive, name, path.read_bytes())
                    for capture in captures:
                        _add(archive, capture.name, (reader.path / capture.name).read_bytes())
                size = file.tell()
    except FileExistsError:  # meanwhile
        raise RecordingError(f"{target} is there already") from None
    except OSError as error:
        raise RecordingError(f"cannot write {target}: {error.strerror or error}") from error
    return PackResult(target, size)


def _files(reader: RecordedReader, folder: Path) -> dict[str, Path]:
    """Return the sealed files by name, the unsealed ones sealed into `folder`."""
    catalog = reader.catalog
    found = {
        file.name: reader.path / file.name for name in TABLES for file in catalog.files_of(name)
    }
    if catalog.redacts:
        for name in TABLES:
            for file in catalog.files_of(name) if has_texts(name) else ():
                found[file.name] = folder / file.name
                write_table(catalog.table_of(file), folder / file.name)
    for segment in catalog.live_segments():
        tables = catalog.live_tables(segment)
        if not tables:
            continue
        for name in seal(folder, segment, tables):
            found[name] = folder / name
    if more := catalog.added():
        for name in seal(folder, max(catalog.segments(), default=-1) + 1, more):
            found[name] = folder / name
    return found


def _final_meta(reader: RecordedReader) -> dict[str, Any]:
    meta = with_rules(reader.meta)
    if meta["state"] != "closed":
        # It stays what it was: an interrupted recording, though all its segments are sealed now.
        meta["recorder"] = None
    return meta


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _ZIP_TIME)
    info.external_attr = 0o100600 << 16
    archive.writestr(info, data)


def packed_line(packed: PackResult) -> str:
    """Say what was written."""
    return f"{packed.path} ({format_bytes(packed.file_bytes)})"
