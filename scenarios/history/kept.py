"""Results of benches that are kept, one JSON object a line, a file for each key.

    STATE/history/NAME-HASH.jsonl       the entries of a key, as a baseline file has them

Lines are appended under a lock. One that cannot be read (a disk that was full, another schema) is
left where it is and counted.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.folders import state_folder
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ODD = re.compile(r"[^A-Za-z0-9.]+")
_HASH_DIGITS = 12
_LARGEST_BYTES = 256 << 20
_LEFT_OUT = ("history", "recordings")


class Remembered(NamedTuple):
    """The entries of a key, in the order in which they were made."""

    path: Path
    entries: list[dict[str, Any]]
    unreadable: int
    """Lines that are no entries of this key."""


def remember(entry: Mapping[str, Any]) -> Path:
    """Append an entry; returns the file.

    Raises:
        OSError: It cannot be written.
    """
    path = _path_of(str(entry["key"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {key: value for key, value in entry.items() if key not in _LEFT_OUT}
    line = json.dumps(told, allow_nan=False, separators=(",", ":")) + "\n"
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = "\n" + line  # what was cut off must not take this one along
        os.write(fd, line.encode())
    finally:
        os.close(fd)
    return path


def remembered(key: str) -> Remembered:
    """Return the entries of a key; none if nothing was kept.

    Raises:
        ScenarioError: The file cannot be read, or is larger than any history.
    """
    path = _path_of(key)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ScenarioError(f"{path} is larger than 256 MiB: move it away to begin anew")
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return Remembered(path, [], 0)
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror or error}") from None
    entries, unreadable = [], 0
    for line in lines:
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is None or entry["key"] != key:
            unreadable += 1
        else:
            entries.append(entry)
    return Remembered(path, entries, unreadable)


def known_keys() -> list[str]:
    """Return the keys that have a history, the newest first. Never fails."""
    found = []
    for path in (state_folder() / "history").glob("*.jsonl"):
        try:
            with path.open("rb") as file:
                entry = _entry(file.readline(1 << 20))
            if entry is not None:
                found.append((path.stat().st_mtime, entry["key"]))
        except OSError:
            continue
    return [key for _, key in sorted(found, reverse=True)]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("metrics"), dict):
        return None
    return entry if isinstance(entry.get("key"), str) else None


def _path_of(key: str) -> Path:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    name = _ODD.sub("-", key).strip("-.")[:60] or "bench"
    return state_folder() / "history" / f"{name}-{digest}.jsonl"
