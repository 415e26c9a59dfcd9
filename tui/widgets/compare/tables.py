"""The tables of a comparison: summary, phases, imports, calls."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from textual.message import Message

from perftui.probes.compare.facts import PhaseKey
from perftui.probes.compare.figures import amount_text, change_text, percent_text, signed
from perftui.probes.compare.headline import headline
from perftui.probes.text.units import format_bytes, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.compare.base_table import TONES, CompareTable, both_of, matches, tone_of
from perftui.tui.widgets.tables.table import Column, Row, Section

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from perftui.probes.compare.comparison import Comparison, ImportChange, PhaseChange
    from perftui.probes.compare.figures import FigureChange
    from perftui.tui.picture.compare_view import CompareView

# -- summary -----------------------------------------------------------------------------------

_FIGURES = (
    Column("metric", 34),
    Column("base", 11, right=True),
    Column("new", 11, right=True, tone="strong"),
    Column("change", 11, right=True),
    Column("%", 9, right=True),
    Column("", words=True),
)
_NARROW_FIGURES = (
    Column("metric"),
    Column("base", 10, right=True),
    Column("new", 10, right=True, tone="strong"),
    Column("change", 10, right=True, rank=2),
    Column("%", 9, right=True),
    Column("", 7, rank=1, words=True),
)
_FIGURES_WIDE = 116
_WORDS = (Column("", words=True),)


class SummaryTable(CompareTable):
    """What it comes to, what changed, what did not."""

    def refill(self, view: CompareView) -> None:
        """Put words first, then the figures that changed, then the others."""
        comparison = view.comparison
        told = headline(comparison)
        words = [(f"{told.word}: {told.text}", _word_tone(told.word))]
        words += [(reason, "text") for reason in told.reasons]
        words += [(f"! {warning}", "warm") for warning in told.warnings]
        words += [
            (f"alert {row.kind} {'new' if not row.base else 'gone'}: {row.message}", "text")
            for row in comparison.alerts
            if not row.base or not row.new
        ]
        figures = [
            figure
            for figure in comparison.figures
            if not figure.key.startswith("phase:") and matches(view, figure.label, figure.key)
        ]
        changed = [figure for figure in figures if figure.is_change]
        same = [figure for figure in figures if not figure.is_change]
        columns = _FIGURES if self.size.width >= _FIGURES_WIDE else _NARROW_FIGURES
        words = [
            (line, tone)
            for text, tone in words
            for line in textwrap.wrap(
                clean(text), max(self.size.width - 4, 20), subsequent_indent="  "
            )
        ]
        sections = [] if view.choice.filter else [_word_section(words)]
        sections += [_figure_section(changed, columns)]
        sections += [_figure_section(same, _titled(columns, "unchanged"))]
        self.fill(sections, empty=("no metric matches the filter",))


def _word_tone(word: str) -> str:
    return {"regressed": "bad", "suspect": "warm", "improved": "good", "ok": "good"}.get(
        word, "strong"
    )


def _word_section(words: Sequence[tuple[str, str]]) -> Section:
    def row(at: int) -> Row:
        return Row((words[at][0],), (words[at][1],))

    return Section(_WORDS, [("word", n) for n in range(len(words))], row)


def _titled(columns: tuple[Column, ...], title: str) -> tuple[Column, ...]:
    return (columns[0]._replace(title=title), *columns[1:])


def _figure_section(figures: Sequence[FigureChange], columns: tuple[Column, ...]) -> Section:
    def row(at: int) -> Row:
        return _figure_row(figures[at])

    return Section(columns, [figure.key for figure in figures], row)


def _figure_row(figure: FigureChange) -> Row:
    word = {"worse": "worse", "better": "better"}.get(figure.direction, "")
    if figure.base is None or figure.new is None:
        word = "new" if figure.base is None else "gone"
    verdict, interval = figure.verdict(), figure.relative_interval
    if verdict is not None and interval is not None:
        word = f"{verdict} ({percent_text(interval.low)} to {percent_text(interval.high)})"
    tone = TONES[figure.direction]
    return Row(
        (
            figure.label,
            amount_text(figure.base, figure.unit),
            amount_text(figure.new, figure.unit),
            change_text(figure),
            percent_text(figure.ratio),
            word,
        ),
        ("" if figure.is_change else "dim", "", "", "", tone, tone),
    )


# -- phases ------------------------------------------------------------------------------------

_PHASES = (
    Column("phase"),
    Column("base", 10, right=True),
    Column("new", 10, right=True, tone="strong"),
    Column("%", 9, right=True),
    Column("CPU base → new", 20, right=True, rank=2),
    Column("%", 8, right=True, rank=3),
    Column("peak base → new", 20, right=True, rank=1),
    Column("%", 8, right=True, rank=4),
)


class PhaseTable(CompareTable):
    """Phases side by side; Enter restricts everything to one."""

    class Chosen(Message):
        """A phase was opened."""

        def __init__(self, phase: PhaseKey) -> None:
            super().__init__()
            self.phase = phase

    def refill(self, view: CompareView) -> None:
        """Show the phases in their order."""
        rows = [row for row in view.phases if matches(view, str(row.key))]
        self.fill(
            [Section(_PHASES, [row.key for row in rows], lambda at: _phase_row(rows[at], view))],
            empty=("no phases here: `with perftui.phase(name):` in the program names them",),
        )

    def activate(self, key: Hashable) -> None:
        """Tell which phase was opened, if both sides have it."""
        if isinstance(key, PhaseKey):
            self.post_message(self.Chosen(key))


def _phase_row(row: PhaseChange, view: CompareView) -> Row:
    if not (row.in_base and row.in_new):
        cells = ("", "new only", "") if row.in_new else ("base only", "", "")
        return Row((str(row.key), *cells, "", "", "", ""), ("warm", "dim", "dim"))
    duration, cpu, peak = row.duration, row.cpu, row.peak_rss
    chosen = view.choice.phase == row.key
    return Row(
        (
            str(row.key),
            amount_text(duration.base, "s") if duration else "not ended",
            amount_text(duration.new, "s") if duration else "not ended",
            percent_text(duration.ratio) if duration else "",
            both_of(cpu),
            percent_text(cpu.ratio) if cpu else "",
            both_of(peak),
            percent_text(peak.ratio) if peak else "",
        ),
        (
            "accent" if chosen else "",
            "",
            "",
            tone_of(duration),
            "",
            tone_of(cpu),
            "",
            tone_of(peak),
        ),
        mark="◀ only this" if chosen else "",
    )


# -- imports and calls -------------------------------------------------------------------------

_IMPORTS = (
    Column("module"),
    Column("", 8),
    Column("base", 10, right=True),
    Column("new", 10, right=True, tone="strong"),
    Column("change", 10, right=True),
    Column("self", 10, right=True, rank=1),
    Column("RSS", 10, right=True, rank=2, tone="warm"),
    Column("imported by", 24, rank=3, tone="dim"),
)


class ImportTable(CompareTable):
    """Modules gained, lost, slower and faster, the largest change first."""

    def refill(self, view: CompareView) -> None:
        """Show the modules."""
        rows = [row for row in view.comparison.imports if matches(view, row.module)]
        changed = sum(1 for row in rows if row.is_change)
        self.fill(
            [Section(_IMPORTS, [row.module for row in rows], lambda at: _import_row(rows[at]))],
            head=(f"{changed} of {len(rows)} modules changed", "time with what they import"),
            empty=("nothing was imported here on either side",),
        )


def _import_row(row: ImportChange) -> Row:
    base, new = row.base, row.new
    word, tone = "", "dim"
    if base is None:
        word, tone = "new", "bad"
    elif new is None:
        word, tone = "gone", "good"
    elif row.is_change:
        slower = row.self_seconds > 0
        word, tone = ("slower", "bad") if slower else ("faster", "good")
    rss = ((new.rss_bytes or 0) if new else 0) - ((base.rss_bytes or 0) if base else 0)
    return Row(
        (
            row.module,
            word,
            format_seconds(base.cumulative_s) if base else "",
            format_seconds(new.cumulative_s) if new else "",
            signed(format_seconds(abs(row.seconds)), row.seconds),
            signed(format_seconds(abs(row.self_seconds)), row.self_seconds),
            signed(format_bytes(abs(rss)), rss) if rss else "",
            row.parent or "",
        ),
        ("strong" if word else "", tone, "", "", tone, tone),
    )


_CALLS = (
    Column("call"),
    Column("n", 13, right=True, rank=2),
    Column("first base → new", 21, right=True),
    Column("%", 9, right=True),
    Column("warm base → new", 21, right=True, rank=1),
    Column("%", 9, right=True, rank=1),
    Column("first / warm", 16, right=True, rank=3, tone="dim"),
)


class CallTable(CompareTable):
    """Timed calls and counters of both sides."""

    def refill(self, view: CompareView) -> None:
        """Show calls, then counters."""
        comparison = view.comparison
        base, new = (run.calls for run in comparison.pair)
        names = [name for name in {**base, **new} if matches(view, name)]
        counters = [
            figure
            for figure in comparison.figures
            if figure.key.startswith(("count:", "rate:")) and matches(view, figure.label)
        ]
        columns = _titled(
            _FIGURES if self.size.width >= _FIGURES_WIDE else _NARROW_FIGURES, "counter"
        )
        self.fill(
            [
                Section(
                    _CALLS, [("call", n) for n in names], lambda at: _call(comparison, names[at])
                ),
                _figure_section(counters, columns),
            ],
            empty=("no calls and no counters here: perftui.call and perftui.count give them",),
        )


def _call(comparison: Comparison, name: str) -> Row:
    count, first, warm, ratio = (
        comparison.figure(f"call:{name}.{part}") for part in ("n", "first", "warm", "ratio")
    )
    return Row(
        (
            name,
            both_of(count)
            if count and count.is_change
            else amount_text(count.new, "")
            if count
            else "",
            both_of(first),
            percent_text(first.ratio) if first else "",
            both_of(warm),
            percent_text(warm.ratio) if warm else "",
            both_of(ratio),
        ),
        ("strong", "", "", tone_of(first), "", tone_of(warm)),
    )
