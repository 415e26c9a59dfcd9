"""What the target wrote, the newest of it, in memory."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from perftui.probes.spine.without_secrets import Lines

if TYPE_CHECKING:
    from perftui.probes.spine.records import LogLine

LOG_LINES_KEPT = 20_000
LOG_CHARACTERS_KEPT = 4_000_000
"""Lines may be long: these are 4 to 16 MB."""


class LogLines:
    """Takes lines one at a time, as they were written but for keys over many lines.

    The other secrets in them are redacted where they are shown.
    """

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque()
        self._characters = 0
        self._output: defaultdict[str, Lines] = defaultdict(Lines)

    def take(self, record: LogLine) -> None:
        """Take a line."""
        text = self._output[record.stream].follow(record.text)
        if text is not record.text:
            record = record._replace(text=text)
        self._lines.append(record)
        self._characters += len(record.text)
        while len(self._lines) > LOG_LINES_KEPT or self._characters > LOG_CHARACTERS_KEPT:
            self._characters -= len(self._lines.popleft().text)

    def newest(self, t0_ns: int, t1_ns: int, limit: int) -> tuple[LogLine, ...]:
        """Return the newest lines of the range, oldest first."""
        found: list[LogLine] = []
        for line in reversed(self._lines):
            if line.t_ns < t0_ns or len(found) >= limit:
                break
            if line.t_ns < t1_ns:
                found.append(line)
        return tuple(reversed(found))
