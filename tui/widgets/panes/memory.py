"""The Memory tab: which allocators hold it, who keeps more, where it rose.

Three questions stand one below the other and are never mixed: who keeps (census), in which
function it rose (entry and exit), where it rose (samples).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.memory.allocated import allocated_sums
from perftui.probes.profile.memory.blame import keepers_of, notes_of, rises_of, why_unasked
from perftui.probes.profile.memory.growth import CANNOT_TELL, grown_by_function, unsure_functions
from perftui.probes.profile.place import called
from perftui.probes.profile.sums import function_sums, node_totals
from perftui.probes.resident import parts
from perftui.probes.spine.derived import LIBRARIES
from perftui.probes.text.units import NS_PER_S, format_bytes, format_count
from perftui.tui.text.fit import clean
from perftui.tui.widgets.flame.detail import percent
from perftui.tui.widgets.flame.words import mains_seen, place_of
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from perftui.probes.profile.memory.allocated import AllocatedSum
    from perftui.probes.profile.memory.blame import Keeping, Rose
    from perftui.probes.profile.sums import FunctionSum
    from perftui.probes.spine.reader import Buckets
    from perftui.tui.picture.view import View

_KINDS = (
    Column("memory", 29),
    Column("now", 10, right=True, tone="strong"),
    Column("of RSS", 8, right=True, rank=1, tone="dim"),
    Column("peak", 10, right=True, tone="warm"),
    Column("what it is", words=True, tone="dim"),
)
_WHERE = "where it rose, by samples"
_GROWTH = (
    Column("grew", 10, right=True, tone="strong"),
    Column("share", 8, right=True),
    Column("with callees", 12, right=True, rank=1),
    Column("per second", 12, right=True, rank=3, tone="dim"),
    Column(_WHERE),
    Column("", 12, rank=2, tone="dim"),
    Column("place", 34, rank=4, tone="dim"),
)
_KEEPERS = (
    Column("came", 10, right=True, tone="strong"),
    Column("entries", 9, right=True),
    Column("who keeps it, by census"),
    Column("what", 24, rank=1, tone="dim"),
    Column("filled by", 34, rank=2, tone="dim"),
)
_UNASKED = (Column("in which function, by entry and exit", words=True, tone="dim"),)
_RISES = (
    Column("rose", 10, right=True, tone="strong"),
    Column("touched", 10, right=True, rank=1),
    Column("calls", 9, right=True, rank=3, tone="dim"),
    Column("in which function, by entry and exit"),
    Column("place", 34, rank=4, tone="dim"),
)
_ALLOCATIONS = (
    Column("kept", 10, right=True, tone="strong"),
    Column("allocated", 10, right=True, rank=1),
    Column("kept of", 13, right=True, rank=3, tone="dim"),
    Column("who allocated, by memray or tracemalloc"),
    Column("by", 11, rank=5, tone="dim"),
    Column("thread", 12, rank=2, tone="dim"),
    Column("called by", 34, rank=1, tone="dim"),
    Column("place", 24, rank=4, tone="dim"),
)
_MEANINGS = {
    "rss_bytes": ("RSS", "resident: what the processes have in RAM"),
    "anon_rss_bytes": ("anonymous", "without a file behind it: heaps, stacks"),
    "pss_bytes": ("PSS", "shared pages counted by share"),
    "uss_bytes": ("USS", "what would be free if the process ended"),
    "swap_bytes": ("swap", "moved out to disk"),
}
_PARTS = {
    parts.PYTHON: "small objects: pools of pymalloc in use",
    parts.PYTHON_FREE: "pools without an object, in arenas that others still need",
    parts.ARROW: "what Arrow's pools gave out, and is resident",
    parts.ARROW_KEPT: "resident and given out to nobody: release asks for it",
    "DuckDB": "by its own account, duckdb_memory()",
    parts.MALLOC: "in use: numpy, strings, lists and what C and C++ take",
    parts.MALLOC_KEPT: "free pieces that are resident: release gives back whole pages",
    parts.MALLOC_UNTOLD: "its arenas; how much of them is in use is not told",
    parts.DATA: "mapped files that are no programs",
    LIBRARIES: "programs, libraries and their variables",
    parts.SHARED: "shared memory: /dev/shm, memfd",
    parts.STACKS: "of all threads",
    parts.REST: "without a file; nobody says whose it is",
    parts.FILES: "mapped files",
    parts.PRIVATE: "heaps and stacks: its mappings may not be read",
}
_TELLING = 0.0005
"""Of the highest RSS: a part that never was as much is left out."""
_MOST = 200
"""Functions listed: beyond this there is only noise."""


class MemoryPane(Table):
    """RSS, its parts and the pools; below, functions by the memory that grew while they ran."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._of: View | None = None
        self._sums: list[FunctionSum] = []
        self._mains: frozenset[str] = frozenset()
        self._unsure: set[tuple[str, str]] = set()
        self._keepers: list[Keeping] = []
        self._rises: list[Rose] = []
        self._allocated: list[AllocatedSum] = []

    def show(self, view: View) -> None:
        """Show another picture."""
        if not view.same_stacks(self._of):
            self._sums = _grown(view)
            self._mains = mains_seen(view, node_totals(view.tree, view.stacks)[1])
            self._unsure = unsure_functions(view.tree, view.stacks) | {
                (each.row.function, each.row.file)
                for each in grown_by_function(view.tree, view.stacks)
                if each.confidence == CANNOT_TELL
            }
        if self._of is None or view.blame != self._of.blame:
            self._keepers = keepers_of(view.blame, view.tree, lambda t0, t1: view.stacks)
            self._rises = rises_of(view.blame)
        if self._of is None or (view.blame.allocated, view.range) != (
            self._of.blame.allocated,
            self._of.range,
        ):
            self._allocated = allocated_sums(view.blame.allocated, view.range[1])[:_MOST]
        self._of = view
        wanted = view.selection.filter.lower()
        sums = [row for row in self._sums if wanted in f"{row.function} {row.file}".lower()]
        kinds = [kind for kind in _kinds(view) if wanted in kind[1].lower()]
        keepers = [row for row in self._keepers if wanted in f"{row.what} {row.code}".lower()]
        rises = [row for row in self._rises if wanted in str(row.code or "elsewhere").lower()]
        allocated = [row for row in self._allocated if wanted in _allocated_text(row)]
        unasked = [] if wanted else _unasked(view, grown=bool(sums))
        whole = sum(max(stack.grown_bytes, 0) for stack in view.stacks)
        seconds = max((view.range[1] - view.range[0]) / NS_PER_S, 1e-9)
        rss = view.latest.get("rss_bytes")
        self.fill(
            [
                Section(
                    _KINDS,
                    [("kind", kind[0]) for kind in kinds],
                    lambda n: _kind_row(kinds[n], rss),
                ),
                Section(
                    _KEEPERS,
                    [("kind", f"held {row.pid} {row.what}") for row in keepers],
                    lambda n: _keeper_row(keepers[n]),
                ),
                Section(_UNASKED, [("kind", why) for why in unasked], lambda n: Row((unasked[n],))),
                Section(
                    _RISES,
                    [("kind", f"rose {row.code}") for row in rises],
                    lambda n: _rise_row(rises[n], self._mains),
                ),
                Section(
                    _ALLOCATIONS,
                    [("kind", f"allocated {n}") for n in range(len(allocated))],
                    lambda n: _allocated_row(allocated[n], self._mains),
                ),
                Section(
                    _growth_columns(view),
                    [(row.function, row.file) for row in sums],
                    lambda n: _growth_row(sums[n], whole, seconds, self._unsure, self._mains),
                    0,
                ),
            ],
            empty=_why_empty(view),
        )

    def activate(self, key: Hashable) -> None:
        """Show in the flame where a function is called."""
        from perftui.tui.widgets.panes.top import TopPane

        if isinstance(key, tuple) and key[0] != "kind":
            self.post_message(TopPane.Chosen(key[0], key[1]))


_Kind = tuple[str, str, float | None, float | None, str]
"""Metric, name, value, peak on the time axis, meaning; None is unknown."""


def _kinds(view: View) -> list[_Kind]:
    kinds: list[_Kind] = []
    for metric, (name, meaning) in _MEANINGS.items():
        value = view.latest.get(metric)
        unknown = value is None and metric in view.known_names
        if value or (unknown and metric != "swap_bytes"):
            peak = _peak(view.rss) if metric == "rss_bytes" else None
            kinds.append((metric, name, value, peak, meaning))
            if metric == "rss_bytes":
                kinds += _parts(view)
    pools = dict(view.pools)
    for metric, value in view.latest.items():
        name = metric.removeprefix("pool:")
        if name != metric:
            peak = _peak(pools[name]) if name in pools else None
            kinds.append((metric, clean(name), value, peak, "given out, says this allocator"))
    return kinds


def _parts(view: View) -> list[_Kind]:
    """Return what RSS is made of, the largest first; what has none of it now, with its peak.

    Since RSS has fallen it may not have been read again: then only the peaks are known.
    """
    rows: list[_Kind] = []
    highest = _peak(view.rss) or 0.0
    for name, sizes in view.parts:
        value, peak = view.latest.get(f"part:{name}"), _peak(sizes)
        if peak and peak >= _TELLING * highest:
            meaning = _PARTS.get(name, _PARTS["DuckDB"] if name.startswith("DuckDB") else "")
            rows.append((f"part:{name}", f"  {clean(name)}", value, peak, meaning))
    return sorted(rows, key=lambda row: (-(row[2] or 0.0), -(row[3] or 0.0)))


def _peak(buckets: Buckets) -> float | None:
    return max((value for value in buckets.high if value is not None), default=None)


def _kind_row(kind: _Kind, rss: float | None) -> Row:
    metric, name, value, peak, meaning = kind
    share = value / rss if rss and value is not None and metric != "swap_bytes" else None
    if share is not None and share > 1:
        share = None  # a pool has given out what is not resident
    return Row(
        (
            name,
            "–" if value is None else format_bytes(value),
            "" if share is None or metric == "rss_bytes" else percent(share),
            "" if peak is None else format_bytes(peak),
            meaning,
        )
    )


def _grown(view: View) -> list[FunctionSum]:
    """Return the functions that memory grew in, the most first."""
    # Of all threads: one that takes memory may need next to no CPU for it.
    rows = function_sums(view.tree, view.stacks, by_line=False)
    grown = [row for row in rows if row.total.grown_bytes > 0]
    grown.sort(key=lambda row: (-row.self_.grown_bytes, -row.total.grown_bytes))
    return grown[:_MOST]


def _growth_columns(view: View) -> tuple[Column, ...]:
    """Return the columns of growth, whose heading says what the figures rest on."""
    backend = view.status.stack_backend
    if backend is None:
        return _GROWTH
    cells = (cell for stack in view.stacks for cell in stack.self_by_node.values())
    told = backend.startswith("own") or any(cell.touched_bytes for cell in cells)
    by = "page faults" if told else "share of CPU: an estimate"
    return tuple(
        column._replace(title=f"where it rose, by {by}") if column.title == _WHERE else column
        for column in _GROWTH
    )


def _keeper_row(row: Keeping) -> Row:
    what = f"{row.type} of {row.of}" if row.of else row.type
    cells = (
        format_bytes(row.bytes),
        f"+{format_count(row.entries)}" if row.entries else "",
        clean(row.what),
        clean(what),
        "" if row.code is None else clean(str(row.code)),
    )
    return Row(cells)


def _unasked(view: View, *, grown: bool) -> list[str]:
    """Return why it is not known in which function memory rose, where it has."""
    if view.blame.rises or not grown:
        return []
    why = why_unasked(view.target)
    return [why] if why else notes_of(view.blame, "entry and exit")


def _rise_row(row: Rose, mains: Collection[str] = ()) -> Row:
    sign = "-" if row.rss_bytes < 0 else ""
    code = row.code
    cells = (
        f"{sign}{format_bytes(abs(row.rss_bytes))}",
        format_bytes(row.touched_bytes),
        format_count(row.calls) if row.calls else "",
        "elsewhere" if code is None else called(code.function, code.file, mains),
        "" if code is None else f"{code.file.rpartition('/')[2]}:{code.line}",
    )
    return Row(cells)


def _allocated_text(row: AllocatedSum) -> str:
    return f"{row.code.function} {row.code.file} {row.thread} {row.own}".lower()


def _allocated_row(row: AllocatedSum, mains: Collection[str] = ()) -> Row:
    code = row.code
    same = row.own is not None and (row.own.function, row.own.file) == (code.function, code.file)
    own = "" if row.own is None or same else str(row.own)
    place = f"{code.file.rpartition('/')[2]}:{code.line}" if code.file else ""
    cells = (
        format_bytes(row.kept_bytes) if row.kept_bytes else "",
        format_bytes(row.bytes),
        f"{format_count(row.kept_allocations)} of {format_count(row.allocations)}",
        clean(called(code.function, code.file, mains) or place),
        row.by,
        clean(row.thread),
        clean(own),
        clean(place),
    )
    return Row(cells)


def _growth_row(
    row: FunctionSum,
    whole: int,
    seconds: float,
    unsure: set[tuple[str, str]],
    mains: Collection[str],
) -> Row:
    own = max(row.self_.grown_bytes, 0)
    share = own / whole if whole else 0.0
    return Row(
        (
            format_bytes(own) if own else "",
            percent(share) if own else "",
            format_bytes(row.total.grown_bytes),
            f"{format_bytes(own / seconds)}/s" if own else "",
            called(row.function, row.file, mains),
            "cannot tell" if (row.function, row.file) in unsure else "",
            place_of(row.module, row.file, row.line),
        ),
        ("warm" if share >= 0.2 else "", "", "", "", "strong" if own else "", "dim"),
        bar=min(share, 1.0),
        bar_tone="warmbar" if share >= 0.2 else "bar",
    )


def _why_empty(view: View) -> Sequence[str]:
    if view.selection.filter and view.latest:
        return (f'nothing matches "{clean(view.selection.filter)}"', "esc clears the filter")
    return ("no memory was measured yet",)
