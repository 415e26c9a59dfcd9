"""Figures that hold: whatever the width of the terminal, and after the end as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.screens.pane_views import make_view
from textual.binding import Binding

from perftui.probes.answers.worked import idle_ns, worked_ns
from perftui.probes.colours.parts import GROUPS
from perftui.probes.spine.derived import FamilyMetrics
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Buckets, Target
from perftui.probes.spine.records import Exit, MemoryPart, Metric, PhaseBegin, Pool, Run
from perftui.probes.store.store import Store
from perftui.probes.summary import summarize
from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture.latest import of_one_moment
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import take_view
from perftui.tui.screens.dialogs.help import help_lines
from perftui.tui.screens.live.keys import KEYS, LIVE_BINDINGS, MORE
from perftui.tui.terminal.theme import DARK_COLOURS, make_paint
from perftui.tui.text.fit import fit_figure, width_of
from perftui.tui.widgets.bars.verdict_card import VerdictCard
from perftui.tui.widgets.charts.facts import rss_facts
from perftui.tui.widgets.charts.series import cpu_chart, rss_chart
from perftui.tui.widgets.flame.icicle import IciclePane
from perftui.tui.widgets.panes.flame import FlamePane
from perftui.tui.widgets.panes.heat import HeatPane
from perftui.tui.widgets.panes.log import LogPane
from perftui.tui.widgets.panes.plans import PlansPane
from perftui.tui.widgets.panes.top import TopPane
from perftui.tui.widgets.panes.tracks import TrackList

if TYPE_CHECKING:
    from perftui.tui.picture.view import View

S = NS_PER_S
MB = 1_000_000
PID = 10


def session(*, until_s: float = 20.0) -> tuple[SessionLog, Store]:
    log, now = SessionLog(), [0]
    target = Target("t", ("python", "t.py"), PID, None, launched=True, agent=True)
    store = Store(log.tree, target, lambda: now[0])
    log.connect(store)
    now[0] = round(until_s * S)
    return log, store


def value_of(view: View, label: str) -> str:
    return next(fact.value for fact in rss_facts(view) if fact.label == label)


def test_the_base_is_the_same_at_every_width_and_zoom() -> None:
    log, store = session()
    log.extend([Metric(n * S // 20, PID, n / 40, 20_000_000 + 1_000_000 * n) for n in range(400)])
    zoomed = Selection(axis=(5 * S, 9 * S))
    for selection in (Selection(), zoomed):
        bases = {
            value_of(take_view(store, selection, columns), "base") for columns in (20, 69, 140, 300)
        }
        assert bases == {"20.0 MB"}


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("2 min 18 s", 10, "2 min 18 s"),
        ("2 min 18 s", 9, "2 min"),
        ("2 min 18 s", 4, "…"),
        ("12.3 s", 5, "…"),
        ("549 MB", 6, "549 MB"),
        ("549 MB", 5, "…"),
        ("3 h 20 min", 5, "3 h"),
    ],
)
def test_a_figure_is_never_cut_through_its_middle(text: str, width: int, shown: str) -> None:
    assert fit_figure(text, width) == shown


def test_pss_is_never_above_rss_nor_uss_above_pss() -> None:
    metric = Metric(0, PID, 0.0, 100_000_000, pss_bytes=120_000_000, uss_bytes=110_000_000)
    sums = FamilyMetrics().tick(0, [metric._replace(t_ns=S)], {}).sums
    assert sums["rss_bytes"] >= sums["pss_bytes"] >= sums["uss_bytes"]


def test_what_was_read_before_rss_moved_is_not_known_now() -> None:
    rss = {"rss_bytes": 40e6}
    read_before = {"pss_bytes": 90e6, "uss_bytes": 80e6, "anon_rss_bytes": 85e6}
    parts = {"part:malloc": 30e6, "part:libraries": 30e6, "pool:arrow": 50e6}
    assert of_one_moment({**rss, **read_before, **parts}) == {**rss, "pool:arrow": 50e6}
    # A moment apart: nothing is above what it is part of.
    close = {**rss, "pss_bytes": 40.4e6, "uss_bytes": 40.2e6, "anon_rss_bytes": 39e6}
    assert of_one_moment(close) == {
        **rss,
        "pss_bytes": 40e6,
        "uss_bytes": 40e6,
        "anon_rss_bytes": 39e6,
    }
    fits = {**rss, "part:malloc": 30e6, "part:libraries": 10e6}
    assert of_one_moment(fits) == fits
    assert of_one_moment(parts) == parts
    before_it_rose = {"rss_bytes": 143e6, "part:malloc": 2e6, "part:libraries": 20e6}
    assert of_one_moment(before_it_rose) == {"rss_bytes": 143e6}


def test_pss_that_was_read_before_rss_rose_is_not_known_now() -> None:
    log, store = session(until_s=0.7)
    log.extend(
        [
            Metric(n * S // 20, PID, n / 40, (4 if n < 2 else 107) * MB, pss_bytes=pss)
            for n, pss in enumerate((4 * MB, *[None] * 12))
        ]
    )
    view = take_view(store, Selection(), 80)
    assert view.latest["rss_bytes"] == 107 * MB
    assert "pss_bytes" not in view.latest
    assert value_of(view, "PSS") == "–"
    at_the_start = take_view(store, Selection(cursor_ns=S // 20, around_ns=0), 80)
    assert value_of(at_the_start, "PSS") == "4.00 MB"
    log.extend([Metric(S * 7 // 10, PID, 1, 108 * MB, pss_bytes=101 * MB)])
    assert value_of(take_view(store, Selection(), 80), "PSS") == "101 MB"
    # It fell, but is above PSS still: what was shared is not known.
    log.extend([Metric(S * 7 // 10 + n, PID, 1, 102 * MB - n * MB) for n in range(20)])
    view = take_view(store, Selection(), 80)
    assert (view.latest["rss_bytes"], value_of(view, "PSS")) == (83 * MB, "–")


def test_memory_that_was_freed_at_the_very_end_is_shown_as_it_was_before() -> None:
    log, store = session(until_s=2.0)
    names = ("Python heap", "native, not told")
    for n in range(40):
        rss = (200 if n < 39 else 60) * MB
        pss = 190 * MB + n if n % 20 == 0 else None
        log.extend([Metric(n * S // 20, PID, n / 40, rss, pss_bytes=pss)])
        if pss is not None:
            told = [MemoryPart(n * S // 20, PID, name, 95 * MB, 95 * MB) for name in names]
            log.extend(told)
    assert take_view(store, Selection(), 80).latest["rss_bytes"] == 60 * MB
    log.extend([Exit(2 * S, PID, 0, None)])
    ended = take_view(store, Selection(), 80)
    assert ended.latest["rss_bytes"] == 200 * MB
    assert value_of(ended, "PSS") == "190 MB"
    assert value_of(ended, "Python heap") == "95.0 MB"
    assert rss_chart(ended, None).value == "200 MB"
    assert ended.latest["cpu_percent"] == store.last("cpu_percent")


def test_a_part_whose_allocator_is_not_heard_any_more_is_unknown_and_counts_no_more() -> None:
    """It stood for half a minute beside the part in which its memory is now."""
    log, store = session(until_s=9.0)
    log.extend([Metric(n * S // 20, PID, n / 40, 100 * MB) for n in range(180)])
    heard = {"Arrow": 40, "DuckDB hash table": 20, "malloc": 30, "libraries": 10}
    untold = {"native, not told": 60, "malloc, used or kept": 30, "libraries": 10}
    for second in range(1, 9):
        if second < 5:
            log.extend([Pool(second * S, PID, name, 30 * MB) for name in ("arrow", "malloc")])
            log.extend([Pool(second * S, PID, "duckdb HASH_TABLE", 30 * MB)])
        parts = heard if second < 5 else untold
        log.extend([MemoryPart(second * S, PID, n, size * MB, 0) for n, size in parts.items()])
    told = summarize(store)["memory"]
    ends = {name: part["end_bytes"] for name, part in told["parts"].items()}
    assert ends == {
        **dict.fromkeys(heard),
        **{name: size * MB for name, size in untold.items()},
    }
    for pid in (None, PID):
        view = take_view(store, Selection(process=pid), 80)
        known = {name[5:]: size for name, size in view.latest.items() if name[:5] == "part:"}
        assert known == {name: size * MB for name, size in untold.items()}
        before = take_view(store, Selection(cursor_ns=4 * S + S // 2, around_ns=0), 80)
        assert before.latest["part:Arrow"] == 40 * MB
    # Heard, with nothing of it resident: that is 0.
    log.extend([Pool(8 * S, PID, "arrow", 0)])
    assert summarize(store)["memory"]["parts"]["Arrow"]["end_bytes"] == 0
    assert take_view(store, Selection(), 80).latest["part:Arrow"] == 0


def test_cpu_is_not_above_the_cores() -> None:
    jumped = Buckets(
        0, 4 * S, (150.0,) * 4, (190.0, 216.0, 199.0, None), (190.0, 216.0, 180.0, None)
    )
    view = replace(make_view(), cpu=jumped, latest={"cpu_percent": 216.0})
    chart = cpu_chart(view, 2)
    assert chart.value == "200 %"
    assert max(value for layer in chart.layers for value in layer.edge if value is not None) == 200
    of_another_machine = cpu_chart(replace(view, cpu=jumped._replace(high=(790.0,) * 4)), 2)
    assert of_another_machine.top == 800


def test_at_the_end_stands_the_last_of_the_living() -> None:
    log, store = session(until_s=10.0)
    log.extend([Metric(n * S // 20, PID, n / 40, 30_000_000) for n in range(199)])
    end = store.status().t_end_ns
    for columns in (30, 140, 300):
        view = take_view(store, Selection(cursor_ns=end, around_ns=0, axis=(0, end)), columns)
        assert rss_chart(view, None).value == "30.0 MB"


def test_waiting_for_an_order_is_no_run_time() -> None:
    log, store = session(until_s=100.0)
    first = Run(5 * S, PID, 1, True, True, 5 * S, S, 0, S, 2 * S, 3 * S)
    second = Run(33 * S, PID, 2, False, True, 3 * S, None, None, None, 30 * S, 3 * S)
    log.append(Metric(0, PID, 0.0, 1_000_000))
    assert idle_ns(store) == 0
    log.append(first)
    assert worked_ns(store) == 5 * S
    log.append(second)
    assert (worked_ns(store), idle_ns(store)) == (8 * S, 92 * S)
    # A third run that has not answered: nobody waits for an order.
    log.append(PhaseBegin(40 * S, PID, PID, 1, "third", None, None, None))
    assert idle_ns(store) == 25 * S


def test_every_colour_and_sign_has_its_words_in_the_help() -> None:
    paint = make_paint({"foreground": "#cdd4dc", "panel": "#11161e", **DARK_COLOURS})
    lines = help_lines(paint, KEYS, MORE, 120)
    said = ["".join(text for text, _ in line) for line in lines]
    for group in GROUPS:
        line = next(line for line in lines if line[-1][0] == f"of RSS: {group.label}")
        assert line[0][1] == paint.named(group.colour)
    for sign in "▲▼·▾▸▏●‖▶■…◀×±◆┃!✓✗‹›▒░▚─≈█▀":
        assert any(sign in line[:14] for line in said)
    assert not any("|" in line for line in said)


@pytest.mark.parametrize("width", [40, 58, 74])
def test_of_the_help_nothing_is_cut(width: int) -> None:
    paint = make_paint({"foreground": "#cdd4dc", "panel": "#11161e", **DARK_COLOURS})
    lines = help_lines(paint, KEYS, MORE, width)
    assert max(sum(width_of(text) for text, _ in line) for line in lines) <= width
    words = " ".join("".join(text for text, _ in line) for line in lines).split()
    for key in KEYS:
        assert all(word in words for word in key.help.split())


def test_every_key_of_the_screen_is_in_the_help() -> None:
    rows = [(key.shown, key.help) for key in KEYS] + [row for _, rows in MORE for row in rows]
    told = " ".join(f"{shown} {said}" for shown, said in rows).replace("1-4", "1 2 3 4")
    table = {name: key.shown for key in KEYS for name in key.keys.split(",")}
    arrows = {"up": "↑", "down": "↓", "left": "←", "right": "→"}
    names = {**arrows, "enter": "Enter", "escape": "esc", "pageup": "page up"}
    names["pagedown"] = "page down"
    panes = (TopPane, HeatPane, LogPane, TrackList, FlamePane, IciclePane, PlansPane, VerdictCard)
    bound = [LIVE_BINDINGS, *(pane.BINDINGS for pane in panes)]
    for binding in (each for bindings in bound for each in Binding.make_bindings(bindings)):
        key = binding.key.rpartition("+")[2]
        assert binding.key in table or names.get(key, key) in told, binding
