"""What may ask for input is told before the program finds nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.target.output.asks import may_ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("x = 1\ntry:\n    input('name? ')\nexcept EOFError:\n    pass", "-c:3"),
        ("import sys\nfor line in sys.stdin: print(line)", "-c:2"),
        ("import sys\nrows = [r for r in sys.stdin.buffer]", "-c:2"),
        ("import sys, json\njson.load(sys.stdin)", "-c:2"),
        ("from sys import stdin\nstdin.readline()", "-c:2"),
        ("import sys\nif sys.stdin.isatty(): print('a terminal')", None),
        ("import subprocess\nsubprocess.run(['x'], stdin=subprocess.DEVNULL)", None),
        ("print('input(1)')  # input()", None),
        ("def f(: input()", None),
    ],
)
def test_code_that_may_ask_for_input(code: str, where: str | None) -> None:
    assert may_ask(["python3", "-X", "dev", "-c", code]) == where


def test_a_script_is_looked_at_where_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text("import time\n\n\nwho = input()\n")
    assert may_ask(["python3", "-u", "load.py", "-c", "1"], str(tmp_path)) == "load.py:4"
    assert may_ask(["python3", "load.py"], str(tmp_path / "elsewhere")) is None
    assert may_ask(["python3", "-m", "load"], str(tmp_path)) == "load.py:4"
    (tmp_path / "etl" / "step").mkdir(parents=True)
    (tmp_path / "etl" / "step" / "__main__.py").write_text("import sys\nsys.stdin.read()\n")
    assert may_ask(["python3", "-m", "etl.step"], str(tmp_path)) == "__main__.py:2"
    assert may_ask(["python3", "-m", "etl"], str(tmp_path)) is None
    assert may_ask(["python3", "-m"], str(tmp_path)) is None
    assert may_ask(["/bin/cat", "x"]) is None
