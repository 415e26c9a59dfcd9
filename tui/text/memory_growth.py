"""Who made memory grow, in the text of a summary: three questions, each with its own title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.profile.memory.growth import ALONE, BY_NATIVE, IMPORTS
from perftui.probes.profile.memory.settled import MEASURED
from perftui.probes.profile.place import listed, name_in_words
from perftui.probes.text.units import format_bytes, format_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    Rows = list[tuple[str, ...]]

LIBRARIES = "of the libraries"
"""A note about them alone is for those who look into the JSON."""
_GROWTH = 4
_ROWS = 8
_LEAST_RISE_BYTES = 1e5


def growth_title(memory: Mapping[str, Any]) -> str:
    """Say with the figures what they rest on: it may differ between processes."""
    kinds = dict.fromkeys(row["by"] for row in memory["growth"] if row["by"] != BY_NATIVE)
    told = f": {', '.join(kinds)}" if kinds else ""
    return f"where memory rose, by samples{told}"


def growth_rows(memory: Mapping[str, Any]) -> Rows:
    """Where RSS rose, by the samples of the thread that touched memory."""
    rows = [row for row in memory["growth"] if row["grown_bytes"] >= 1e6][:_GROWTH]
    return [
        (
            f"+{format_bytes(row['grown_bytes'])}",
            name_in_words(row["function"], row["file"]),
            _place(row) if row["file"] else "",
            f"thread {row['thread']}" if row.get("thread") else "",
            _how(row),
        )
        for row in rows
    ]


def _how(row: Mapping[str, Any]) -> str:
    among = listed(row.get("within", ()))
    if row["by"] == BY_NATIVE:
        known = f"cannot tell: {row['why']}" if row["why"] else ""
        return "; ".join(filter(None, (f"while these wait: {among}" if among else "", known)))
    if row.get("confidence") in (ALONE, IMPORTS, MEASURED):
        return str(row["confidence"])
    if row.get("why"):
        return f"cannot tell: {row['why']}; {among}"
    if among:
        return f"cannot tell: within a sample of {among}"
    return ""


def rise_rows(memory: Mapping[str, Any]) -> Rows:
    """In which function it rose, by entry and exit; where that was not measured, why."""
    rows: Rows = []
    for row in memory.get("rises", ()):
        risen = row["rss_bytes"]
        if abs(risen) < _LEAST_RISE_BYTES:
            continue
        rows.append(
            (
                f"{'-' if risen < 0 else '+'}{format_bytes(abs(risen))}",
                name_in_words(row["function"], row["file"]) or "elsewhere",
                _place(row) if row["file"] else "",
                f"{format_count(row['calls'])} calls" if row["calls"] else "",
                f"touched {format_bytes(row['touched_bytes'])}",
            )
        )
    return rows[:_ROWS] + _notes(memory, "entry and exit") + _unasked(memory)


def keeper_rows(memory: Mapping[str, Any]) -> Rows:
    """Who keeps it, by census."""
    rows: Rows = []
    for row in memory.get("keepers", ()):
        rows.append(
            (
                f"+{format_bytes(row['bytes'])}",
                row["what"],
                f"{row['type']} of {row['of']}" if row["of"] else row["type"],
                f"+{format_count(row['entries'])}" if row["entries"] else "",
                f"◀ {row['code']}" if row["code"] else "",
            )
        )
    return rows[:_ROWS] + _notes(memory, "census") + _unasked(memory)


def allocation_rows(memory: Mapping[str, Any], by: str) -> Rows:
    """Who allocated what is kept, by memray or tracemalloc."""
    rows = [
        row
        for row in memory.get("allocations", ())
        if row["by"] == by and row["kept_bytes"] >= _LEAST_RISE_BYTES
    ]
    return [
        (
            f"+{format_bytes(row['kept_bytes'])}",
            name_in_words(row["function"], row["file"]),
            _place(row) if row["file"] else "",
            f"{format_count(row['kept_allocations'])} allocations",
            f"thread {row['thread']}" if row["thread"] else "",
            "" if row["own"] is None or _is_itself(row) else f"◀ {row['own']}",
        )
        for row in rows[:_ROWS]
    ] + _notes(memory, by)


def _is_itself(row: Mapping[str, Any]) -> bool:
    return (row["own_function"], row["own_file"]) == (row["function"], row["file"])


def _notes(memory: Mapping[str, Any], by: str) -> Rows:
    notes = {look["note"] for look in memory.get("looks", ()) if look["by"] == by}
    return [("", note, "", "", "") for note in sorted(notes) if note and LIBRARIES not in note]


def _unasked(memory: Mapping[str, Any]) -> Rows:
    """Say why there is no answer, where memory has grown."""
    why = memory.get("unasked", "")
    return [("", why, "", "", "")] if why and growth_rows(memory) else []


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['file'].rpartition('/')[2]}:{row['line']}"
