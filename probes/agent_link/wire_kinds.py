"""The kinds of lines that come from the agent: one table that its reader is driven by.

The agent cannot import this (it runs on other interpreters, with the standard library alone): it
writes its lines by hand, and a test holds every one of them against the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from perftui.probes.spine import records

if TYPE_CHECKING:
    from collections.abc import Callable

FieldType = Literal["int", "int?", "signed", "signed?", "number", "text", "text?", "bool", "other"]


class WireField(NamedTuple):
    """One field of a line, besides `k` (the kind), `t` (ns) and `pid`, which all have."""

    name: str
    type: FieldType
    """`?`: may be null. other: read by a function of its own."""


class WireKind(NamedTuple):
    """One kind of line.

    With a `record`, the line is that record: its fields are the record's after (t_ns, pid), in
    that order. Without one it is read by a function of its own.
    """

    name: str
    record: Callable[..., object] | None
    fields: tuple[WireField, ...]


def _kind(name: str, record: Callable[..., object] | None, fields: str) -> WireKind:
    """Read one row of the table: `fields` are NAME:TYPE, in the order of the record's."""
    pairs = (field.split(":") for field in fields.split())
    return WireKind(
        name, record, tuple(WireField(field, cast("FieldType", kind)) for field, kind in pairs)
    )


_TABLE = (
    _kind(
        "import",
        records.ImportBegin,
        "tid:int id:int module:text parent:int? rss:int? function:text? file:text? line:int? "
        "lazy:bool",
    ),
    _kind("import_end", records.ImportEnd, "id:int self_ns:int total_ns:int rss:int? ok:bool"),
    _kind(
        "phase",
        records.PhaseBegin,
        "tid:int id:int name:text parent:int? cpu_s:number rss:int?",
    ),
    _kind("phase_end", records.PhaseEnd, "id:int cpu_s:number rss:int?"),
    _kind("call", records.Call, "tid:int name:text n:int dur_ns:int ok:bool"),
    _kind("count", records.Count, "name:text total:number"),
    _kind("mark", records.Mark, "name:text"),
    _kind("pool", records.Pool, "name:text bytes:int backend:text?"),
    _kind("thread_name", records.ThreadName, "tid:int name:text"),
    _kind("stack", None, "tid:int dur_ns:int files:other frames:other"),
    _kind(
        "plan",
        None,
        "id:int parts:int name:text filter:other columns_read:int? "
        "columns_needed:int? rows_read:int? rows_needed:int?",
    ),
    _kind("plan_text", None, "id:int part:int text:text"),
    _kind("tasks", None, "id:int total:int told:int"),
    _kind("task", None, "id:int name:text awaits:other files:other frames:other"),
    _kind(
        "loop_block",
        records.LoopBlock,
        "tid:int n:int took_ns:int over:bool callback:text where:text stack:text",
    ),
    _kind(
        "gc",
        records.Collected,
        "t0:int generation:int n:int timed:int pause:int longest:int collected:int",
    ),
    _kind(
        "growth_look",
        records.GrowthLook,
        "t0:int by:text rose:signed? looked:int cpu_ns:int longest_ns:int note:text told:int",
    ),
    _kind(
        "keeper",
        records.Keeper,
        "t0:int what:text type:text of:text entries:int total:int bytes:int sampled:bool "
        "fills:text",
    ),
    _kind(
        "rise",
        records.Rise,
        "t0:int function:text file:text line:int calls:int rss:signed touched:int",
    ),
    _kind("traced", None, "t0:int bytes:int blocks:int stack:text"),
    _kind("error", None, "text:text"),
    _kind("notice", None, "text:text"),
    _kind("released", None, "text:text"),
    _kind(
        "hello",
        None,
        "ppid:int python:text implementation:text executable:text prefix:text "
        "argv:other free_threaded:other",
    ),
    _kind("installed", None, "place:text names:other"),
    _kind("bye", None, "dropped:int held:int"),
)
WIRE_KINDS: dict[str, WireKind] = {kind.name: kind for kind in _TABLE}
"""By name. `dropped` may stand in any line; it is counted wherever it does."""
