"""A baseline read back: what it was measured on, and the runs of each figure.

Two forms are read: our own entries (schema 1), and the flat form of other tools, one number per
figure:

    {"test_name", "loader_type", "throughput_rows_per_sec", "memory_mb" (MiB),
     "duration_seconds", "dataset_size", "timestamp", "git_commit", "environment"}

Of the flat form a file may have one, a list, or an object of them by name; FILE#NAME says which.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.scenarios.bench.answer import Stored
from perftui.scenarios.bench.baseline.names import ours
from perftui.scenarios.bench.baseline.surroundings import MeasuredAt
from perftui.scenarios.define.parameters import ScenarioError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST_BYTES = 64 << 20
_FLAT = {
    "throughput_rows_per_sec": ("rate:rows", 1.0),
    "memory_mb": ("peak_rss", float(1 << 20)),
    "duration_seconds": ("duration", 1.0),
}
_NOTHING = MeasuredAt(None, None, None, None, {}, None, False)


class StoredEntry(NamedTuple):
    """One entry."""

    path: Path
    key: str
    created: str | None
    commit: str | None
    about: MeasuredAt | None
    """None where the form does not tell."""
    stored: Stored
    thresholds: Mapping[str, float]
    """That it was made with, by figure, as a part."""
    raw: Mapping[str, Any]

    @property
    def oldest(self) -> StoredEntry | None:
        """The first entry that was ever accepted, None if this is it."""
        history = self.raw.get("history")
        first = history[0] if isinstance(history, list) and history else None
        return None if not isinstance(first, dict) else _entry(self.path, first)

    def told(self) -> str:
        """Say in a few words which one it is."""
        n = max((len(runs) for runs in self.stored.runs.values()), default=0)
        words = [f"{n} run{'s' if n != 1 else ''}"]
        if self.created:
            words.append(self.created)
        if self.commit:
            words.append(f"commit {self.commit[:10]}")
        return f"{self.path.name} ({', '.join(words)})"


def read_baseline(text: str, key: str) -> StoredEntry:
    """Read the entry of a file that is about `key`.

    Args:
        text: FILE or FILE#NAME.
        key: What is benched.

    Raises:
        ScenarioError: it cannot be read, is no baseline, or has none of that name.
    """
    file, hash_, name = text.rpartition("#")
    if not hash_ or Path(text).exists():
        file, name = text, ""
    path = Path(file)
    data = _read(path)
    entries = dict(_entries(path, data))
    if not entries:
        raise ScenarioError(f"{file}: is no baseline: it has neither metrics nor flat figures")
    if name:
        if name not in entries:
            raise ScenarioError(
                f"{file} has no entry {name!r}{nearest(name, list(entries))}; it has "
                f"{', '.join(entries)}"
            )
        return entries[name]
    if key in entries:
        return entries[key]
    if len(entries) > 1:
        raise ScenarioError(
            f"{file} has no entry of {key!r}: say {file}#NAME; it has {', '.join(entries)}"
        )
    return next(iter(entries.values()))


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ScenarioError(f"{path}: is larger than 64 MiB: that is no baseline")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ScenarioError(f"cannot read the baseline {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ScenarioError(f"{path} is not valid JSON{where}") from None


def _entries(path: Path, data: Any) -> Iterator[tuple[str, StoredEntry]]:
    if isinstance(data, dict) and "metrics" in data:
        entry = _entry(path, data)
        yield entry.key, entry
        return
    found = data if isinstance(data, list) else [data]
    names: list[str | None] = [None] * len(found)
    if isinstance(data, dict) and not _is_flat(data):
        found, names = list(data.values()), list(data)
    for name, each in zip(names, found, strict=True):
        if isinstance(each, dict) and _is_flat(each):
            entry = _flat(path, each, name)
            yield entry.key, entry


def _is_flat(data: Mapping[str, Any]) -> bool:
    return any(_number(data.get(name)) is not None for name in _FLAT)


def _flat(path: Path, data: Mapping[str, Any], name: str | None) -> StoredEntry:
    runs = {}
    for field, (key, scale) in _FLAT.items():
        value = _number(data.get(field))
        if value is not None:
            runs[key] = (value * scale,)
    key = _text(data.get("test_name")) or name or path.stem
    return StoredEntry(
        path,
        key,
        _text(data.get("timestamp")),
        _text(data.get("git_commit")),
        None,
        Stored(path.name, runs, {}, single=True),
        {},
        data,
    )


def _entry(path: Path, data: Mapping[str, Any]) -> StoredEntry:
    """Read an entry of ours.

    Raises:
        ScenarioError: it is of a later schema, or makes no sense.
    """
    if data.get("schema") != 1:
        raise ScenarioError(
            f"{path}: is a baseline of schema {data.get('schema')!r}; this perftui reads 1"
        )
    metrics = data["metrics"]
    if not isinstance(metrics, dict):
        raise ScenarioError(f"{path}: its metrics are no object")
    runs: dict[str, tuple[float, ...]] = {}
    floors: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    for name, metric in metrics.items():
        if not isinstance(metric, dict):
            raise ScenarioError(f"{path}: metric {name} is no object")
        key = ours(str(name))
        runs[key] = _runs(path, name, metric)
        for field, kept in (("noise_floor_pct", floors), ("threshold_pct", thresholds)):
            value = _number(metric.get(field))
            if value is not None:
                kept[key] = value / 100
    protocol = _mapping(data.get("protocol"))
    return StoredEntry(
        path,
        _text(data.get("key")) or path.stem,
        _text(data.get("created")),
        _text(data.get("git_commit")),
        _surroundings(data, protocol),
        Stored(path.name, runs, floors, single=protocol.get("kind") == "single"),
        thresholds,
        data,
    )


def _runs(path: Path, name: str, metric: Mapping[str, Any]) -> tuple[float, ...]:
    said = metric.get("runs")
    if not said:
        middle = _number(metric.get("median"))
        return () if middle is None else (middle,)
    values = [_number(value) for value in said] if isinstance(said, list) else [None]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        raise ScenarioError(f"{path}: the runs of {name} are no list of numbers")
    return tuple(known)


def _surroundings(data: Mapping[str, Any], protocol: Mapping[str, Any]) -> MeasuredAt:
    env, calls = _mapping(data.get("env")), protocol.get("calls")
    packages = env.get("packages")
    params = _mapping(data.get("params"))
    return _NOTHING._replace(
        machine_id=_text(env.get("machine_id")),
        machine=_text(env.get("machine")) or _text(env.get("cpu_model")),
        python=_text(env.get("python")),
        packages=_texts(packages) if isinstance(packages, dict) else None,
        params=_texts(params),
        calls=calls if type(calls) is int else None,
        stacks=_mapping(data.get("sampler")).get("hz") is not None,
    )


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:4096] if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
