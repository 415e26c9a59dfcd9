"""The Top tab: which functions (or lines) cost most."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from perftui.probes.profile.bursts import brief_bursts
from perftui.probes.profile.memory.growth import CANNOT_TELL, unsure_functions
from perftui.probes.profile.place import called
from perftui.probes.profile.sums import (
    BYTES,
    WEIGHT_INDEX,
    WEIGHT_WORDS,
    FunctionSum,
    busy,
    function_sums,
    node_totals,
    plumbing_last,
)
from perftui.probes.profile.thread_groups import group_threads
from perftui.probes.spine.calltree import ROOT, module_of
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.flame.detail import percent
from perftui.tui.widgets.flame.words import mains_seen, place_of
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from textual import events

    from perftui.tui.picture.view import View

_SORTS: tuple[Callable[[FunctionSum, int], float | str], ...] = (
    lambda row, weight: -row.self_[weight],
    lambda row, weight: -row.total[weight],
    lambda row, weight: row.function.lower(),
    lambda row, weight: f"{row.module}\0{row.file}\0{row.line:9d}",
)
_SORTED_COLUMN = (0, 1, 5, 6)
_UNSURE = "~"
"""Before what no sample met: another function that ran beside it may have done it."""
NARROW = 110
"""Below this width the place follows the function in one column."""
_SORT_OF_COLUMN = {0: 0, 2: 0, 1: 1, 3: 1, 4: 1, 5: 2, 6: 3}

_BYTES = frozenset(WEIGHT_INDEX[weight] for weight in BYTES)


class TopPane(Table):
    """Functions by self time; keys 1-4 sort by self, total, function and place."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(n + 1), f"sort({n})", f"sort {name}", show=False)
        for n, name in enumerate(("self", "total", "function", "place"))
    ]

    HINTS = (*Table.HINTS, ("1-4", "sort", "focused.sort(1)"))

    class Chosen(Message):
        """A function was opened: the flame may show where it is called."""

        def __init__(self, function: str, file: str) -> None:
            super().__init__()
            self.function = function
            self.file = file

        @property
        def name(self) -> str:
            """What a filter finds it by: its name, of a module's code the module's."""
            return self.function if self.function != "<module>" else module_of(self.file)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.sort = 0
        self._filter = ""
        """Whose first match was selected."""
        self._view: View | None = None

    def show(self, view: View) -> None:
        """Show another picture."""
        if not view.same_stacks(self._view):
            self._view = view
            self._fill(view)

    def _fill(self, view: View) -> None:
        selection = view.selection
        index = WEIGHT_INDEX[selection.weight]
        chosen = selection.threads
        if chosen is not None:
            stacks = tuple(s for s in view.stacks if (s.pid, s.tid) in chosen)
        else:
            stacks = busy(view.stacks)
        rows = function_sums(view.tree, stacks, by_line=selection.by_line)
        totals = node_totals(view.tree, stacks)[1]
        whole = totals[ROOT][index]
        mains = mains_seen(view, totals)
        if selection.filter:
            wanted = selection.filter.lower()
            rows = [r for r in rows if wanted in f"{r.function} {r.module} {r.file}".lower()]
        rows = [row for row in rows if row.total[index] > 0]
        rows.sort(key=lambda row: _SORTS[self.sort](row, index))
        if self.sort == 2:  # as it reads
            rows.sort(key=lambda row: called(row.function, row.file, mains).lower())
        if self.sort == 0 and selection.weight == "wall":
            rows = plumbing_last(rows)
        keys = [(row.function, row.file, row.line if selection.by_line else 0) for row in rows]

        unsure = unsure_functions(view.tree, stacks) if index in _BYTES else set()
        unsure &= {(row.function, row.file) for row in rows if row.self_[index]}

        def row(number: int) -> Row:
            row = rows[number]
            known = (row.function, row.file) not in unsure
            return _row(row, index, whole, narrow, mains, known=known)

        narrow = self.size.width < NARROW
        left_out = len(view.stacks) - len(stacks)
        idle = f" · {left_out} idle left out" if left_out and chosen is None else ""
        sorted_by = min(_SORTED_COLUMN[self.sort], 5 if narrow else 6)
        unit = "lines" if selection.by_line else "functions"
        groups = group_threads(((s.pid, s.tid), s.name, True) for s in stacks)
        names = ", ".join(clean(group.title) for group in groups[:3])
        names += " …" if len(groups) > 3 else ""
        what = WEIGHT_WORDS[selection.weight] + _how_sure(
            selection.weight, view.status.stack_backend
        )
        if selection.weight == "cpu":
            words = brief_bursts(stacks, view.status.stack_rate_hz).words
            what += f" · {words}" if words else ""
        what += f" · {_UNSURE} {CANNOT_TELL}: met beside it" if unsure else ""
        self.fill(
            [Section(_columns(index, narrow), keys, row, sorted_by)],
            head=(f"{len(rows)} {unit}", f"by {what} · {names}{idle}") if stacks else ("", ""),
            empty=_why_empty(view),
        )
        if selection.filter != self._filter:
            self._filter = selection.filter
            if keys and selection.filter:
                self.choose(keys[0])

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns for the new width."""
        if self._view is not None:
            self._fill(self._view)

    def action_sort(self, number: int) -> None:
        """Sort by another column."""
        self.sort = number
        if self._view is not None:
            self._fill(self._view)

    def on_table_title_clicked(self, message: Table.TitleClicked) -> None:
        """Sort by the column that was clicked."""
        message.stop()
        self.action_sort(_SORT_OF_COLUMN[message.column])

    def activate(self, key: Hashable) -> None:
        """Tell which function was opened."""
        if isinstance(key, tuple):
            self.post_message(self.Chosen(key[0], key[1]))


def _how_sure(weight: str, backend: str | None) -> str:
    """Say what a weight rests on."""
    if backend is None or weight == "wall":
        return ""
    if not backend.startswith("own"):
        return " (estimate by share of CPU)" if weight == "grown" else " (estimate)"
    return {
        "cpu": " (threads' own)",
        "waiting": " (kernel's state)",
        "touched": " (page faults)",
        "grown": " (estimate by faults)",
    }[weight]


def _columns(weight: int, narrow: bool) -> tuple[Column, ...]:
    on_cpu = weight == WEIGHT_INDEX["cpu"]
    columns = (
        Column("self %", 8, right=True, tone="strong"),
        Column("total %", 8, right=True),
        Column("self", 9, right=True, rank=2),
        Column("total", 9, right=True, rank=1),
        Column("wall" if on_cpu else "cpu", 8, right=True, rank=3, tone="dim"),
        Column("function  place" if narrow else "function"),
    )
    return columns if narrow else (*columns, Column("place", 34, rank=4, tone="dim"))


def _row(
    row: FunctionSum,
    weight: int,
    whole: int,
    narrow: bool,
    mains: frozenset[str],
    *,
    known: bool = True,
) -> Row:
    name = called(row.function, row.file, mains)
    own, total = row.self_[weight], row.total[weight]
    place = place_of(row.module, row.file, row.line)
    share = own / whole if whole else 0.0

    def amount(value: int) -> str:
        return format_bytes(value) if weight in _BYTES else format_seconds(value / NS_PER_S)

    other = row.total.wall_ns if weight == 1 else row.total.cpu_ns
    hot = "warm" if share >= 0.2 else "strong" if share >= 0.02 else "text"
    return Row(
        (
            percent(share) if known else f"{_UNSURE}{percent(share)}",
            percent(total / whole if whole else 0.0),
            amount(own) if own else "",
            amount(total),
            format_seconds(other / NS_PER_S),
            *((f"{name}  {place}",) if narrow else (name, place)),
        ),
        (hot, "", "", "", "", "strong" if share >= 0.02 else ""),
        bar=share,
        bar_tone="warmbar" if share >= 0.2 else "bar",
    )


def _why_empty(view: View) -> tuple[str, ...]:
    if view.selection.filter and view.stacks:
        return (f'no function matches "{clean(view.selection.filter)}"', "esc clears the filter")
    if not view.stacks:
        if view.status.stack_backend is None and view.status.state not in ("starting", "live"):
            return ("no stacks were sampled in this session",)
        return ("no samples in this range yet: stacks start with the first window, 0.2 s",)
    if view.selection.weight == "touched":
        return (
            "nobody counted page faults here, or no memory was touched for the first time",
            "w another weight",
        )
    if view.selection.weight == "grown":
        return ("memory did not grow in this range", "w another weight")
    return ("nothing ran in this range", "w another weight · < > another thread")
