"""What is kept from one picture to the next is what would have been made anew."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style

from perftui.tui.terminal.tight_update import part_of
from perftui.tui.text.fit import width_of
from perftui.tui.widgets.draw.blocks import eighths, heights, hold_until
from perftui.tui.widgets.draw.canvas import strip_of
from perftui.tui.widgets.draw.changes import changed_columns
from perftui.tui.widgets.draw.kept_lines import KeptLines

if TYPE_CHECKING:
    from textual.strip import Strip

A, B = Style(color="#112233"), Style(color="#332211", bold=True)


def test_a_line_is_made_again_when_it_is_made_of_something_else() -> None:
    kept, made = KeptLines(), []

    def line(row: int, *made_of: object) -> Strip:
        def make() -> Strip:
            made.append((row, made_of))
            return strip_of([(repr(made_of), A)])

        return kept.line(row, made_of, make)

    first = line(0, "cpu", 1)
    assert line(0, "cpu", 1) is first
    assert line(1, "cpu", 1) is not first, "each row has its own"
    assert line(0, "cpu", 2).text == "('cpu', 2)"
    assert line(0, "cpu", 1).text == "('cpu', 1)", "only the last one is kept"
    kept.clear()
    line(0, "cpu", 1)
    assert len(made) == 5


def test_the_width_of_every_character_is_that_of_rich() -> None:
    wrong = [
        hex(code)
        for code in range(0x20, sys.maxunicode + 1)
        if width_of(chr(code)) != cell_len(chr(code)) and not chr(code).isascii()
    ]
    assert wrong == []


def test_a_part_of_a_line_is_what_textual_cuts_out() -> None:
    plain = strip_of([("abcdef", A), ("▁▂▃", B), (" " * 7, None)])
    wide = strip_of([("ab", A), ("日本語", B), ("xyz", None)])
    for strip in (plain, wide):
        for start in range(strip.cell_length):
            for end in range(start + 1, strip.cell_length + 1):
                cut = [(text, style) for text, style, _ in strip.crop(start, end) if text]
                assert [part for part in part_of(strip, start, end) if part[0]] == cut


def test_the_stretches_that_changed_begin_and_end_with_a_wide_cell_that_did() -> None:
    chance = random.Random(7)

    def line() -> Strip:
        return strip_of(
            ("".join(chance.choices("a日", k=chance.randrange(12))), chance.choice((A, B, None)))
            for _ in range(chance.randrange(1, 7))
        )

    def cells(strip: Strip) -> list[tuple[str, Style | None]]:
        return [
            (char, style)
            for text, style, _ in strip
            for char in text
            for _ in range(cell_len(char))
        ]

    for _ in range(1000):
        old, new = line(), line()
        was, now = cells(old), cells(new)
        columns = range(max(len(was), len(now)))
        differ = {n for n in columns if was[n : n + 1] != now[n : n + 1]}
        spans = changed_columns(old, new)
        assert differ <= {n for start, end in spans for n in range(start, end)}
        assert all({start, end - 1} <= differ for start, end in spans)


def test_heights_of_a_line_are_those_of_its_values() -> None:
    values = [None, 0.0, -1.0, 1e-9, 3.5, 3.5, 50, 99.9, 1e12, float("inf"), float("nan")]
    for top in (0.0, 1.0, 100.0, float("inf")):
        for rows in (1, 4):
            for _ in range(2):
                expected = [eighths(value, top, rows) for value in values]
                assert heights(values, top, rows) == expected


def test_holes_are_held_and_the_end_goes_on_to_now() -> None:
    assert hold_until([None, 1.0, None, 2.0, None, None, None], 5, 1) == [
        *(None, 1.0, 1.0, 2.0),
        *(2.0, 2.0, None),
    ]
    assert hold_until([1.0, 2.0], 1, 3) == [1.0, 2.0]
    assert hold_until([None, None], 1, 3) == [None, None]
    assert hold_until([], 1, 3) == []
