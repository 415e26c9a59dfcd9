"""Recordings made under older rules about secrets: their texts are redacted when they are read.

What a recording holds was redacted before it was written, by the rules of its day; meta.json
names them (`redaction`). A newer perftui that knows more secrets lets none of them out again:
not on the screen, not by a query, not in an export or a pack.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow
from perftui.probes.spine.without_secrets import cached_text, clean_lines
from perftui.probes.text.redact import RULES, redact_argv, redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES_FIELD = "redaction"
"""In meta.json: the rules it was written by."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "processes": ("argv",),
    "log": ("text",),
    "plans": ("name", "text", "filter"),
    "keepers": ("what",),
    "notices": ("text",),
    "alerts": ("message", "evidence"),
    "marks": ("name",),
    "phase_edges": ("name",),
}


def is_current(meta: Mapping[str, Any]) -> bool:
    """Tell whether a recording was written by the rules of today."""
    rules = meta.get(RULES_FIELD)
    return type(rules) is int and rules >= RULES


def has_texts(table: str) -> bool:
    """Tell whether a table has columns that may hold secrets."""
    return table in _COLUMNS


def redacted(name: str, rows: Any) -> Any:
    """Return a `pyarrow.Table` of a recording without secrets; the same one if there are none."""
    for column in _COLUMNS.get(name, ()):
        if column not in rows.column_names:
            continue
        before = rows[column].to_pylist()
        if name == "log":
            streams = rows["stream"].to_pylist()
            after: list[str | None] = [*clean_lines(zip(streams, before, strict=True))]
        elif column == "argv":
            after = [_argv(text) for text in before]
        else:
            after = [None if text is None else cached_text(text) for text in before]
        if after != before:
            at = rows.column_names.index(column)
            values = arrow().array(after, type=rows.schema.field(at).type)
            rows = rows.set_column(at, rows.schema.field(at), values)
    return rows


def _argv(text: str) -> str:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return redact_text(text)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return redact_text(text)
    found = redact_argv(words)
    return text if list(found) == words else json.dumps(found)
