"""The segments that were not sealed: still being written, or left by a recorder that was killed.

Their live files are read as far as they go, and on from there when they have grown. Rows are kept
in bounded memory; of an older segment that had to go its sums stay, and the rows are read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow_file import read_stream, table_of
from perftui.probes.recording.format.limits import DECODED_BYTES, RecordingError
from perftui.probes.recording.format.redacted import redacted
from perftui.probes.recording.format.rollup import manifest, rollups
from perftui.probes.recording.format.rollup_tables import MANIFEST
from perftui.probes.recording.format.tables import RECORDED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from perftui.probes.recording.read.container import Container, SegmentFile

TOO_MANY = "more is unsealed than fits into memory"


class _Tail:
    """One live file as far as it was read."""

    def __init__(self) -> None:
        self.batches: list[Any] = []
        self.offset = 0


class _Segment:
    """One segment."""

    def __init__(self) -> None:
        self.size_key: tuple[tuple[str, int], ...] = ()
        self.tables: dict[str, Any] | None = {}
        """None: known by its sums alone, read again when its rows are asked for."""
        self.sums: dict[str, Any] | None = None


class UnsealedSegments:
    """See the module. Whoever has it sees to it that one thread asks at a time.

    Args:
        container: The recording's files.
        sealed: Returns (a table's rows in a segment that was killed while it was sealed, or None;
            whether they are in a merged file already).
        redacts: Texts are redacted as they are read.
        damaged: Where it is noted why a file cannot be used, by name.
    """

    def __init__(
        self,
        container: Container,
        sealed: Callable[[str, int], tuple[Any | None, bool]],
        damaged: dict[str, str],
        *,
        redacts: bool,
    ) -> None:
        self._container = container
        self._sealed = sealed
        self._damaged = damaged
        self._redacts = redacts
        self._segments: dict[int, _Segment] = {}
        self._tails: dict[str, _Tail] = {}
        self.torn: dict[str, str] = {}
        """Why a live file ends early, by file name."""

    def __contains__(self, number: int) -> bool:
        return number in self._segments

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers, oldest first."""
        return iter(sorted(self._segments))

    def scan(self, numbers: Collection[int], files: Sequence[SegmentFile]) -> bool:
        """Take in what was written to the segments that are unsealed now; True if anything was."""
        changed = False
        for number in set(self._segments).difference(numbers):
            del self._segments[number]
            changed = True
        for number in sorted(numbers):
            changed |= self._read(number, files)
        return changed

    def forget_files_but(self, names: Collection[str]) -> None:
        """Let go of what is known of files that are gone."""
        self._tails = {name: tail for name, tail in self._tails.items() if name in names}
        self.torn = {name: why for name, why in self.torn.items() if name in names}

    def tables(self, number: int) -> dict[str, Any]:
        """Return the recorded tables of a segment, from disk if they had to go."""
        segment = self._segments[number]
        if segment.tables is None:
            mine = {
                file.table: file
                for file in self._container.files()
                if not file.sealed and file.first == number
            }
            segment.tables = self._rows_of(number, mine)
            self._make_room(number)
        return segment.tables

    def sums(self, number: int) -> dict[str, Any]:
        """Return what its manifest and its sums would be if it was sealed now, by table."""
        segment = self._segments[number]
        if segment.sums is None:
            tables = self.tables(number)
            segment.sums = {MANIFEST: manifest(number, tables), **rollups(number, tables)}
        return segment.sums

    # Reading

    def _read(self, number: int, files: Sequence[SegmentFile]) -> bool:
        """Read what is new of a segment that was not sealed (or not to its end)."""
        mine = {file.table: file for file in files if not file.sealed and file.first == number}
        key = tuple(sorted((file.name, file.size) for file in mine.values()))
        segment = self._segments.get(number)
        if segment is None:
            segment = self._segments[number] = _Segment()
        elif segment.size_key == key:
            return False
        segment.size_key, segment.tables, segment.sums = key, self._rows_of(number, mine), None
        self._make_room(number)
        return True

    def _rows_of(self, number: int, mine: Mapping[str, SegmentFile]) -> dict[str, Any]:
        tables: dict[str, Any] = {}
        room = DECODED_BYTES
        for name in RECORDED:
            table, is_merged = self._sealed(name, number)
            if is_merged:
                continue
            if table is None and name in mine:
                table = self._tail_rows(name, mine[name])
            if table is None or not table.num_rows:
                continue
            room -= table.nbytes
            if room < 0:
                self._damaged[f"segment {number}"] = TOO_MANY
                break
            tables[name] = table
        return tables

    def _make_room(self, keep: int) -> None:
        """Let go of the rows of older segments when they are too many for memory."""
        held = {n: _nbytes(each.tables) for n, each in self._segments.items() if each.tables}
        for number in sorted(held):
            if sum(held.values()) <= DECODED_BYTES:
                return
            if number != keep:
                self.sums(number)
                self._segments[number].tables = None
                for name in [n for n in self._tails if n.endswith(f"-{number:06d}.arrows")]:
                    del self._tails[name]
                del held[number]

    def _tail_rows(self, name: str, file: SegmentFile) -> Any:
        tail = self._tails.setdefault(file.name, _Tail())
        try:
            data = self._container.read(file.name, tail.offset)
        except RecordingError as error:
            self._damaged[file.name] = str(error)
            return None
        found = read_stream(name, data, schema_seen=tail.offset > 0)
        tail.batches += found.batches
        tail.offset += found.end
        if not tail.offset and not data:
            self.torn[file.name] = "is empty"
        elif found.torn is None:
            self.torn.pop(file.name, None)
        else:
            self.torn[file.name] = f"{found.torn} at byte {tail.offset:,}"
        table = table_of(name, tail.batches)
        return redacted(name, table) if self._redacts else table


def _nbytes(tables: Mapping[str, Any]) -> int:
    return sum(table.nbytes for table in tables.values())
