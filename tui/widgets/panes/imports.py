"""The Imports tab: what start-up is made of, growing while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.caused import cause_words, is_late, phases_of
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean, width_of
from perftui.tui.widgets.charts.time_axis import start_text
from perftui.tui.widgets.tables.import_tree import ImportLine, fold_imports
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from perftui.probes.spine.reader import CallStats, Import
    from perftui.tui.picture.view import View

_COLUMNS = (
    Column("module"),
    Column("self", 9, right=True, rank=1),
    Column("total", 10, right=True),
    Column("share", 7, right=True, rank=4, tone="dim"),
    Column("RSS", 9, right=True, rank=2, tone="dim"),
    Column("start", 8, right=True, rank=3, tone="dim"),
)
_HOT_SHARE = 0.15
"""A module whose own code takes this share of all import time is the one to look at."""
_TOLD_NS = 1_000_000
"""A late import that took less has its cause behind its name, as far as there is room."""


class ImportsPane(Table):
    """Tree of imports by total time; enter folds and unfolds."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._turned: set[Hashable] = set()
        self._phases: dict[tuple[int, int], str] = {}
        """Of late imports, the phase that each began in."""
        self._calls: dict[tuple[int, int], CallStats] = {}
        """Of imports that the first call of a name waited for, that call."""

    def show(self, view: View) -> None:
        """Show another picture."""
        self._view = view
        imports = view.imports
        wanted = view.selection.filter.lower()
        lines = fold_imports(imports, self._turned, wanted)
        self._phases = phases_of(filter(is_late, imports), view.axis_phases)
        self._calls = {
            (item.pid, item.id): call for call in view.calls for item in call.first_imports
        }
        known = {(item.pid, item.id) for item in imports}
        whole = sum(
            item.total_ns
            for item in imports
            if item.parent_id is None or (item.pid, item.parent_id) not in known
        )
        scale = max((line.total_ns for line in lines if line.depth == 0), default=0)
        many = len({item.pid for item in imports}) > 1

        rows: list[tuple[Hashable, ImportLine, str]] = []
        for line in lines:
            rows.append((line.key, line, ""))
            item = line.item
            if item is not None and is_late(item) and item.total_ns >= _TOLD_NS:
                parts = self._cause_parts(item, view)
                room = self.size.width - 2 * line.depth - 4
                for part, text in enumerate(_in_lines(parts, room)):
                    rows.append((("cause", part, line.key), line, text))

        def row(number: int) -> Row:
            _key, line, cause = rows[number]
            if cause:
                return Row((cause,), ("cool",), indent=2 * line.depth + 3, wide=True)
            return self._import_row(line, whole, scale, many, view)

        failed = sum(1 for item in imports if not item.ok and not item.running)
        running = any(item.running for item in imports)
        rest = f"in {len(imports)} modules" + (f" · {failed} failed" if failed else "")
        if running:
            rest += " · importing now"
        if wanted:
            hits = sum(1 for item in imports if wanted in item.module.lower())
            rest += f' · {hits} match "{clean(view.selection.filter)}"'
        total = f"{format_seconds(whole / NS_PER_S)} of imports" if imports else ""
        self.fill(
            [Section(_COLUMNS, [key for key, _line, _cause in rows], row, 2)],
            head=(total, rest),
            empty=_why_empty(view),
        )

    def _import_row(self, line: ImportLine, whole: int, scale: int, many: bool, view: View) -> Row:
        item = line.item
        running = item is not None and item.running
        name = line.name
        if item is not None and many and line.depth == 0:
            name += f"  pid {item.pid}"
        mark = "◀ now" if line.is_now else ""
        if item is not None and line.hidden >= 3:
            mark = f"({line.hidden + 1} modules)" + (f"  {mark}" if mark else "")
        if item is not None and item.total_ns < _TOLD_NS and (cause := cause_words(item)):
            phase = self._phases.get((item.pid, item.id))
            cause += f", in {clean(phase)}" if phase else ""
            mark = cause + (f"  {mark}" if mark else "")
        if item is not None and not item.ok and not running:
            mark = "✗ failed" + (f"  {mark}" if mark else "")
        hot = item is not None and whole > 0 and line.self_ns >= _HOT_SHARE * whole
        total = format_seconds(line.total_ns / NS_PER_S) + (" …" if running else "")
        rss = ""
        if line.rss_bytes is not None:
            rss = ("+" if line.rss_bytes >= 0 else "−") + format_bytes(abs(line.rss_bytes))
        tones = ("strong" if hot or line.is_now else "", "warm" if hot else "", "", "", "", "")
        if item is None:
            tones = ("dim", "dim", "dim", "", "", "")
        return Row(
            (
                name,
                format_seconds(line.self_ns / NS_PER_S) if line.self_ns else "",
                total,
                f"{100 * line.total_ns / whole:.0f} %" if whole else "",
                rss,
                start_text(view.seconds(item.t0_ns)) if item is not None else "",
            ),
            tones,
            indent=2 * line.depth,
            bar=line.total_ns / scale if scale else 0.0,
            bar_tone="warmbar" if hot else "bar",
            mark=mark,
            open=line.open,
        )

    def _cause_parts(self, item: Import, view: View) -> list[str]:
        """Say who caused a late import: the code, its thread, the phase and the call."""
        parts = [cause_words(item)]
        ident = (item.pid, item.id)
        thread = view.import_threads.get((item.pid, item.tid))
        if thread:
            parts.append(f"thread {thread}")
        phase = self._phases.get(ident)
        if phase:
            parts.append(f"phase {phase}")
        call = self._calls.get(ident)
        if call is not None:
            took, first = (
                format_seconds(ns / NS_PER_S)
                for ns in (min(item.total_ns, call.first_ns), call.first_ns)
            )
            parts.append(f"{call.name}: {took} of its first {first}")
        return parts

    def activate(self, key: Hashable) -> None:
        """Fold or unfold."""
        self._turned ^= {key}
        if self._view is not None:
            self.show(self._view)


def _in_lines(parts: list[str], room: int) -> list[str]:
    """Put words into as few lines as they fit in; none of them is broken."""
    lines = parts[:1]
    for part in parts[1:]:
        longer = f"{lines[-1]} · {part}"
        if width_of(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _why_empty(view: View) -> tuple[str, ...]:
    if view.imports:
        return (f'no module matches "{clean(view.selection.filter)}"', "esc clears the filter")
    if not view.target.launched and not view.target.agent:
        return (
            "no imports: the agent is not in this process (attached)",
            "`perftui run`, or attach with --inject (Python 3.14+), to see what its imports cost",
        )
    if not view.target.agent:
        return ("no imports yet: the agent has not said hello",)
    if view.narrowed:
        return ("nothing was imported in this range", "esc clears the range")
    return ("nothing was imported yet",)
