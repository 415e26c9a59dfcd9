"""What an export format is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader

Kind = Literal["stacks", "tables", "report"]


class Exporter(NamedTuple):
    """One line of the table of formats."""

    name: str
    """As in `--format NAME`."""
    suffix: str
    """Of the file, with its dot."""
    kind: Kind
    """stacks: sampled stacks; tables: one file per table; report: for a person to read."""
    good_for: str
    """One line, for `--list` and the dialog."""
    opened_by: str
    """What opens it."""
    module: str
    """In this package. It has `write`, a format of the kind "tables" has `write_table`."""
    binary: bool = False
    """Not for a terminal."""
    grows: bool = True
    """Its size grows with the range: it tells every interval, not only sums."""

    def write(self, reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
        """Write a part of a recording to `out`, from where it stands; `out` need not seek.

        Raises:
            RecordingError: there is nothing to write, or it cannot be read.
            OSError: `out` does not take it.
        """
        write: Callable[[RecordedReader, Slice, BinaryIO], None] = self._found("write")
        write(reader, part, out)

    def write_table(self, parts: Iterable[Any], out: BinaryIO) -> None:
        """Write a table, a format of the kind "tables"; `parts` are pieces, at least one."""
        write: Callable[[Iterable[Any], BinaryIO], None] = self._found("write_table")
        write(parts, out)

    def _found(self, name: str) -> Any:
        return getattr(import_module(f"perftui.probes.export.{self.module}"), name)
