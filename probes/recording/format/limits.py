"""What a recording may hold at most, whoever wrote it, and the one error that says otherwise.

A recording may come from anybody. Sizes are checked before anything is decoded, because a few
kilobytes can claim to be gigabytes.
"""

from __future__ import annotations

MIB = 1 << 20

META_BYTES = 1 * MIB
FILE_BYTES = 256 * MIB
"""Of one segment file."""
BATCH_ROWS = 1_000_000
BATCH_BYTES = 128 * MIB
"""Of one Arrow batch or one Parquet row group, decoded."""
FILE_ROWS = 8_000_000
DECODED_BYTES = 192 * MIB
"""Of one file, of one small table, of all that was never sealed."""
EVENTS = 1_000_000
"""Records of one kind that are joined into phases, imports, marks, ..."""
STRING_BYTES = 64 * 1024
ENTRIES = 20_000
"""Files of one recording."""
SEGMENTS = 1_000_000
"""As many as six digits of a file's name tell apart."""
ZIP_RATIO = 200
NODES = 8_000_000
FRAMES = 2_000_000
DEPTH = 4_096


class RecordingError(ValueError):
    """A recording cannot be read, written or packed; the message is one line that says why."""
