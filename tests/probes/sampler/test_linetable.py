"""The line table against what each interpreter says of its own code."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perftui.probes.sampler.cpython.linetable import LineTable

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TELL = """
import argparse, asyncio.base_events, dataclasses, json, textwrap, types
def codes(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)
modules = [argparse, asyncio.base_events, dataclasses, textwrap]
out = []
for module in modules:
    source = open(module.__file__).read()
    for code in codes(compile(source, module.__file__, "exec")):
        units = [position[0] for position in code.co_positions()]
        out.append([code.co_linetable.hex(), code.co_firstlineno, units])
big = "x = 0\\n" + "\\n" * 70000 + "y = [\\n" + "x,\\n" * 500 + "]\\n" + "z = [x for x in y]\\n"
for code in codes(compile(big, "<big>", "exec")):
    units = [position[0] for position in code.co_positions()]
    out.append([code.co_linetable.hex(), code.co_firstlineno, units])
print(json.dumps(out))
"""


def lines_by_unit(table: LineTable) -> list[int | None]:
    ends = [*table.starts[1:], table.units]
    return [
        line
        for start, end, line in zip(table.starts, ends, table.lines, strict=True)
        for _ in range(start, end)
    ]


def test_every_instruction_has_the_line_that_the_interpreter_gives_it(python: str) -> None:
    told = subprocess.run([python, "-c", TELL], capture_output=True, text=True, check=True)
    codes = json.loads(told.stdout)
    assert len(codes) > 200
    for raw, first_line, units in codes:
        assert lines_by_unit(LineTable(bytes.fromhex(raw), first_line)) == units


@UNHURRIED
@given(st.binary(max_size=200), st.integers(-1, 2**31 - 1))
def test_any_bytes_are_a_table_or_refused(raw: bytes, first_line: int) -> None:
    try:
        table = LineTable(raw, first_line)
    except ValueError:
        return
    assert table.units <= 8 * len(raw)
    assert table.starts == sorted(set(table.starts))


def test_a_number_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="endless"):
        LineTable(bytes([0x80 | 13 << 3]) + b"\x7f" * 40 + b"\x01", 1)
