"""Why a statement has no rows: what it asks for was never recorded."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.recording.format.limits import RecordingError

if TYPE_CHECKING:
    from perftui.probes.recording.sql.query import Query

_WORD = re.compile(r"[a-z_]\w*", re.IGNORECASE)
_BEHIND = {"stack_at": "stacks", "top_total": "stacks", "top_self": "stacks"}
"""What functions with seconds as arguments, and views of their kind, are made from."""


def unrecorded(query: Query, sql: str) -> list[str]:
    """Return the tables and views named in a statement that have no row in the recording at all."""
    words = {word.lower() for word in _WORD.findall(sql)}
    known = (table.name.partition("(")[0] for table in query.describe())
    names = [name for name in known if name in words]
    found = []
    for name in dict.fromkeys(_BEHIND.get(name, name) for name in names):
        with suppress(RecordingError), query.run(f"SELECT 1 FROM {name} LIMIT 1", 5.0) as result:
            if not list(result.rows(1)):
                found.append(name)
    return found
