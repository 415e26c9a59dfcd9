"""Reads traces for `perftui detect`: CSV with t_s, rss_bytes, cpu_percent, rows, phase; events.

Traces come from anywhere: times may repeat, run backwards or leap, cells may be empty or
nonsense. What can be judged is judged, what was left out is told; a file that holds nothing to
judge is a `TraceError` with one line.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import json
import zlib
from array import array
from itertools import chain, pairwise
from math import isfinite
from typing import IO, TYPE_CHECKING

from perftui.probes.detect.evidence.observations import CallEnded, ImportEnded, TreeReading
from perftui.probes.spine.median import median
from perftui.probes.text.reason import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perftui.probes.detect.evidence.observations import Observation

COLUMNS = ("t_s", "rss_bytes", "cpu_percent", "rows", "phase")
NEEDED = ("t_s", "rss_bytes")
IMPORT_PREFIX = "import:"
SMALLEST_PROCESS = 500_000
"""Bytes; no interpreter is smaller."""
FEW_READINGS = 20
FAR_APART_S = 2.0
FEW_STEPS_BACK = 3
"""A clock that was set back does so a few times; more is a file in no order."""
_GZIP_MAGIC = b"\x1f\x8b"


class TraceError(Exception):
    """The file cannot be judged; the message is one line that says why."""


class TraceFile:
    """A trace on disk. The columns are checked and the times looked through at once.

    Args:
        path: CSV, plain or gzipped.
        events: JSON lines of calls and imports, or None.

    Raises:
        TraceError: it cannot be read or holds no reading.
    """

    def __init__(self, path: Path, events: Path | None = None) -> None:
        self._path = path
        self.notes: list[str] = []
        """What was left out or put right, for a person."""
        self._cut_off = False
        times, n_bad = self._scan()
        if not times:
            raise TraceError(f"{path}: no readings (a row needs a time t_s)")
        if n_bad:
            self.notes.append(f"{n_bad} rows without a usable time left out")
        if self._cut_off:
            self.notes.append("the file is cut off; judged up to there")
        steps = [right - left for left, right in pairwise(times)]
        n_repeated = sum(step == 0 for step in steps)
        if n_repeated:
            self.notes.append(f"{n_repeated} readings with the time of the one before left out")
        n_back = sum(step < 0 for step in steps)
        self._sort = n_back > FEW_STEPS_BACK
        onward = [step for step in steps if step > 0]
        self._step_s = median(onward) if onward else 0.0
        if len(times) > FEW_READINGS and self._step_s > FAR_APART_S:
            self.notes.append(
                f"readings are {self._step_s:g} s apart: at least one a second is needed to judge "
                "anything (t_s is in seconds)"
            )
        if self._sort:
            self.notes.append(f"times run backwards {n_back} times: readings sorted by time")
        elif n_back:
            self.notes.append(
                f"the clock was set back {n_back} times: later times go on from where it was"
            )
        last_s = (
            max(times)
            if self._sort or not n_back
            else times[0] + sum(step if step >= 0 else self._step_s for step in steps)
        )
        self.duration_s = last_s - (min(times) if self._sort else times[0])
        self._events = [] if events is None else _read_events(events, self.notes)

    def observations(self) -> Iterator[Observation]:
        """Yield readings and events in time order."""
        samples = self._samples()
        if self._sort:
            samples = iter(sorted(samples, key=lambda sample: sample.t_s))
        if not self._events:
            yield from samples
            return
        yield from heapq.merge(samples, self._events, key=lambda seen: seen.t_s)

    def _scan(self) -> tuple[array[float], int]:
        times: array[float] = array("d")
        n_bad = n_cpu = 0
        most_rss = most_cpu = 0.0
        for row in self._rows():
            t_s = _number(row.get("t_s"))
            if t_s is None:
                n_bad += 1
                continue
            times.append(t_s)
            most_rss = max(most_rss, _number(row.get("rss_bytes")) or 0.0)
            cpu = _number(row.get("cpu_percent"))
            if cpu is not None:
                n_cpu += 1
                most_cpu = max(most_cpu, cpu)
        if times and most_rss <= 0:
            self.notes.append("no usable rss_bytes: memory is not judged")
        elif times and most_rss < SMALLEST_PROCESS:
            self.notes.append(
                f"rss_bytes is never above {most_rss:g}: bytes are expected, not MB or kB; memory "
                "is as good as not judged"
            )
        if n_cpu > FEW_READINGS and 0 < most_cpu <= 1:
            self.notes.append(
                f"cpu_percent is never above {most_cpu:g}: per cent are expected, 100 = one core"
            )
        return times, n_bad

    def _samples(self) -> Iterator[TreeReading]:
        offset_s, last_s = 0.0, None
        for row in self._rows():
            t_s = _number(row.get("t_s"))
            if t_s is None:
                continue
            if not self._sort:
                if last_s is not None and t_s + offset_s < last_s:
                    offset_s = last_s + self._step_s - t_s
                t_s += offset_s
                last_s = t_s
            rss, cpu = _number(row.get("rss_bytes")), _number(row.get("cpu_percent"))
            yield TreeReading(
                t_s,
                rss if rss is not None and rss > 0 else None,
                cpu if cpu is not None and cpu >= 0 else None,
                _number(row.get("rows")),
                (row.get("phase") or "").strip() or None,
            )

    def _rows(self) -> Iterator[dict[str, str]]:
        try:
            with self._open() as file:
                lines = (line.replace("\0", "") for line in file)
                first = next(lines, "")
                delimiter = next((mark for mark in ";\t" if mark in first), ",")
                reader = csv.reader(chain([first], lines), delimiter=delimiter)
                header = [name.strip().lower() for name in next(reader, [])]
                missing = [name for name in NEEDED if name not in header]
                if missing:
                    raise TraceError(
                        f"{self._path}: no column {' and '.join(missing)}; a trace is a CSV with "
                        f"the columns {', '.join(COLUMNS)}"
                    )
                for cells in reader:
                    if cells:
                        yield dict(zip(header, cells, strict=False))
        except (EOFError, zlib.error):
            self._cut_off = True
        except (OSError, csv.Error) as error:
            raise TraceError(f"{self._path}: cannot be read: {reason_of(error)}") from error

    def _open(self) -> IO[str]:
        with self._path.open("rb") as file:
            zipped = file.read(2) == _GZIP_MAGIC
        opened = gzip.open if zipped else open
        return opened(self._path, "rt", encoding="utf-8-sig", errors="replace", newline="")


def _read_events(path: Path, notes: list[str]) -> list[CallEnded | ImportEnded]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from error
    events: list[CallEnded | ImportEnded] = []
    n_bad = 0
    for line in text.splitlines():
        if line.strip():
            event = _event(line)
            if event is None:
                n_bad += 1
            else:
                events.append(event)
    if n_bad and not events:
        raise TraceError(
            f'{path}: no event; a line is {{"t_s": end, "name": "query", "dur_s": seconds}}'
        )
    if n_bad:
        notes.append(f"{n_bad} lines of {path.name} are no events and were left out")
    return sorted(events, key=lambda event: event.t_s)


def _event(line: str) -> CallEnded | ImportEnded | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        return None
    t_s, dur_s = _number(row.get("t_s")), _number(row.get("dur_s"))
    if t_s is None or dur_s is None or dur_s < 0:
        return None
    name: str = row["name"]
    if name.startswith(IMPORT_PREFIX):
        return ImportEnded(t_s, name.removeprefix(IMPORT_PREFIX), dur_s)
    return CallEnded(t_s, name, dur_s)


def _number(text: object) -> float | None:
    """Return a finite number, None for anything else."""
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return None
    try:
        value = float(text)
    except (ValueError, OverflowError):
        return None
    return value if isfinite(value) and abs(value) < 1e18 else None
