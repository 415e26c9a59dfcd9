"""tracemalloc over a window, asked of real programs of every Python through the board."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from support.asked import Asked, until_it_is_asked

if TYPE_CHECKING:
    from pathlib import Path

LEAK = """\
import sys, threading
KEPT = []
over = threading.Event()
def hoard():
    KEPT.append(bytearray(100_000))
def churn():
    return len(bytearray(100_000))
def work():
    while not over.wait(0.002):
        hoard()
        churn()
worker = threading.Thread(target=work)
worker.start()
print("ready", flush=True)
sys.stdin.read()
over.set()
worker.join()
import _tracemalloc
print("on" if _tracemalloc.is_tracing() else "off", "tracemalloc" in sys.modules)
"""


def started(python: str, folder: Path, code: str = LEAK) -> Asked:
    script = folder / "leak.py"
    script.write_text(code)
    program = Asked([python, str(script)], {"PATH": os.environ["PATH"]})
    assert program.process.stdout is not None
    if program.process.stdout.readline() != b"ready\n":
        pytest.fail(program.end()[2].decode())
    return program


def traced(program: Asked, seconds: float = 0.5) -> None:
    assert program.channel.board is not None
    program.channel.board.ask_for_tracemalloc(program.process.pid, seconds)
    program.until(program.told("tracemalloc", "traced"))


def test_what_came_and_is_still_there(python: str, tmp_path: Path) -> None:
    program = started(python, tmp_path)
    traced(program)
    (look,) = program.of("growth_look")
    first = program.of("traced")[0]
    place = first["stack"].split("\n")
    assert place[:2] == [f"{tmp_path}/leak.py:5", f"{tmp_path}/leak.py:10"]
    assert first["bytes"] >= 49_000 * first["blocks"] > 0, "an object and its buffer each"
    assert look["t"] - look["t0"] >= 500_000_000 and not look["note"]
    whole = sum(row["bytes"] for row in program.of("traced"))
    # One of churn's may be there at the moment, and what the list and the loop have.
    assert whole - first["bytes"] < 150_000, "what churn had was freed again"
    assert program.end() == (0, b"off False\n", b"")


def test_a_program_that_traces_itself_keeps_its_traces(tmp_path: Path) -> None:
    code = "import tracemalloc\ntracemalloc.start(3)\nEARLY = [bytearray(5_000_000)]\n" + LEAK
    program = started(sys.executable, tmp_path, code)
    traced(program)
    first = program.of("traced")[0]
    assert first["stack"].startswith(f"{tmp_path}/leak.py:8")
    assert not any(":3\n" in row["stack"] + "\n" for row in program.of("traced")), "it was before"
    assert program.end() == (0, b"on True\n", b"")


def test_one_that_ends_meanwhile_tells_what_came(tmp_path: Path) -> None:
    heard = "most = len(KEPT) + 50\nwhile len(KEPT) < most: over.wait(0.01)"
    code = LEAK.replace("sys.stdin.read()", until_it_is_asked("_traced") + heard)
    program = started(sys.executable, tmp_path, code)
    traced(program, 10_000)
    assert program.of("growth_look")[0]["by"] == "tracemalloc"
    assert program.end()[0] == 0


def test_too_many_blocks_end_it_early(tmp_path: Path) -> None:
    code = LEAK.replace("KEPT.append(bytearray(100_000))", "KEPT.append([[] for _ in range(5000)])")
    program = started(sys.executable, tmp_path, code)
    traced(program, 10_000)
    assert "ended early" in program.of("growth_look")[0]["note"]
    assert program.end()[:2] == (0, b"off False\n")
