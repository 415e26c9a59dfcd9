"""What the figures of a lab run need one by one, out of the session's log: calls and imports."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.spine.records import Call, ImportBegin, LogLine

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch

_MOST = 100_000
"""Of each kind: a program may call as often as it likes, figures rest on the first of them."""
_LAST_LINES = 40


class Notes:
    """A sink of the log."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: list[Call] = []
        self._imports: list[ImportBegin] = []
        self._lines: list[str] = []

    def ingest(self, batch: Batch) -> None:
        """See `Sink`."""
        with self._lock:
            for record in batch.raw:
                if isinstance(record, Call):
                    if len(self._calls) < _MOST:
                        self._calls.append(record)
                elif isinstance(record, ImportBegin):
                    if len(self._imports) < _MOST:
                        self._imports.append(record)
                elif isinstance(record, LogLine):
                    self._lines.append(record.text)
                    del self._lines[:-_LAST_LINES]

    def calls(self, pid: int, name: str | None = None) -> list[Call]:
        """Return the calls of one name in one process; None takes the first that was called."""
        with self._lock:
            own = [call for call in self._calls if call.pid == pid]
        name = own[0].name if name is None and own else name
        return [call for call in own if call.name == name]

    def imports(self, pid: int, t0_ns: int, t1_ns: int) -> list[str]:
        """Return the modules that a process began to import in a range."""
        with self._lock:
            return [
                begun.module
                for begun in self._imports
                if begun.pid == pid and t0_ns <= begun.t_ns < t1_ns
            ]

    def last_words(self) -> str:
        """Return the last line that the program wrote, one of ours before all others."""
        with self._lock:
            lines = [line.strip() for line in self._lines if line.strip()]
        own = [line for line in lines if line.startswith("perftui: ")]
        return ((own or lines or ["it said nothing"])[-1]).removeprefix("perftui: ")[:200]
