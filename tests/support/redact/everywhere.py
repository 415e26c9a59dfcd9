"""All texts in a file or folder, whatever it is packed in: to look for bytes that must not be."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def texts_below(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, all that it says) of a file, or of the files below a folder; names too."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        yield f"name of {file}", file.name
        if file.is_file():
            yield from _texts(str(file), file.read_bytes())


def _texts(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    yield name, data.decode("utf-8", "replace")
    if data.startswith(b"PAR1"):
        yield name, str(pq.read_table(io.BytesIO(data)).to_pylist())
    elif data.startswith(b"\x1f\x8b"):
        yield name, gzip.decompress(data).decode("utf-8", "replace")
    elif data.startswith(b"ARROW1"):
        yield name, str(pa.ipc.open_file(data).read_all().to_pylist())
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.namelist():
                yield from _texts(f"{name}/{entry}", archive.read(entry))
