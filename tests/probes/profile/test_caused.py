"""Whose doing an import is, and what of a first call was importing."""

from __future__ import annotations

import pytest

from perftui.probes.agent.imports import cause
from perftui.probes.profile.caused import cause_words, first_call_words, phases_of, within
from perftui.probes.spine.reader import Import, Phase
from perftui.probes.spine.records import Call

S = 1_000_000_000
BOOT = ("<frozen importlib._bootstrap>", 1371, "_find_and_load")
UTIL = ("/usr/lib/python3.12/importlib/__init__.py", 90, "import_module")
USE = ("/app/etl.py", 19, "convert")


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ([], USE),
        ([UTIL], USE),
        ([("/site/scipy/__init__.py", 3, "__getattr__")], USE),
        ([UTIL, ("/site/transformers/_lazy.py", 8, "_load"), ("/x.py", 1, "__getattr__")], USE),
        ([UTIL, ("/site/lazy_loader/__init__.py", 77, "__getattr__")], USE),
        ([("/a.py", 1, "__getattribute__"), ("/b.py", 2, "__getattr__")], USE),
        # Far below an attribute that was asked for, the code between is the cause.
        (
            [("/app/db.py", n, f"step{n}") for n in range(4)] + [("/a.py", 1, "__getattr__")],
            ("/app/db.py", 0, "step0"),
        ),
    ],
)
def test_the_cause_is_who_asked(
    between: list[tuple[str, int, str]], expected: tuple[str, int, str]
) -> None:
    file, line, function = expected
    outer = ("/app/etl.py", 40, "<module>")
    assert cause((BOOT, *between, USE, outer)) == (function, file, line)


def test_nobody_is_the_cause_where_nothing_is_known() -> None:
    assert cause(()) is None
    assert cause((BOOT, UTIL)) is None


def imported(
    n: int, t_s: float, took_s: float, parent: int | None = None, **more: object
) -> Import:
    row = Import(7, n, parent, f"m{n}", round(t_s * S), S, round(took_s * S), 0, False, True, 8)
    return row._replace(**more)  # type: ignore[arg-type]


def test_words_of_a_cause() -> None:
    at = {"function": "convert", "file": "/app/etl.py", "line": 21}
    assert cause_words(imported(1, 0, 1, **at, lazy=True)) == "lazy, by convert etl.py:21"
    assert cause_words(imported(1, 0, 1, **at)) == "by convert etl.py:21"
    at["function"] = "<module>"
    assert cause_words(imported(1, 0, 1, **at, lazy=True)) == "lazy, by top level etl.py:21"
    assert cause_words(imported(1, 0, 1, **at)) == "", "that is where imports stand"
    assert cause_words(imported(1, 0, 1)) == ""


def test_a_first_call_has_waited_for_the_outermost_imports_of_its_thread() -> None:
    call = Call(5 * S, 7, 8, "convert", 1, 2 * S, True)
    inside, below = imported(1, 3.5, 1), imported(2, 3.6, 0.5, parent=1)
    others = (imported(3, 2.8, 0.2), imported(4, 4.5, 1), imported(5, 3.5, 0.1, tid=9))
    assert within(call, [inside, below, *others]) == (inside,)
    at_once = imported(7, 2.99, 0.2)
    assert within(call, [at_once]) == (at_once,), "the call was told a moment after its end"
    of_another = imported(6, 3.5, 0.1, parent=3)
    assert within(call, [of_another]) == (of_another,)


def test_words_of_a_first_call() -> None:
    row = {"module": "decimal", "s": 0.0131, "lazy": True, "file": "/app/etl.py", "line": 19}
    assert first_call_words(0.0137, [row]) == "of it 13.1 ms lazily imported decimal, etl.py:19"
    more = {**row, "module": "json", "s": 0.0004, "lazy": False}
    words = first_call_words(0.0137, [more, row])
    assert words == "of it 13.5 ms lazily imported decimal and 1 more, etl.py:19"
    assert first_call_words(1.0, [row]) == "", "that is not what it took its time for"
    assert first_call_words(1.0, []) == ""


def test_the_phase_is_the_innermost_of_the_process() -> None:
    def phase(n: int, name: str, depth: int, t0: float, t1: float | None, pid: int = 7) -> Phase:
        end = None if t1 is None else round(t1 * S)
        return Phase(pid, n, None, name, depth, round(t0 * S), end, None, None, None, None)

    phases = [
        phase(1, "run", 0, 0, None),
        phase(2, "load", 1, 1, 2),
        phase(3, "use", 1, 2, 4),
        phase(4, "of another", 2, 2, 4, pid=9),
    ]
    rows = [imported(1, 4.5, 1), imported(2, 2.5, 1), imported(3, 1.5, 1, pid=9)]
    assert phases_of(rows, phases) == {(7, 1): "run", (7, 2): "use"}
    assert phases_of(rows[:1], phases[1:]) == {}
