"""The virtual table: only what is seen is formatted, what is chosen stays chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.screens.pane_stage import Stage, on_stage, text_of

from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.pilot import Pilot

COLUMNS = (
    Column("name"),
    Column("value", 8, right=True),
    Column("extra", 12, rank=2),
    Column("more", 12, rank=1),
)


def section(names: Sequence[str], formatted: list[int] | None = None) -> Section:
    def row(index: int) -> Row:
        if formatted is not None:
            formatted.append(index)
        return Row((names[index], str(index), "extra", "more"))

    return Section(COLUMNS, names, row, 1)


def test_only_rows_that_are_seen_are_formatted() -> None:
    table = Table()
    formatted: list[int] = []

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        table.fill([section([f"row{n}" for n in range(50_000)], formatted)])
        await pilot.pause()
        assert set(formatted) == set(range(19))
        formatted.clear()
        table.move_top(40_000)
        assert set(formatted) == set(range(40_000, 40_019))
        assert text_of(table).splitlines()[1].split()[0] == "row40000"

    on_stage(table, play, (80, 20))


def test_what_is_chosen_stays_chosen_when_rows_move() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        names = [f"row{n}" for n in range(100)]
        table.fill([section(names)])
        table.focus()
        await pilot.press("down", "down", "down")
        assert table.cursor == "row2"
        moved = names[3:60] + names[:3] + names[60:]
        table.fill([section(moved)])
        assert table.cursor == "row2"
        seen = [line for line in text_of(table).splitlines() if line.startswith("▌")]
        assert len(seen) == 1, "the chosen row is kept in sight"
        assert "row2 " in seen[0]
        table.fill([section(["a", "b"])])
        assert table.cursor is None

    on_stage(table, play, (80, 20))


def test_a_row_out_of_sight_does_not_pull_the_table_back() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        names = [f"row{n}" for n in range(100)]
        table.fill([section(names)])
        table.choose("row0")
        table.move_top(50)
        table.fill([section(names)])
        assert table.top == 50

    on_stage(table, play, (80, 20))


def test_columns_leave_in_the_order_of_their_rank() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        table.fill([section(["first"])])
        await pilot.pause()
        for width, titles in (
            (100, ["name", "value▼", "extra", "more"]),
            (60, ["name", "value▼", "more"]),
            (50, ["name", "value▼"]),
            (24, ["name", "value▼"]),
        ):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            assert text_of(table).splitlines()[0].split() == titles
            assert all(table.render_line(y).cell_length == width for y in range(10))

    on_stage(table, play, (100, 10))


def test_long_names_lose_their_middle_and_wide_ones_fit() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        names = ["a" * 60 + "_the_end", "文" * 40, "evil\x1b[2J\u202ename"]
        table.fill([section(names)])
        await pilot.pause()
        lines = text_of(table).splitlines()
        assert "…" in lines[1]
        assert "_the_end" in lines[1]
        assert "evil·name" in lines[3]
        for y in range(10):
            strip = table.render_line(y)
            assert sum(segment.cell_length for segment in strip) == 60

    on_stage(table, play, (60, 10))


def test_keys_click_and_enter() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        table.fill([section([f"row{n}" for n in range(100)])], head=("100 rows", "of nothing"))
        table.focus()
        await pilot.pause()
        await pilot.press("pagedown")
        assert table.cursor == "row18"
        await pilot.press("ctrl+end")
        assert table.cursor == "row99"
        assert "83–100 of 100" in text_of(table)
        await pilot.press("ctrl+home", "enter")
        await pilot.click(table, (5, 4))
        assert table.cursor == "row2"
        await pilot.click(table, (5, 4))
        title = text_of(table).splitlines()[1].index("value")
        await pilot.click(table, (title + 1, 1))
        await pilot.pause()

    stage = on_stage(table, play, (80, 20))
    opened = [m.key for m in stage.heard_of(Table.Activated) if isinstance(m, Table.Activated)]
    assert list(dict.fromkeys(opened)) == ["row0", "row2"]
    titles = {m.column for m in stage.heard_of(Table.TitleClicked) if hasattr(m, "column")}
    assert titles == {1}


def test_sections_have_their_own_headers_and_the_cursor_skips_them() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        other = Section((Column("other"),), ["x", "y"], lambda n: Row((f"cell{n}",)))
        table.fill([section(["a", "b"]), section([]), other])
        table.focus()
        await pilot.pause()
        lines = [line.strip() for line in text_of(table).splitlines()]
        assert lines[3:7] == ["", "other", "cell0", "cell1"]
        await pilot.press("down", "down", "down")
        assert table.cursor == "x"
        await pilot.press("up")
        assert table.cursor == "b"
        await pilot.press("up", "up", "up")
        assert table.cursor == "a"

    on_stage(table, play, (80, 20))


def test_an_empty_table_says_why() -> None:
    table = Table()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        table.fill([section([])], empty=("there is nothing", "because of this"))
        table.focus()
        await pilot.press("down", "enter", "pagedown")
        assert "there is nothing" in text_of(table)
        assert "because of this" in text_of(table)

    on_stage(table, play, (80, 20))


def test_a_figure_never_touches_the_word_behind_it() -> None:
    columns = (Column("name", 6), Column("peak", 8, right=True), Column("n", 3, right=True),
               Column("what it is", words=True))  # fmt: skip
    table = Table()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        table.fill([Section(columns, ["a"], lambda _: Row(("heap", "12.34 GB", "123", "words")))])
        await pilot.pause()
        head, row = text_of(table).splitlines()[:2]
        assert "12.34 GB 123  words" in row
        assert head.index("what it is") == row.index("words")
        await pilot.click(table, (head.index("what"), 0))
        clicked = stage.heard_of(Table.TitleClicked)[-1]
        assert clicked.column == 3  # type: ignore[attr-defined]

    on_stage(table, scene, size=(80, 8))
