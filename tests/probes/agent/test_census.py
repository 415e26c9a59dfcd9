"""What a census finds by which path, and what it must never do; in one program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AGENT = Path(__file__).resolve().parents[3] / "probes" / "agent"
PROGRAM = r"""
import collections, functools, gc, importlib.util, json, sys

def load(name):
    full = "_perftui_agent_growth_" + name
    spec = importlib.util.spec_from_file_location(full, sys.argv[1] + "/growth/%s.py" % name)
    sys.modules[full] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]

kinds, census, keepers = map(load, ("kinds", "census", "keepers"))
called = []

class Evil:
    def __len__(self): called.append("len"); return 3
    def __repr__(self): called.append("repr"); return "evil"
    def __sizeof__(self): called.append("sizeof"); return 1
    def __iter__(self): called.append("iter"); return iter(())
    def __eq__(self, other): called.append("eq"); return True
    __hash__ = object.__hash__
    def __getattribute__(self, name): called.append(name); raise AttributeError(name)
    @property
    def __class__(self): called.append("class"); return dict

class Meta(type):
    def __getattribute__(cls, name):
        called.append("meta " + name)
        return type.__getattribute__(cls, name)
    def __instancecheck__(cls, value): called.append("instancecheck"); return True
    def __subclasscheck__(cls, kind): called.append("subclasscheck"); return True
    def __len__(cls): called.append("meta len"); return 9

class Made(metaclass=Meta):
    pass

class OddDict(dict):
    def __len__(self): called.append("odd len"); return 10**9
    def values(self): called.append("odd values"); return []
    def __iter__(self): called.append("odd iter"); return iter(())

class App:
    seen = []
    def __init__(self):
        self.users = {}
        self.log = collections.deque()
        self.by_day = {"mon": [], "tue": []}

class Slots:
    __slots__ = ("rows",)
    def __init__(self): self.rows = []

class Node:
    def __init__(self, next): self.next = next

def counter():
    mine = []
    def add(x): mine.append(x)
    return add

def into_default(x, into=[]): into.append(x)

@functools.lru_cache(None)
def parse(x): return [x] * 100

@functools.lru_cache(5000)
def parse_some(x): return [x] * 100

GLOBAL, ODD, EVIL, MADE = {}, OddDict(), [Evil() for _ in range(100)], [Made()]
BUFFER = bytearray(100_000)
MANY = [{} for _ in range(1000)]
FEW = {n: [] for n in range(1000)}
app, slots, add = App(), Slots(), counter()

def grow(n, local):
    for i in range(n):
        key = (n, i)
        GLOBAL[key] = bytes(1000)
        ODD[key] = i
        EVIL.append(Evil())
        MADE.append(Made())
        App.seen.append(key)
        app.users[key] = {"n": i, "tags": ["a"] * 10}
        app.log.append("x" * 500)
        app.by_day["mon"].append(i)
        slots.rows.append(i)
        add(i)
        into_default(i)
        parse(key)
        parse_some(key)
        local.append(key)
    BUFFER.extend(bytes(5000 * n))
    for each in FEW.values():
        each.append(n)

def take(keep):
    slices = census.Slices(30.0, 10**6, lambda: False)
    walk = census.Census(gc, slices, (), keep=keep)
    walk.take()
    return walk, slices

def main():
    local = []
    grow(50, local)
    before = keepers.numbers(take(False)[0].found)
    grow(100, local)
    walk, slices = take(True)
    keepers.MOST_TOLD, keepers.OF_THE_LARGEST, keepers.LEAST_TOLD_BYTES = 1000, 0.0, 0.0
    grown = keepers.grown_between(before, walk, gc.get_referents)
    bounded = census.Slices(30.0, 500, lambda: False)
    census.Census(gc, bounded, ()).take()
    poor = census.Slices(0.0, 10**6, lambda: False)
    census.Census(gc, poor, ()).take()
    print(json.dumps({
        "called": called,
        "rows": {
            row.path: [row.held.kind, row.of, row.entries, row.held.entries, row.bytes,
                       [code.co_name for code in keepers.fillers(row.held.owner, row.path)]]
            for row in grown
        },
        "bounded": bounded.bounded,
        "poor": poor.bounded,
        "whole": slices.bounded,
    }))

main()
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    script = tmp_path_factory.mktemp("census") / "program.py"
    script.write_text(PROGRAM)
    argv = [sys.executable, str(script), str(AGENT)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("path", "kind", "of", "came", "filler"),
    [
        ("__main__.GLOBAL", "dict", "bytes", 100, "grow"),
        ("__main__.ODD", "OddDict", "int", 100, "grow"),
        ("__main__.EVIL", "list", "Evil", 100, "grow"),
        ("__main__.App.seen", "list", "tuple", 100, "grow"),
        ("__main__.app.users", "dict", "dict", 100, "grow"),
        ("__main__.app.log", "deque", "str", 100, "grow"),
        ("__main__.app.by_day['mon']", "list", "int", 100, "grow"),
        ("__main__.slots.rows", "list", "int", 100, "grow"),
        ("closure of __main__.add: mine", "list", "int", 100, "add"),
        ("default of __main__.into_default", "list", "int", 100, "into_default"),
        ("lru_cache of __main__.parse", "lru_cache", "list", 100, "parse"),
        ("lru_cache of __main__.parse_some", "lru_cache", "", 100, "parse_some"),
        ("local in main", "list", "tuple", 100, "grow"),
        ("__main__.BUFFER", "bytearray", "", 0, "grow"),
    ],
)
def test_what_grew_has_its_path_and_the_code_that_fills_it(
    found: Any, path: str, kind: str, of: str, came: int, filler: str
) -> None:
    row = found["rows"][path]
    assert row[0] == kind
    assert not of or row[1] == of
    assert row[2] == came
    assert filler in row[5]


def test_bytes_are_those_of_what_came(found: Any) -> None:
    rows = found["rows"]
    assert 100_000 < rows["__main__.GLOBAL"][4] < 130_000
    assert rows["__main__.BUFFER"][4] >= 500_000
    assert 80_000 < rows["lru_cache of __main__.parse"][4] < 130_000


def test_each_of_many_alike_that_grew_is_found_by_some(found: Any) -> None:
    kind, of, came, total, _, _ = found["rows"]["__main__.FEW[…]"]
    assert (kind, of) == ("list", "int")
    assert came == pytest.approx(1000)
    assert total == pytest.approx(2000)


def test_nothing_of_the_program_is_called(found: Any) -> None:
    assert found["called"] == []


def test_a_walk_ends_where_it_may_not_go_on_and_says_so(found: Any) -> None:
    assert found["whole"] == ""
    assert 500 < int(found["bounded"].removesuffix(" objects")) < 600
    assert " objects in " in found["poor"]
