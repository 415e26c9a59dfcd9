"""Records without secrets: what a probe saw or a program said, before anybody gets it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from perftui.probes.spine import records
from perftui.probes.text.redact.command_line import redact_argv, redact_text
from perftui.probes.text.redact.shapes import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE|SECRET) KEY")
_END = "-----END "
_KEY_LINES = 400
"""A private key has fewer; after them a text that began like one is no longer taken for it."""

cached_text: Callable[[str], str] = lru_cache(maxsize=4096)(redact_text)
"""Names come again and again."""


class Lines:
    """Redacts the lines of one text in their order: a key may go over many of them."""

    def __init__(self) -> None:
        self._left = 0

    def follow(self, line: str) -> str:
        """Return the next line as it is, masked if a key goes over it; costs next to nothing.

        Also of a line that nobody keeps: the next one may be the rest of its key.
        """
        if self._left:
            self._left = 0 if _END in line else self._left - 1
            return MASK if _END not in line else line
        if "-----BEGIN" in line and _BEGIN.search(line) is not None and _END not in line:
            self._left = _KEY_LINES
        return line

    def clean(self, line: str) -> str:
        """Return the next line without secrets."""
        return cached_text(self.follow(line))


def without_secrets(batch: Sequence[records.Record]) -> Sequence[records.Record]:
    """Return a batch without secrets: itself if none of its kinds has a text.

    Not the lines of output: there may be more of them than anybody wants to see. Keys that go
    over many of them are masked where they are kept (`Lines`), because what is asked for later
    may begin within one; the rest is redacted where it is written and where it is shown
    (`clean_log`).
    """
    if _CLEANERS.keys().isdisjoint(map(type, batch)):
        return batch
    return [
        record if (cleaner := _CLEANERS.get(type(record))) is None else cleaner(record)
        for record in batch
    ]


def clean_log(lines: Sequence[records.LogLine]) -> tuple[records.LogLine, ...]:
    """Return lines of output without secrets."""
    texts = clean_lines((line.stream, line.text) for line in lines)
    return tuple(
        line if line.text == text else line._replace(text=text)
        for line, text in zip(lines, texts, strict=True)
    )


def clean_lines(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Return the texts of (stream, text) in their order without secrets."""
    streams: dict[str, Lines] = {}
    return [streams.setdefault(stream, Lines()).clean(text) for stream, text in lines]


def _process(record: records.ProcessStart) -> records.Record:
    return record._replace(argv=redact_argv(record.argv))


def _named(
    record: records.PhaseBegin | records.Call | records.Mark | records.Count,
) -> records.Record:
    name = cached_text(record.name)
    return record if name == record.name else record._replace(name=name)


def _notice(record: records.Notice) -> records.Record:
    return record._replace(text=cached_text(record.text))


def _alert(record: records.Alert) -> records.Record:
    return record._replace(
        message=cached_text(record.message), evidence=cached_text(record.evidence)
    )


def _plan(record: records.Plan) -> records.Record:
    filter_ = None if record.filter is None else cached_text(record.filter)
    return record._replace(
        name=cached_text(record.name), text=redact_text(record.text), filter=filter_
    )


def _task(record: records.TaskSeen) -> records.Record:
    awaits = None if record.awaits is None else cached_text(record.awaits)
    return record._replace(name=cached_text(record.name), awaits=awaits)


def _keeper(record: records.Keeper) -> records.Record:
    return record._replace(what=cached_text(record.what))  # it may have keys of dicts


_CLEANERS: dict[type, Callable[..., records.Record]] = {
    records.ProcessStart: _process,
    records.PhaseBegin: _named,
    records.Call: _named,
    records.Mark: _named,
    records.Count: _named,
    records.Notice: _notice,
    records.Alert: _alert,
    records.Plan: _plan,
    records.TaskSeen: _task,
    records.Keeper: _keeper,
}
