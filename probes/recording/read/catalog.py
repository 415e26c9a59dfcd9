"""What a recording's files hold, segment by segment; tables are loaded when they are asked for.

Of a segment that is both live and sealed the sealed files count, of one that was merged the
merged ones. A segment that was never sealed is loaded and summed up here. What cannot be read
is noted, and the rest is used.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.recording.format.arrow import arrow
from perftui.probes.recording.format.limits import (
    DECODED_BYTES,
    FILE_ROWS,
    SEGMENTS,
    RecordingError,
)
from perftui.probes.recording.format.redacted import redacted
from perftui.probes.recording.format.rollup_tables import MANIFEST
from perftui.probes.recording.format.schema import empty
from perftui.probes.recording.format.tables import RECORDED, ROLLUPS
from perftui.probes.recording.read.parquet.file import read_parquet
from perftui.probes.recording.read.parquet.layout import check_footer
from perftui.probes.recording.read.unsealed import TOO_MANY, UnsealedSegments
from perftui.probes.recording.write.live import file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perftui.probes.recording.read.container import Container, SegmentFile

CACHE_BYTES = 24 << 20
_TAIL_BYTES = 64 << 10


class Extent(NamedTuple):
    """One table of one segment: rows, and from when to when."""

    rows: int
    t0_ns: int
    t1_ns: int


def _files_for(tables: Mapping[str, Extent]) -> list[str]:
    """Return which files a sealed segment has: its tables, and the sums made of them."""
    have = {name for name, extent in tables.items() if extent.rows and name in RECORDED}
    sums = {
        "stack_sums": {"stacks"},
        "thread_sums": {"thread_cpu"},
        "call_sums": {"calls"},
        "count_sums": {"counts"},
        "series_1s": {"metrics", "counts", "pools", "memory_parts"},
        "series_30s": {"metrics", "counts", "pools", "memory_parts"},
    }
    return [*sorted(have), *(name for name, of in sums.items() if of & have)]


class Catalog:
    """See the module. Safe to use from several threads.

    Raises:
        RecordingError: the directory cannot be read.
    """

    def __init__(self, container: Container, *, redacts: bool = False) -> None:
        self._container = container
        self.redacts = redacts
        """Texts are redacted as they are read: they were written under older rules."""
        self._lock = RLock()
        self._sealed: dict[str, list[SegmentFile]] = {}
        self._manifest: dict[int, dict[str, Extent]] = {}
        self._extents: dict[str, dict[int, Extent]] = {}
        self._cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._small: dict[str, tuple[tuple[str, ...], Any]] = {}
        self._more: dict[str, Any] = {}
        self.damaged: dict[str, str] = {}
        """Why a file cannot be used, by file name."""
        self._unsealed = UnsealedSegments(
            container, self._sealed_part, self.damaged, redacts=redacts
        )
        self.version = 0
        """Grows with everything new that was found."""
        self.refresh()

    def refresh(self) -> bool:
        """Look for what was written since; True if anything was.

        Raises:
            RecordingError: the directory cannot be read.
        """
        with self._lock:
            for _ in range(5):
                try:
                    return self._scan()
                except FileNotFoundError:
                    continue  # sealed between listing and reading
                except OSError as error:
                    reason = error.strerror or str(error)
                    raise RecordingError(f"{self._container.path}: {reason}") from error
            raise RecordingError(f"{self._container.path} changes faster than it can be read")

    def _scan(self) -> bool:
        files = self._container.files()
        sealed: dict[str, list[SegmentFile]] = {}
        for file in sorted(files, key=lambda file: (file.first, -file.last)):
            if file.sealed:
                known = sealed.setdefault(file.table, [])
                # A merged file comes before the single ones that it replaces.
                if not known or file.first > known[-1].last:
                    known.append(file)
        changed = sealed != self._sealed
        if changed:
            before = self._sealed
            self._sealed = sealed
            if sealed.get(MANIFEST) != before.get(MANIFEST):
                self._read_manifest()
        numbers = {file.first for file in files if file.first == file.last}
        unsealed = numbers - set(self._manifest)
        changed |= self._unsealed.scan(unsealed, files)
        if changed:
            self._extents = {}
            self.version += 1
        self._unsealed.forget_files_but({file.name for file in files})
        return changed

    def _read_manifest(self) -> None:
        found: dict[int, dict[str, Extent]] = {}
        table = self._rows_of(MANIFEST, self._sealed.get(MANIFEST, []))
        columns = (table[name].to_pylist() for name in ("segment", "table", "rows", "t0_ns"))
        for segment, name, rows, t0, t1 in zip(*columns, table["t1_ns"].to_pylist(), strict=True):
            if not 0 <= segment < SEGMENTS or not 0 <= rows <= FILE_ROWS:
                self.damaged[MANIFEST] = "tells of segments that cannot be"
                continue
            found.setdefault(segment, {})[name] = Extent(rows, t0 or 0, t1 or 0)
        self._manifest = found

    def check(self) -> None:
        """Look at the end of every sealed file, and for those that should be there and are not.

        Damage inside of a file is found when it is read; this finds, for next to nothing, what is
        cut off, overwritten, mixed up or gone, also where no answer needs it.
        """
        with self._lock:
            files = [file for known in self._sealed.values() for file in known]
            for file in files:
                if file.name in self.damaged:
                    continue
                try:
                    tail = self._container.read(file.name, max(file.size - _TAIL_BYTES, 0))
                    check_footer(file.table, tail, file.size)
                except FileNotFoundError:
                    continue  # merged just now
                except (RecordingError, OSError) as error:
                    self.damaged[file.name] = str(error)
            for segment, tables in self._manifest.items():
                for name in _files_for(tables):
                    if self._file_of(name, segment) is None:
                        self.damaged[file_name(name, segment, "parquet")] = "is missing"
            told = set(self._manifest) | set(self.live_segments_on_disk())
            for number in sorted({f.first for f in files if f.first == f.last} - told):
                name = file_name(MANIFEST, number, "parquet")
                self.damaged.setdefault(name, "is missing")

    def live_segments_on_disk(self) -> set[int]:
        """Return the numbers of the segments that have live files."""
        return {file.first for file in self._container.files() if not file.sealed}

    def _sealed_part(self, name: str, number: int) -> tuple[Any | None, bool]:
        """Return a table of a segment that was killed while it was sealed, None if it has no file;
        and whether its rows are in a merged file."""
        alone = None
        for file in self._sealed.get(name, ()):
            if file.first <= number <= file.last and file.first < file.last:
                return None, True
            if file.first == number == file.last:
                alone = file
        return (None if alone is None else self._load(alone, None)), False

    # What it holds

    @property
    def torn(self) -> Mapping[str, str]:
        """Why a live file ends early, by file name."""
        return self._unsealed.torn

    def segments(self) -> list[int]:
        """Return the numbers of all segments, oldest first."""
        with self._lock:
            return sorted({*self._manifest, *self._unsealed})

    def live_segments(self) -> list[int]:
        """Return the numbers of the segments that were not sealed."""
        with self._lock:
            return list(self._unsealed)

    def live_tables(self, segment: int) -> dict[str, Any]:
        """Return the recorded tables of a segment that was not sealed."""
        with self._lock:
            return dict(self._unsealed.tables(segment))

    def added(self) -> dict[str, Any]:
        """Return what `add` took in, by table."""
        with self._lock:
            return dict(self._more)

    def missing_segments(self) -> list[int]:
        """Return the numbers of which nothing is left."""
        numbers = self.segments()
        return sorted(set(range(numbers[-1])) - set(numbers)) if numbers else []

    def extents(self, name: str) -> dict[int, Extent]:
        """Return how much of a table each segment has that has any, oldest first."""
        with self._lock:
            found = self._extents.get(name)
            if found is None:
                found = self._extents[name] = {
                    segment: extent
                    for segment in self.segments()
                    if (extent := self._extent(name, segment)) is not None
                }
            return found

    def _extent(self, name: str, segment: int) -> Extent | None:
        if segment in self._manifest:
            return self._manifest[segment].get(name)
        if segment not in self._unsealed:
            return None
        for row in self._unsealed.sums(segment)[MANIFEST].to_pylist():
            if row["table"] == name:
                return Extent(row["rows"], row["t0_ns"] or 0, row["t1_ns"] or 0)
        return None

    def overlapping(self, name: str, t0_ns: int, t1_ns: int) -> dict[int, Extent]:
        """Return the segments that have rows of a table in [t0, t1), oldest first."""
        return {
            segment: extent
            for segment, extent in self.extents(name).items()
            if extent.t0_ns < t1_ns and extent.t1_ns >= t0_ns
        }

    def load(self, name: str, segment: int, columns: Sequence[str] | None = None) -> Any:
        """Return a table of one segment (not of a merged kind); empty if it has none."""
        return self._retried(lambda: self._load_one(name, segment, columns))

    def _load_one(self, name: str, segment: int, columns: Sequence[str] | None) -> Any:
        key = (name, segment, None if columns is None else tuple(columns))
        with self._lock:
            if segment in self._unsealed:
                table = self._live_part(name, segment)
                if table is None:
                    return empty(name, columns)
                return table if columns is None else table.select(list(columns))
            cached = self._cache.get(key)
            if cached is not None:
                self._cache.move_to_end(key)
                return cached
            file = self._file_of(name, segment)
            table = empty(name, columns) if file is None else self._load(file, columns)
            self._remember(key, table)
            return table

    def whole(self, name: str) -> Any:
        """Return a small table of all segments, oldest first."""
        return self._retried(lambda: self._whole(name))

    def _whole(self, name: str) -> Any:
        pa = arrow()
        with self._lock:
            parts = [self._sealed_rows(name), *self._live_parts(name), *self._added(name)]
            return pa.concat_tables(parts) if len(parts) > 1 else parts[0]

    def stack_blocks(self) -> list[tuple[int, int, SegmentFile | None]]:
        """Return (first segment, last segment, file) of all stack sums; None is a live one."""
        with self._lock:
            blocks: list[tuple[int, int, SegmentFile | None]] = [
                (file.first, file.last, file)
                for file in self._sealed.get("stack_sums", ())
                if all(n in self._manifest for n in range(file.first, file.last + 1))
            ]
            blocks += [(number, number, None) for number in self._unsealed]
            return sorted(blocks, key=lambda block: block[0])

    def stack_block(self, first: int, file: SegmentFile | None) -> Any:
        """Return the stack sums of a block.

        Raises:
            FileNotFoundError: it was merged since; the blocks must be asked for again.
        """
        with self._lock:
            if file is None:
                return self._unsealed.sums(first).get("stack_sums", empty("stack_sums"))
            key = ("stack_sums", file.name)
            table = self._cache.get(key)
            if table is None:
                table = self._load(file, None)
                self._remember(key, table)
            return table

    def files_of(self, name: str) -> list[SegmentFile]:
        """Return the sealed files of a table that can be read and are not live again."""
        with self._lock:
            return [
                file
                for file in self._sealed.get(name, ())
                if file.first not in self._unsealed and file.name not in self.damaged
            ]

    def live_rows(self, name: str) -> Any:
        """Return the rows of a table that are in no sealed file."""
        pa = arrow()
        with self._lock:
            return pa.concat_tables([empty(name), *self._live_parts(name), *self._added(name)])

    def add(self, name: str, rows: Any) -> None:
        """Take rows into a small table that are in no file of it; they stay in memory alone."""
        with self._lock:
            self._more[name] = rows
            self.version += 1

    def _added(self, name: str) -> list[Any]:
        return [self._more[name]] if name in self._more else []

    # Loading

    def _live_parts(self, name: str) -> list[Any]:
        """Return a table of all unsealed segments, oldest first, as far as memory allows."""
        parts = []
        room = DECODED_BYTES
        for segment in self._unsealed:
            part = self._live_part(name, segment)
            if part is not None:
                room -= part.nbytes
                if room < 0:
                    self.damaged[f"segment {segment}"] = TOO_MANY
                    break
                parts.append(part)
        return parts

    def _live_part(self, name: str, segment: int) -> Any | None:
        """Return a table of an unsealed segment, None if it has none."""
        if name in ROLLUPS:
            return self._unsealed.sums(segment).get(name)
        if self._extent(name, segment) is None:
            return None
        return self._unsealed.tables(segment).get(name)

    def _sealed_rows(self, name: str) -> Any:
        """Return all sealed rows of a small table; kept until its files change."""
        # Single files of a segment that counts as live are among its live tables.
        files = [
            file
            for file in self._sealed.get(name, ())
            if file.last > file.first or file.first not in self._unsealed
        ]
        return self._rows_of(name, files)

    def _rows_of(self, name: str, files: Sequence[SegmentFile]) -> Any:
        key = tuple(file.name for file in files)
        known = self._small.get(name)
        if known is not None and known[0] == key:
            return known[1]
        parts = [empty(name)]
        room = DECODED_BYTES
        for file in files:
            part = self._load(file, None)
            room -= part.nbytes
            if room < 0:
                self.damaged[file.name] = "there is more of its kind than fits into memory"
                break
            parts.append(part)
        table = arrow().concat_tables(parts)
        self._small[name] = (key, table)
        return table

    def _file_of(self, name: str, segment: int) -> SegmentFile | None:
        for file in self._sealed.get(name, ()):
            if file.first <= segment <= file.last:
                return file
        return None

    def _load(self, file: SegmentFile, columns: Sequence[str] | None) -> Any:
        try:
            table = read_parquet(file.table, self._container.read(file.name), columns)
        except FileNotFoundError:
            raise
        except (RecordingError, OSError) as error:
            self.damaged[file.name] = str(error)
            return empty(file.table, columns)
        return redacted(file.table, table) if self.redacts else table

    def table_of(self, file: SegmentFile) -> Any:
        """Return a sealed file as a table."""
        with self._lock:
            return self._load(file, None)

    def _retried(self, load: Callable[[], Any]) -> Any:
        """Load; if a file was merged or sealed meanwhile, look again what there is."""
        for _ in range(5):
            try:
                return load()
            except FileNotFoundError:
                self.refresh()
        return load()

    def _remember(self, key: tuple[Any, ...], table: Any) -> None:
        self._cache[key] = table
        while len(self._cache) > 1 and sum(t.nbytes for t in self._cache.values()) > CACHE_BYTES:
            self._cache.popitem(last=False)
