"""What stands on the board of orders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from perftui.probes.agent_link.order_board import KEPT, MOST_BYTES, OrderBoard

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def board() -> Iterator[OrderBoard]:
    made = OrderBoard()
    yield made
    made.close()


def ask(board: OrderBoard, pid: int, *suspects: tuple[str, str, int]) -> None:
    board.ask_for_growth(pid, seconds=3, budget_s=0.05, most_objects=1000, suspects=suspects)


def text(board: OrderBoard) -> list[str]:
    return os.pread(board.fd, 1 << 16, 0).decode().split("\n")


def test_the_last_orders_stand_between_the_newest_number(board: OrderBoard) -> None:
    ask(board, 7, ("/a.py", "f", 1), ("/a.py", "C.g", 22))
    board.ask_for_release(8)
    first = ["1\tgrowth\t7\t3\t0.05\t1000", "/a.py\tf\t1", "/a.py\tC.g\t22", ""]
    assert text(board) == [f"{2:016d}", *first, "2\trelease\t8", "", "", f"{2:016d}"]
    for _ in range(KEPT):
        board.ask_for_release(9)
    lines = text(board)
    assert lines[1] == "3\trelease\t9"
    assert lines[-1] == lines[0] == f"{KEPT + 2:016d}"
    for _ in range(KEPT):
        ask(board, 7, ("/a.py" * 2_000, "f", 1))
    assert os.fstat(board.fd).st_size < 2 * MOST_BYTES
    assert text(board)[-4].startswith("/a.py/a.py")


def test_what_would_break_a_line_is_left_out(board: OrderBoard) -> None:
    ask(board, 7, ("/a\tb.py", "f", 1), ("/a\nb.py", "f", 1), ("/a.py", "good", 1))
    assert text(board)[2:-3] == ["/a.py\tgood\t1"]


def test_an_order_that_is_too_long_is_not_written(board: OrderBoard) -> None:
    ask(board, 7)
    before = text(board)
    ask(board, 7, ("/a.py" * 10_000, "f", 1))
    assert text(board) == before


def test_nobody_is_asked_once_it_is_closed(board: OrderBoard) -> None:
    board.close()
    ask(board, 7)
    board.close()
