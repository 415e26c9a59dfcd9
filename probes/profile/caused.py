"""Who caused an import and when: the code, the thread, the phase and the call that it was in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.profile.place import file_name, in_words
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.spine.reader import CallStats, Import, Phase, Reader
    from perftui.probes.spine.records import Call

TELLING = 0.1
"""Of a first call: imports that took less are not named."""


def is_late(row: Import) -> bool:
    """Whether an import was put off, or is in a function: not where the program begins."""
    return bool(row.lazy) or (row.function is not None and not row.function.startswith("<"))


def cause_words(row: Import) -> str:
    """Say who caused a late import: "lazy, by convert etl.py:21"; "" for the others."""
    if not is_late(row):
        return ""
    lazy = "lazy" if row.lazy else ""
    if row.function is None or row.file is None:
        return lazy
    by = f"by {in_words(row.function, row.file, row.line or 0)}"
    return f"{lazy}, {by}" if lazy else by


def phases_of(rows: Iterable[Import], phases: Iterable[Phase]) -> dict[tuple[int, int], str]:
    """Return the innermost phase that each import began in, by (pid, id).

    That is one of its own thread; where the thread has none, one of its process.
    """
    found: dict[tuple[int, int], str] = {}
    coming = sorted(phases, key=lambda phase: phase.t0_ns, reverse=True)
    open_: dict[int, list[Phase]] = {}
    for row in sorted(rows, key=lambda row: row.t0_ns):
        while coming and coming[-1].t0_ns <= row.t0_ns:
            phase = coming.pop()
            open_.setdefault(phase.pid, []).append(phase)
        lasting = [
            phase
            for phase in open_.get(row.pid, ())
            if phase.t1_ns is None or row.t0_ns < phase.t1_ns
        ]
        open_[row.pid] = lasting
        if lasting:
            own = [phase for phase in lasting if phase.tid == row.tid]
            innermost = max(own or lasting, key=lambda phase: (phase.depth, phase.t0_ns))
            found[row.pid, row.id] = innermost.name
    return found


def within(call: Call, imports: Iterable[Import]) -> tuple[Import, ...]:
    """Return the imports that a call had to wait for: of its thread, none inside of another.

    The time of a call is taken a moment after its end, so that its begin seems as much later: of
    one thread, an import that ends after that has begun in the call.
    """
    begin_ns = call.t_ns - call.duration_ns
    inside = [
        row
        for row in imports
        if row.pid == call.pid
        and row.tid == call.tid
        and begin_ns < row.t0_ns + row.total_ns <= call.t_ns
    ]
    known = {row.id for row in inside}
    return tuple(row for row in inside if row.parent_id not in known)


def first_call_words(first_s: float, rows: Sequence[dict[str, Any]]) -> str:
    """Say what of a first call was importing: "of it 13.1 ms lazily imported decimal, a.py:19".

    Args:
        first_s: What the call took.
        rows: As `first_imports_json` makes them.
    """
    took_s = sum(row["s"] for row in rows)
    if not rows or took_s < TELLING * first_s:
        return ""
    most = max(rows, key=lambda row: row["s"])
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    how = "lazily imported" if most["lazy"] else "imported"
    where = f", {file_name(most['file'])}:{most['line']}" if most["file"] else ""
    return f"of it {format_seconds(took_s)} {how} {most['module']}{more}{where}"


def first_imports_json(call: CallStats) -> list[dict[str, Any]]:
    """Return the imports of a first call as a summary tells them."""
    return [
        {
            "module": row.module,
            "s": row.total_ns / NS_PER_S,
            "lazy": row.lazy,
            "function": row.function,
            "file": row.file,
            "line": row.line,
        }
        for row in call.first_imports
    ]


def causes_json(rows: Sequence[Import], reader: Reader, t0_ns: int) -> list[dict[str, Any]]:
    """Return what a summary tells of each import besides its figures."""
    late = [row for row in rows if is_late(row)]
    phases = phases_of(late, reader.phases(t0_ns, 1 << 62)) if late else {}
    return [
        {
            "ok": row.ok,
            "start_s": (row.t0_ns - t0_ns) / NS_PER_S,
            "lazy": row.lazy,
            "function": row.function,
            "file": row.file,
            "line": row.line,
            "cause": cause_words(row) or None,
            "thread": reader.thread_name((row.pid, row.tid)) if row.tid else None,
            "phase": phases.get((row.pid, row.id)),
        }
        for row in rows
    ]
