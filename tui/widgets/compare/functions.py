"""The functions of a comparison: which gained, which lost, and whether that is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from perftui.probes.compare.figures import points_text, signed
from perftui.probes.profile.place import called_anywhere
from perftui.probes.text.units import format_bytes, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.compare.base_table import CompareTable, matches
from perftui.tui.widgets.flame.words import place_of
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from perftui.probes.compare.functions import FunctionChange
    from perftui.tui.picture.compare_view import CompareView

_SORTS: tuple[Callable[[FunctionChange], float | str], ...] = (
    lambda row: -abs(row.share),
    lambda row: -abs(row.seconds),
    lambda row: -abs(row.new.total_s - row.base.total_s),
    lambda row: row.function.lower(),
)
_SORTED_COLUMN = (0, 2, 4, 5)
_SORT_OF_COLUMN = {0: 0, 1: 0, 2: 1, 3: 1, 4: 2, 5: 3, 6: 3}
_FUNCTIONS = (
    Column("share pt", 9, right=True, tone="strong"),
    Column("self base → new", 18, right=True, rank=1),
    Column("self", 10, right=True),
    Column("s/s base → new", 15, right=True, rank=4, tone="dim"),
    Column("total", 10, right=True, rank=2),
    Column("function  place"),
    Column("", 24, rank=3, tone="dim", words=True),
)
_GROWN = (
    Column("grown", 10, right=True, tone="strong"),
    Column("base → new", 21, right=True, rank=1),
    Column("function  place"),
    Column("sure", 12, rank=2, tone="dim"),
)


class FunctionTable(CompareTable):
    """Functions that gained and lost; 1-4 sort, Enter shows one in the flame."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(n + 1), f"sort({n})", f"sort {name}", show=False)
        for n, name in enumerate(("share", "self", "total", "function"))
    ]

    class Chosen(Message):
        """A function was opened: the flame may show where it is called."""

        def __init__(self, function: str) -> None:
            super().__init__()
            self.function = function

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sort: int | None = None
        """None: what changed first, as in the text."""

    def refill(self, view: CompareView) -> None:
        """Sort and show."""
        functions = view.comparison.functions
        rows = [row for row in functions.rows if matches(view, row.function, row.file)]
        if view.choice.weight == "grown":
            self._fill_grown(rows)
            return
        if self.sort is not None:
            rows.sort(key=_SORTS[self.sort])
        changed = sum(1 for row in rows if row.word)
        basis = {
            "runs": "tested between runs",
            "blocks": "tested against the noise within each run",
            "nothing": "too short, and one run each: not tested",
        }[functions.basis]
        if functions.can_be_tested:
            basis = "looking at the noise within each run …"
        self.fill(
            [
                Section(
                    _FUNCTIONS,
                    [(row.function, row.file) for row in rows],
                    lambda at: _function_row(rows[at]),
                    -1 if self.sort is None else _SORTED_COLUMN[self.sort],
                )
            ],
            head=(f"{changed} of {len(rows)} changed", f"own wall time · {basis}"),
            empty=_no_function(view),
        )

    def _fill_grown(self, rows: list[FunctionChange]) -> None:
        rows = [row for row in rows if row.base.grown_bytes or row.new.grown_bytes]
        rows.sort(key=lambda row: -abs(row.bytes))
        keys = [(row.function, row.file) for row in rows]
        self.fill(
            [Section(_GROWN, keys, lambda at: _grown_row(rows[at]))],
            head=(f"{len(rows)} functions", "memory that grew in them, an estimate"),
            empty=("memory did not grow on either side", "w another weight"),
        )

    def action_sort(self, number: int) -> None:
        """Sort by another column; again: what changed first."""
        self.sort = None if self.sort == number else number
        if self.view is not None:
            self.refill(self.view)

    def on_table_title_clicked(self, message: Table.TitleClicked) -> None:
        """Sort by the column that was clicked."""
        message.stop()
        self.action_sort(_SORT_OF_COLUMN[message.column])

    def activate(self, key: Hashable) -> None:
        """Tell which function was opened."""
        if isinstance(key, tuple):
            self.post_message(self.Chosen(str(key[0])))


def _no_function(view: CompareView) -> tuple[str, ...]:
    if view.choice.filter:
        return (f'no function matches "{clean(view.choice.filter)}"', "esc clears the filter")
    return ("neither run has stacks here",)


def _function_row(row: FunctionChange) -> Row:
    words = [{"new": "new", "vanished": "gone", "both": ""}[row.state]]
    words.append("waited: same CPU" if row.waited else "")
    words.append("no clear change" if row.sure is False and row.word else "")
    tone = {"gained": "bad", "lost": "good", "": "dim"}[row.word]
    name = "strong" if row.word else ""
    total = row.new.total_s - row.base.total_s
    return Row(
        (
            points_text(row.share),
            f"{row.base.self_share * 100:.1f} → {row.new.self_share * 100:.1f} %",
            signed(format_seconds(abs(row.seconds)), row.seconds),
            f"{row.base.self_per_s:.2f} → {row.new.self_per_s:.2f}",
            signed(format_seconds(abs(total)), total),
            _named(row),
            ", ".join(word for word in words if word),
        ),
        (tone, "", tone, "", "", name, ""),
    )


def _named(row: FunctionChange) -> str:
    name = called_anywhere(row.function, row.file)
    return f"{name}  {place_of(row.module, row.file, row.line)}"


def _grown_row(row: FunctionChange) -> Row:
    tone = {"gained": "bad", "lost": "good", "": "dim"}[row.memory]
    return Row(
        (
            signed(format_bytes(abs(row.bytes)), row.bytes),
            f"{format_bytes(row.base.grown_bytes)} → {format_bytes(row.new.grown_bytes)}",
            _named(row),
            "cannot tell" if row.memory_unsure else "",
        ),
        (tone, "", "strong" if row.memory else "", ""),
    )
