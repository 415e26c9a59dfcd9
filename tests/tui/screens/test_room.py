"""Who gets the rows and columns of the live screen, and what of it is remembered."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from support.screens.live_stage import Stage, play
from support.screens.pane_views import T0, make_view

from perftui.probes.spine.reader import Buckets
from perftui.tui.picture.flat import flat_charts
from perftui.tui.screens.live.keys import KEYS
from perftui.tui.screens.live.layout import LiveLayout, plan
from perftui.tui.screens.live.panes import PANES
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.terminal.panels import CHARTS, MOST_ROWS, USUAL, Panels
from perftui.tui.terminal.settings import read_settings, settings_file, write_settings
from perftui.tui.terminal.theme import THEMES

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.tui.picture.view import View

SIZES = [(60, 15), (80, 24), (100, 30), (120, 35), (160, 45), (199, 70), (200, 50), (320, 90)]
NAMES = [theme.name for theme in THEMES]


def laid(
    size: tuple[int, int],
    flat: tuple[str, ...] = (),
    panels: Panels = USUAL,
    counter: bool = False,
) -> LiveLayout:
    return plan(
        *size, counter=counter, banner=False, phases=True, chosen=False,
        flat=frozenset(flat), panels=panels,
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_whatever_is_chosen_the_tabs_keep_some_rows_and_every_chart_can_be_drawn(
    size: tuple[int, int],
) -> None:
    width, height = size
    rows = (-MOST_ROWS, -2, 0, 3, MOST_ROWS)
    flats: tuple[tuple[str, ...], ...] = ((), ("rss",), ("rss", "cpu"))
    for charts, more, flat, full, counter in product(CHARTS, rows, flats, *[(False, True)] * 2):
        layout = laid(size, flat, Panels(charts, more, full), counter)
        for chart in (layout.rss, layout.cpu, layout.counter):
            assert chart in (0, 1) or chart >= 3
        assert layout.left + layout.columns <= layout.width <= width
        if layout.beside:
            assert width - layout.width >= 100, "the tabs have room beside the charts"
            assert layout.charts == height - 2, "and the charts all rows but header and keys"
        else:
            assert height - 3 - layout.charts >= 5


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 4), ((120, 35), 8), ((160, 45), 12)])
def test_what_flat_charts_do_not_need_is_the_tabs(size: tuple[int, int], rows: int) -> None:
    usual, flat = laid(size), laid(size, ("rss", "cpu"))
    assert usual.charts - flat.charts >= rows
    assert flat.rss == 3
    assert laid(size, panels=Panels(full=True)).charts <= 2
    assert laid(size, panels=Panels("none")).charts == 0
    assert laid(size, panels=Panels("cpu")).rss == 0
    assert laid(size, panels=Panels("memory")).rss == usual.rss
    assert laid(size, panels=Panels(rows=-2)).charts == usual.charts - 2


def test_charts_stand_left_of_the_tabs_from_200_columns_on() -> None:
    assert not laid((199, 50)).beside
    wide = laid((200, 50))
    assert wide.beside
    assert wide.figures
    assert not laid((200, 50), panels=Panels(full=True)).beside


def line(*values: float | None) -> Buckets:
    return Buckets(T0, T0 + 100, values, values, values)


def view_of(rss: Buckets, cpu: Buckets) -> View:
    return replace(make_view(), rss=rss, cpu=cpu, alerts=())


def test_a_line_is_flat_whatever_happens_in_a_moment_at_its_start() -> None:
    steady = line(*([5e6, 20e6] + [27e6] * 98), *[None] * 20)
    rising = line(*(1e6 * n for n in range(100)))
    busy = line(*[99.0, 101.0] * 50)
    idle = line(*[0.0, 2.0] * 50)
    changing = line(*[0.0] * 50, *[100.0] * 50)
    assert flat_charts(view_of(steady, busy), frozenset()) == {"rss", "cpu"}
    assert flat_charts(view_of(rising, idle), frozenset()) == {"cpu"}
    assert flat_charts(view_of(rising, changing), frozenset()) == frozenset()
    assert flat_charts(view_of(line(5e6, 6e6), line(1.0)), frozenset()) == frozenset(), "too early"


def test_what_is_on_the_edge_of_flat_does_not_flicker() -> None:
    edge = line(*[100e6 - 12e6, 100e6] * 50)
    busy = line(*[0.0] * 50, *[100.0] * 50)
    assert flat_charts(view_of(edge, busy), frozenset()) == frozenset()
    assert flat_charts(view_of(edge, busy), frozenset({"rss"})) == {"rss"}


def test_keys_give_the_tab_all_rows_and_hide_charts() -> None:
    async def steps(stage: Stage) -> None:
        assert "─ RSS ─" in stage.text
        await stage.press("F")
        await stage.settled()
        assert "╭─" not in stage.text
        assert stage.lines()[1].startswith(" RSS ")
        assert stage.lines()[2].startswith(" CPU ")
        assert stage.lines()[3].startswith("─ Flame")
        await stage.press("F", "H", "H")
        await stage.settled()
        assert "─ RSS ─" not in stage.text
        assert "─ CPU ─" in stage.text
        await stage.press("H")
        await stage.settled()
        assert "─ CPU ─" not in stage.text
        await stage.press("H", "left_parenthesis", "left_parenthesis")
        await stage.settled()
        assert stage.live.shown.panels == Panels("all", -2)

    play(steps)


def test_the_same_keys_from_200_columns_on() -> None:
    async def steps(stage: Stage) -> None:
        assert "─ RSS ─" in stage.lines()[1]
        assert "Flame" in stage.lines()[1], "beside each other"
        assert all(len(row) == 210 for row in stage.lines())
        await stage.press("F")
        await stage.settled()
        assert "Flame" in stage.lines()[3]

    play(steps, size=(210, 50))


# -- settings ----------------------------------------------------------------------------------


def test_a_choice_is_read_back_and_other_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "perftui" / "config.toml"
    assert write_settings(file, NAMES[1], Panels("memory", -3)) == ""
    assert read_settings(file, NAMES)[:2] == (NAMES[1], Panels("memory", -3))
    file.write_text('# mine\ntheme = "x" # hers\n[later]\ncharts = "of another table"\n')
    assert write_settings(file, NAMES[0], Panels("cpu", 2)) == ""
    text = file.read_text()
    assert text.startswith("# mine\n")
    assert '[later]\ncharts = "of another table"' in text
    assert read_settings(file, NAMES)[:2] == (NAMES[0], Panels("cpu", 2))


@pytest.mark.parametrize(
    "text",
    [
        *("theme = ", "\0\1\2", "[[[", 'theme = "x\n', "a" * 200_000, b"\xff\xfe\x00"),
        "charts = " + "[" * 40_000 + "]" * 40_000,
    ],
    ids=range(7),
)
def test_a_broken_file_is_one_line_and_defaults_and_stays_as_it_is(
    tmp_path: Path, text: str | bytes
) -> None:
    file = tmp_path / "config.toml"
    raw = text.encode() if isinstance(text, str) else text
    file.write_bytes(raw)
    found = read_settings(file, NAMES)
    assert found[:2] == (None, Panels())
    assert str(file) in found.problem
    assert "\n" not in found.problem
    if len(raw) < 100_000:
        assert write_settings(file, NAMES[0], Panels()).startswith("not remembered: ")
    assert file.read_bytes() == raw


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('theme = "no such"\nchart_rows = 2', "theme"),
        ("theme = 3", "theme"),
        ("theme = []", "theme"),
        ("theme = {}", "theme"),
        ('charts = "some"', "charts"),
        ("charts = []", "charts"),
        ("charts = {}", "charts"),
        ('"a\\nb\\u001b" = 1', "a\\nb\\x1b"),
        ("chart_rows = true", "chart_rows"),
        ("chart_rows = 10000000000000000000000", "chart_rows"),
        ("chart_rows = 1.5", "chart_rows"),
        ("colour = 1", "colour"),
    ],
)
def test_what_is_not_understood_is_named_and_the_rest_holds(
    tmp_path: Path, text: str, named: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    # The app asks in a mapping, where what cannot be hashed cannot be looked up.
    found = read_settings(file, dict.fromkeys(NAMES))
    assert named in found.problem
    assert found.problem.isprintable()
    assert found.panels.rows == (2 if "chart_rows = 2" in text else 0)
    assert found.panels.charts == "all"
    assert found.theme is None


def test_where_it_is_kept_and_that_tests_read_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_file() is None, "the tests' own environment"
    assert write_settings(None, NAMES[0], Panels()) == ""
    monkeypatch.setenv("PERFTUI_CONFIG", str(tmp_path / "own.toml"))
    assert settings_file() == tmp_path / "own.toml"
    monkeypatch.delenv("PERFTUI_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_file() == tmp_path / "perftui" / "config.toml"
    assert read_settings(tmp_path, NAMES).problem != "", "a folder is no file"
    assert read_settings(tmp_path / "none.toml", NAMES).problem == ""


def test_charts_and_theme_are_remembered_from_one_start_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    monkeypatch.setenv("PERFTUI_CONFIG", str(file))

    async def steps(stage: Stage) -> None:
        app = stage.app
        assert isinstance(app, TerminalApp)
        app.take_settings()
        await stage.press("H")
        await stage.settled()
        assert read_settings(file, NAMES).panels == Panels("memory")
        app.theme = NAMES[1]
        await stage.settled()
        assert read_settings(file, NAMES)[:2] == (NAMES[1], Panels("memory"))

    play(steps)
    app: TerminalApp[int] = TerminalApp()
    assert app.settings.panels == Panels(), "not before it is told to"
    app.take_settings()
    assert (app.theme, app.settings.panels) == (NAMES[1], Panels("memory"))


def test_no_key_is_bound_twice() -> None:
    bound = [word for key in KEYS for word in key.keys.split(",") if word]
    bound += [pane.key for pane in PANES]
    assert sorted({key for key in bound if bound.count(key) > 1}) == []
