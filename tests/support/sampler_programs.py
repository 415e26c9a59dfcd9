"""Programs, or what they begin with, that stacks are taken of."""

from __future__ import annotations

SPIN = """
import sys, time
def spin(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(20))
def go():
    print("go")
    sys.stdin.readline()
def end():
    print("done")
    sys.stdin.read()
"""
"""Works for so many seconds of CPU; waits to be told to begin, and to end."""
QUICK_CALLS = """
class Base:
    def __init__(self, value):
        object.__setattr__(self, "value", value)
    def __setattr__(self, name, value):
        self.check(name)
        object.__setattr__(self, name, value)
    def check(self, name):
        return name in ("a", "b", "name")
class Row(Base):
    def __init__(self, value, name):
        super().__init__(clean(value))
        self.name = name
    def __getitem__(self, name):
        return self.get(name)
    def get(self, name):
        return self.value[place(name)]
def clean(value):
    return order(tuple(value))
def order(value):
    return tuple(sorted(value))
def place(name):
    return {"a": 0, "b": 1}[name]
def rows():
    for number in range(20_000):
        yield number, Row([number, number + 1], number)
def loop():
    for _, row in rows():
        row["a"] * row["b"]
"""
"""A loop over a generator that makes an object in each turn and asks it twice: 2 µs, 15 calls."""
