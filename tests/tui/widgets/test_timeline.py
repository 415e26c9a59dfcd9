"""Timelines as pure functions: blocks, axes, layouts, words; and what goes to the terminal."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from rich.style import Style
from support.screens.plot import T0, Plot, S
from support.screens.synthetic_session import SyntheticSession

from perftui.probes.spine.reader import Buckets
from perftui.probes.spine.records import Notice
from perftui.tui.picture import choosing
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.rate_of_change import RateOfChange
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import View, take_view
from perftui.tui.screens.live.layout import live_axis, plan, zoomed_axis
from perftui.tui.terminal.capability import AsciiFilter, plain_style, speaks_utf8, to_ascii
from perftui.tui.terminal.theme import DARK_COLOURS, LIGHT_COLOURS, make_paint
from perftui.tui.text.fit import clean, fit, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.bars.banner import note_line, note_of
from perftui.tui.widgets.bars.header import header_line
from perftui.tui.widgets.charts.frame import axis_labels
from perftui.tui.widgets.charts.gc_band import gc_line, tells
from perftui.tui.widgets.charts.phase_band import band_line
from perftui.tui.widgets.charts.series import cpu_chart, exit_words, rss_chart
from perftui.tui.widgets.charts.time_axis import axis_line, tick_step_s
from perftui.tui.widgets.charts.timeline import Overlay, Span, chart_lines
from perftui.tui.widgets.draw.blocks import (
    EIGHTHS,
    EMPTY,
    column,
    heights,
    hold_until,
    nice_top,
    stacked,
)
from perftui.tui.widgets.draw.canvas import strip_of
from perftui.tui.widgets.draw.changes import changed_columns

PAINT = make_paint({"foreground": "#cdd4dc", "panel": "#11161e", **DARK_COLOURS})


def view_of(session: SyntheticSession, columns: int = 100, **choice: object) -> View:
    return take_view(session.reader, Selection().with_(**choice), columns)


# -- blocks ------------------------------------------------------------------------------------


def drawn_height(cells: list[str]) -> int:
    """Eighths of a column of characters, top first, checking that it has no hole."""
    total = 0
    for char in reversed(cells):
        height = EIGHTHS.index(char)
        assert height == 8 or not any(EIGHTHS.index(c) for c in cells[: cells.index(char)]) or total
        total += height
    return total


def test_every_eighth_is_drawn_as_high_as_it_is() -> None:
    for edge in range(41):
        cells = [cell.char for cell in column((edge,), 5)]
        assert drawn_height(cells) == edge


def test_a_value_above_zero_is_seen_and_none_or_nan_is_not() -> None:
    assert heights([1e-9, 0.0, None, float("nan"), 1e12], 100.0, 4) == [1, 0, 0, 0, 32]


@pytest.mark.parametrize("seed", range(20))
def test_stacked_layers_keep_their_order_and_the_total_height(seed: int) -> None:
    rng = random.Random(seed)
    rows = rng.randrange(1, 9)
    layers = rng.randrange(1, 5)
    edges = [[rng.randrange(0, rows * 8 + 1) for _ in range(30)] for _ in range(layers)]
    picture = stacked(edges, rows)
    assert len(picture) == rows
    for x in range(30):
        top = max(edge[x] for edge in edges)
        cells = [line[x] for line in picture]
        filled = [cell for cell in cells if cell.ink != EMPTY]
        # Within the one cell that can hold but two colours the height may lose under a cell.
        assert abs(len(filled) * 8 - top) < 16
        order = [ink for cell in reversed(filled) for ink in (cell.ink, cell.ground) if ink >= 0]
        assert order == sorted(order)


def test_holes_are_carried_over_only_while_short() -> None:
    values = [1.0, None, None, 4.0, None, None, None, None, 9.0, None, None]
    held = hold_until(values, 9, 2)
    assert held == [1.0, 1.0, 1.0, 4.0, None, None, None, None, 9.0, 9.0, None]


def test_axis_ends_are_round_and_above_the_value() -> None:
    for value in (0.0031, 1, 97, 1.21e9, 8.4e12, 1e18):
        assert value * 0.999 <= nice_top(value) <= value * 1.5
    assert nice_top(0) == 1.0
    assert nice_top(float("inf")) == 1.0


# -- what goes to the terminal ---------------------------------------------------------------


def test_only_columns_that_differ_are_painted() -> None:
    a, b = Style(bold=True), Style(dim=True)
    old = strip_of([("x" * 40, a), ("y" * 40, b)])
    new = strip_of([("x" * 10, a), ("z", b), ("x" * 29, a), ("y" * 38, b), ("q" * 2, b)])
    assert changed_columns(old, new) == [(10, 11), (78, 80)]
    assert changed_columns(old, strip_of([("x" * 40, a), ("y" * 40, b)])) == []


def test_wide_characters_are_painted_whole() -> None:
    old, new = strip_of([("日本語 abc", None)]), strip_of([("日本人 abc", None)])
    assert changed_columns(old, new) == [(4, 6)]


def test_a_growing_session_repaints_few_cells() -> None:
    session = SyntheticSession(now_s=29.0)
    changed = 0
    before = None
    for step in range(8):
        now_ns = session.to(29.0 + step * 0.05).reader.status().t_end_ns
        view = view_of(session, 126, axis=live_axis(T0, now_ns))
        axis = AxisMap(*view.axis, 11, 126)
        lines = chart_lines(rss_chart(view, None), axis, Overlay(), PAINT, (160, 11), figures=False)
        if before is not None:
            changed = max(
                changed,
                sum(
                    end - start
                    for old, new in zip(before, lines, strict=True)
                    for start, end in changed_columns(old, new)
                ),
            )
        before = lines
    assert 0 < changed < 60


# -- lines of every size ---------------------------------------------------------------------

HOSTILE = Plot(
    title="\x1b]0;owned\x07\u202eevil\n" * 9,
    phase_names=("\x1b[31mred", "\u202erev", "日本語", "tab\tbed"),
    thread_names=("\x1b[2J", "日本語のスレッド", "a" * 400),
    log_texts=("\x1b[2J\x1b[H", "\u202e\u2066"),
    notices=(Notice(T0, "warn", "\x1b[5mblink\x07 " * 20),),
)
SESSIONS = {
    "usual": SyntheticSession,
    "pools and alert": lambda: SyntheticSession(Plot(pools=True, alert=True)),
    "nothing yet": lambda: SyntheticSession(Plot(measured=False, thread_names=()), 0.0),
    "one sample": lambda: SyntheticSession(now_s=0.01),
    "ten hours": lambda: SyntheticSession(now_s=36_000.0, tick_s=60.0),
    "exited": lambda: SyntheticSession().end(3),
    "killed": lambda: SyntheticSession().end(None, 9),
    "odd signal": lambda: SyntheticSession().end(None, 250),
    "hostile": lambda: SyntheticSession(HOSTILE),
}
made = cache(lambda name: SESSIONS[name]())


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("width", [60, 80, 100, 160, 300])
def test_every_line_is_as_wide_as_the_screen_and_harmless(name: str, width: int) -> None:
    session = made(name)
    for height in (15, 24, 45, 80):
        layout = plan(width, height, counter=True, banner=True, phases=True, chosen=False)
        view = view_of(session, layout.columns, cursor_ns=T0 + S, range=(T0, T0 + 5 * S))
        axis = AxisMap(*view.axis, layout.left, layout.columns)
        spans = (Span(layout.left + 3, layout.left + 9, "bad_bg", "onset 00:01.0"),)
        charts = [(rss_chart(view, 82e6), layout.rss), (cpu_chart(view, 2), layout.cpu)]
        lines = [
            line
            for chart, rows in charts
            if rows
            for line in chart_lines(
                chart, axis, Overlay(spans, 20), PAINT, (width, rows), figures=layout.figures
            )
        ]
        lines.append(header_line(view, width, PAINT))
        lines.append(band_line(view, axis, width, PAINT))
        lines.append(axis_line(view, axis, width, PAINT))
        if (note := note_of(view)) is not None:
            lines.append(note_line(note, width, PAINT))
        for line in lines:
            assert line.cell_length == width, line.text
            assert sum(width_of(segment.text) for segment in line) == width
            assert all(char.isprintable() for char in line.text)
            assert not any(char in line.text for char in "\u202e\u2066\x1b\x07\n")


@pytest.mark.parametrize("height", range(15, 100))
@pytest.mark.parametrize("counter", [True, False])
def test_rows_are_shared_out_without_a_rest(height: int, counter: bool) -> None:
    for banner in (True, False):
        layout = plan(160, height, counter=counter, banner=banner, phases=True, chosen=True)
        pane = height - 3 - int(banner) - layout.charts
        assert pane >= 5
        assert layout.rss >= (3 if height < 18 else 4)
        assert layout.cpu == 0 or layout.cpu >= 4
        assert not (layout.counter and not counter)


def test_the_picture_has_the_figures_and_shapes_of_the_session() -> None:
    view = view_of(made("usual"), 126)
    axis = AxisMap(*view.axis, 11, 126)
    chart = rss_chart(view, 112e6)
    lines = [
        line.text for line in chart_lines(chart, axis, Overlay(), PAINT, (160, 11), figures=True)
    ]
    assert "RSS ─ 1.21 GB ▲ +112 MB/s" in lines[0]
    assert lines[1].startswith("│   1.4 GB ")
    assert "peak" in lines[1]
    assert "1.22 GB" in lines[1]
    assert "        0 ▂" in lines[9]
    assert "█" * 40 in lines[9]
    assert lines[4].index("█") > lines[8].index("█")


def test_a_rate_too_small_to_mean_anything_is_not_named() -> None:
    view = view_of(made("usual"))
    assert rss_chart(view, 5e4).note == ""
    assert rss_chart(view, None).note == ""
    assert rss_chart(view, -80e6).note == "▼ −80.0 MB/s"


def test_pools_never_rise_above_rss() -> None:
    chart = rss_chart(view_of(made("pools and alert")), None)
    *pools, whole = chart.layers
    assert [layer.name for layer in pools] == ["Python heap", "DuckDB", "Arrow pool"]
    for layer in pools:
        for edge, total in zip(layer.edge, whole.edge, strict=True):
            assert edge is None or total is None or edge <= total + 1e-6


def sizes_of(view: View, share: float) -> Buckets:
    """A part that always is this much of RSS."""
    line = tuple(None if value is None else value * share for value in view.rss.last)
    return Buckets(view.rss.t0_ns, view.rss.t1_ns, line, line, line)


def test_what_rss_is_made_of_is_stacked_up_to_what_nobody_tells() -> None:
    plain = view_of(made("pools and alert"))
    shares = {
        "Python heap": 0.2,
        "DuckDB hash table": 0.1,
        "DuckDB in memory table": 0.2,
        "malloc, freed but kept": 0.1,
        "Arrow, freed but kept": 0.1,
        "native, not told": 0.2,
        "stacks": 0.001,
    }
    parts = tuple((name, sizes_of(plain, share)) for name, share in shares.items())
    latest = plain.latest | {
        f"part:{name}": share * plain.latest["rss_bytes"] for name, share in shares.items()
    }
    view = replace(plain, parts=parts, latest=latest)
    chart = rss_chart(view, None)
    names = ["Python heap", "DuckDB", "freed, kept"]
    assert [layer.name for layer in chart.layers] == [*names, "RSS"]
    assert [name for name, _ in chart.legend] == [*names, "not told"]
    rss = chart.layers[-1].edge[50]
    assert rss is not None
    assert [layer.edge[50] for layer in chart.layers] == pytest.approx(
        [0.2 * rss, 0.5 * rss, 0.7 * rss, rss], rel=0.01
    )
    told = {fact.label for fact in chart.facts}
    assert {"Python heap", "DuckDB", "freed, kept", "not told"} <= told
    assert "Arrow pool" not in told, "pools are told where parts are not known"


def test_a_pool_that_explains_nothing_does_not_paint_the_memory_unexplained() -> None:
    view = view_of(made("pools and alert"))
    nothing = view.rss._replace(high=(0.0,) * 126, low=(0.0,) * 126, last=(0.0,) * 126)
    chart = rss_chart(replace(view, pools=(("Arrow pool", nothing),)), None)
    assert [(layer.name, layer.colour) for layer in chart.layers] == [("RSS", "memory")]
    assert chart.legend == ()


def test_a_paused_picture_shows_nothing_after_the_pause() -> None:
    view = view_of(made("usual"), 100, paused_at_ns=T0 + 9 * S, axis=(T0, T0 + 20 * S))
    edge = rss_chart(view, None).layers[-1].edge
    assert edge[44] is not None
    assert all(value is None for value in edge[46:])


def test_a_spike_survives_thinning() -> None:
    view = view_of(made("ten hours"), 60)
    highest = max(v for v in rss_chart(view, None).layers[-1].edge if v is not None)
    assert highest >= 4.7e9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exit_code": 0}, "finished after 18.4 s"),
        ({"exit_code": 3}, "exited with 3 after 18.4 s"),
        ({"exit_code": None, "signal": 9}, "killed by SIGKILL after 18.4 s"),
        ({"exit_code": None, "signal": 250}, "killed by signal 250 after 18.4 s"),
        ({"exit_code": None}, "ended after 18.4 s"),
    ],
)
def test_the_end_is_told_in_words(changes: dict[str, int | None], words: str) -> None:
    view = view_of(SyntheticSession().end(**changes))
    text = " ".join(exit_words(view))
    assert text.startswith(words)
    assert "CPU 29.9 s" in text
    assert "peak 1.22 GB" in text


def test_axis_labels_are_true_as_written() -> None:
    for now_s in (2, 8, 18, 25, 40, 60):
        chart = rss_chart(view_of(SyntheticSession(now_s=now_s, tick_s=0.2)), None)
        labels = axis_labels(chart, 12)
        numbers = sorted(
            {float(text.split()[0]) for text in labels.values() if text != "0"}, reverse=True
        )
        assert all(abs(numbers[0] / n - round(numbers[0] / n, 1)) < 0.1 for n in numbers)


# -- time --------------------------------------------------------------------------------------


def test_a_moment_survives_the_way_to_a_column_and_back() -> None:
    axis = AxisMap(T0, T0 + 20 * S, 11, 126)
    for x in range(11, 137):
        assert axis.column(axis.time(x)) == x
        assert axis.column(axis.edge(x)) == x or axis.edge(x) < axis.time(x)
    assert axis.clamped(T0 - S) == 11
    assert axis.clamped(T0 + 99 * S) == 136


def test_the_live_axis_holds_now_and_rarely_moves() -> None:
    axes = set()
    for tenth in range(10, 6000):
        now = T0 + tenth * S // 10
        t0, t1 = live_axis(T0, now)
        assert t0 == T0
        assert t1 >= now
        assert t1 - t0 <= max(4 * S, now - T0 + 3 * S, (now - T0) * 1.07)
        axes.add(t1)
    assert len(axes) < 100
    young = {live_axis(T0, T0 + half * S // 2) for half in range(1, 61)}
    assert len(young) < 12, "most pictures of the first half minute have the axis of the one before"


def test_zoom_keeps_the_moment_and_ends_at_the_whole() -> None:
    whole = (T0, T0 + 100 * S)
    axis: tuple[int, int] | None = whole
    for _ in range(5):
        assert axis is not None
        axis = zoomed_axis(axis, T0 + 30 * S, 0.8, whole)
    assert axis is not None
    assert axis[0] < T0 + 30 * S < axis[1]
    assert axis[1] - axis[0] < 40 * S
    for _ in range(6):
        axis = axis and zoomed_axis(axis, T0 + 30 * S, 1.25, whole)
    assert axis is None


def test_ticks_are_round() -> None:
    assert tick_step_s(20, 8) == 3
    assert tick_step_s(36_000, 8) == 7200
    assert tick_step_s(0.05, 5) == 0.01
    assert tick_step_s(9e6, 5) % 86400 == 0


def test_rate_of_change_needs_time_and_forgets() -> None:
    rate = RateOfChange()
    assert rate.per_s is None
    for tick in range(40):
        rate.add(tick * S // 10, 100.0 * tick)
    assert rate.per_s == pytest.approx(1000)
    for tick in range(40, 80):
        rate.add(tick * S // 10, 4000.0)
    assert rate.per_s == pytest.approx(0)


# -- choosing ----------------------------------------------------------------------------------


def test_range_ends_follow_the_cursor_in_any_order() -> None:
    view = view_of(made("usual"), cursor_ns=T0 + 8 * S)
    axis = AxisMap(*view.axis, 0, 100)
    first = choosing.with_range_end(view, axis, start=True)
    assert first.range == (T0 + 8 * S, view.status.t_end_ns)
    later = replace(view, selection=first.with_(cursor_ns=T0 + 5 * S))
    assert choosing.with_range_end(later, axis, start=False).range == (T0, T0 + 5 * S)


def test_events_are_found_both_ways_and_pause_the_view() -> None:
    view = view_of(made("usual"))
    now_ns = view.status.t_end_ns
    events = made("usual").reader.events(T0, now_ns)
    found = choosing.at_event(view, events, -1)
    assert found is not None
    selection, event = found
    assert (event.kind, event.text) == ("phase", "read")
    assert selection.paused_at_ns == now_ns
    again = choosing.at_event(replace(view, selection=selection), events, -1)
    assert again is not None
    assert again[1].text == "first query 412 ms"
    assert choosing.at_event(replace(view, selection=selection), events, 1) is None


def test_threads_go_round_and_back_to_all() -> None:
    view = view_of(made("usual"))
    one = choosing.next_thread(view, 1)
    assert one.thread is not None
    assert choosing.next_thread(replace(view, selection=one), 1).thread is None


# -- plain terminals ---------------------------------------------------------------------------


def test_ascii_keeps_the_width() -> None:
    text = "╭─ RSS ▁▃▅█ ● LIVE …models 日本語 ▲ é ←→ “x” ±"
    assert to_ascii(text).isascii()
    assert len(to_ascii(text)) == width_of(text)
    line = strip_of([("│ 12 ▅▅", None), ("plain", None)])
    assert [s.text for s in AsciiFilter().apply(list(line), None)] == ["| 12 ##plain"]  # type: ignore[arg-type]


def test_no_color_keeps_shapes() -> None:
    tab = plain_style(PAINT.tab, 0.06)
    assert tab.reverse
    assert tab.color is not None
    assert tab.color.is_default
    tint = plain_style(PAINT.text + PAINT.bad_bg, 0.06)
    assert not tint.reverse
    assert tint.bgcolor is not None
    assert tint.bgcolor.is_default


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "en_US.utf8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_ALL": "C", "LANG": "C.UTF-8"}, False),
        ({"LANG": "C.UTF-8", "PERFTUI_ASCII": "1"}, False),
    ],
)
def test_locale_decides_about_ascii(env: dict[str, str], expected: bool) -> None:
    assert speaks_utf8(env) is expected


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_both_themes_define_the_same_names_and_are_legible() -> None:
    assert DARK_COLOURS.keys() == LIGHT_COLOURS.keys()
    for colours, ground in ((DARK_COLOURS, "#0d1117"), (LIGHT_COLOURS, "#fbfcfd")):
        for name in (
            "dim",
            "bright",
            "memory-text",
            "cpu-text",
            "rows-text",
            "bad",
            "warn",
            "link",
        ):
            assert contrast(colours[name], ground) >= 4.0, (name, ground)


# -- words -------------------------------------------------------------------------------------


def test_hostile_text_is_made_one_harmless_line() -> None:
    assert clean("a\x1b[31mred\x1b[0m\x1b]0;title\x07b") == "aredb"
    assert clean("x\u202ey\x00z") == "x·y·z"
    assert clean("two\nlines\tand") == "two lines and"
    assert clean("\x1b]52;c;aGVsbG8=") == ""
    assert clean("日本語") == "日本語"
    assert clean("\udcff") == "·"


@pytest.mark.parametrize("text", ["lance.models.delete_table", "日本語テキスト.models", "é" * 30])
@pytest.mark.parametrize("width", range(30))
def test_shortened_text_fits_and_keeps_its_end(text: str, width: int) -> None:
    short = shorten_middle(text, width)
    assert width_of(short) <= width
    assert width_of(shorten_end(text, width)) <= width
    assert width_of(fit(text, width)) == width
    if width > 4:
        assert short.endswith(text[-1])


# -- the band of collections -------------------------------------------------------------------


def test_the_band_of_collections_shows_their_share_and_that_at_the_cursor() -> None:
    axis = AxisMap(0, 8 * S, 9, 8)
    shares = (0.0, 0.02, 0.5, 1.0)
    line = gc_line(shares, None, axis, 20, PAINT).text
    assert line == "      gc " + " ▁▄█    " + "   "
    assert gc_line(shares, 2, axis, 20, PAINT).text.startswith("  gc 50% ")
    assert tells(shares) and not tells((0.01, 0.0)) and not tells(())


def test_the_band_has_a_row_where_there_is_one_to_spare() -> None:
    rows = {"counter": False, "banner": False, "phases": True, "chosen": False}
    for width, height in ((100, 40), (160, 45), (240, 60)):
        without = plan(width, height, **rows)
        with_it = plan(width, height, **rows, collections=True)
        assert (without.gc_band, with_it.gc_band) == (0, 1)
        assert with_it.charts - without.charts in (0, 1)
    assert plan(80, 24, **rows, collections=True).gc_band == 0
