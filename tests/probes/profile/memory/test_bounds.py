"""To which bound the program's own code keeps a container, by its source."""

from __future__ import annotations

from textwrap import dedent

import pytest

from perftui.probes.profile.memory.bounds import bound_of

MODULE = dedent("""\
    import heapq, logging
    MOST = 10 * 1000
    CACHE, ROWS, SEEN, HEAP, LATER, SOME = {}, [], set(), [], [], []

    def lru(key):                                   # line 5
        CACHE[key] = load(key)
        while len(CACHE) > MOST:
            CACHE.popitem()

    def cut(row):                                   # line 10
        ROWS.append(row)
        if len(ROWS) >= 500:
            del ROWS[:100]

    def refused(key):                               # line 15
        if len(SEEN) >= 1 << 10:
            raise OverflowError
        SEEN.add(key)

    def best(x):                                    # line 20
        if len(HEAP) < 300 and x:
            heapq.heappush(HEAP, x)
        else:
            heapq.heappushpop(HEAP, x)

    def window(now):                                # line 26
        recent = []
        for x in now:
            recent.append(x)
            while recent and recent[0].at < x - 10:
                recent.pop(0)

    def only_said(x):                               # line 33
        if len(LATER) > 100:
            logging.warning("many")
        LATER.append(x)

    def taken_out(x):                               # line 38
        SOME.append(x)
        while SOME:
            yield SOME.pop()

    class Cache:
        most = 64

        def __init__(self, limit):
            self.limit, self.items, self.old = limit, {}, {}

        @property
        def put(self):                              # line 50
            self.items[1] = 2
            self.evict()
            self.old[1] = 2

        def evict(self):
            if self.most < len(self.items):
                self.items.clear()
            if len(self.old) > self.limit:
                self.old = {}

    def outer():                                    # line 61
        buffer = []
        def put(x):                                 # line 63
            buffer.append(x)
            if len(buffer) == 7:
                flush(buffer)
                buffer.clear()
        return put
    """)


@pytest.mark.parametrize(
    ("what", "line", "most", "where"),
    [
        ("etl.CACHE", 5, 10_000, 7),
        ("etl.ROWS", 10, 500, 12),
        ("etl.SEEN", 15, 1024, 16),
        ("etl.HEAP", 20, 300, 21),
        ("recent in window", 26, None, 30),
        ("etl.ROWS[…]", 10, None, 12),
        ("etl.APP.items", 49, 64, 56),
        ("self in Cache.put.items", 50, 64, 56),
        ("cache in main.items", 50, 64, 56),
        ("etl.APP.old", 50, None, 58),
        ("buffer in outer.<locals>.put", 63, 7, 65),
        ("closure of etl.put: buffer", 63, 7, 65),
    ],
)
def test_code_that_keeps_to_a_bound(what: str, line: int, most: int | None, where: int) -> None:
    assert bound_of(MODULE, what, line) == (most, where)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("etl.LATER", 33),  # to say that there are many is to keep none out
        ("etl.SOME", 38),  # a reader that may be too slow
        ("etl.CACHE['a']", 5),  # of what is under a key nothing is said
        ("lru_cache of etl.lru", 5),
        ("etl.ROWS", 11),  # no function begins there: it is another source
        ("etl.MISSING", 5),
        ("", 5),
    ],
)
def test_code_that_says_nothing_of_a_bound(what: str, line: int) -> None:
    assert bound_of(MODULE, what, line) is None


@pytest.mark.parametrize(
    "source",
    [
        "def f(:",
        "\0",
        "x = " + "(" * 5000,
        "def f(x):\n    if len(x) > 0: x.pop()\n    x.append(1)",  # is there anything?
        "def f(x):\n    if len(x) > 3: x.append(1)",
    ],
)
def test_no_source_is_too_odd(source: str) -> None:
    assert bound_of(source, "x in f", 1) is None


def test_what_python_has_to_say_of_a_source_is_not_said(
    recwarn: pytest.WarningsRecorder,
) -> None:
    source = "def f(x):\n    if len(x) < 9: x.append('\\d' is 1)\n"
    assert bound_of(source, "x in f", 1) == (9, 2)
    assert not list(recwarn)


@pytest.mark.parametrize("bound", ["A", "B + 1", "2 ** 2000", "1 << 99", "-5", "limit()", "n"])
def test_numbers_that_nobody_can_tell_are_not_told(bound: str) -> None:
    source = f"A = B + 1\nB = A + 1\nX = []\ndef f(n):\n    if len(X) < {bound}: X.append(n)\n"
    assert bound_of(source, "m.X", 4) == (None, 5)


def test_a_default_that_is_too_deep_is_no_figure() -> None:
    """Where a Python parses it at all, it is a bound that nobody can tell."""
    deep = "+".join(["n"] * 9000)
    found = bound_of(f"def f(x, n={deep}):\n    if len(x) < n: x.append(1)", "x in f", 1)
    assert found is None or found.most is None


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("if len(cache) > most:", True),
        ("if most is not None and len(cache) > most:", False),
        ("if most and len(cache) > most:", False),
        ("if other is not None and len(cache) > most:", True),
    ],
)
def test_a_bound_that_there_need_not_be_is_none(asked: str, kept: bool) -> None:
    source = f"def keep(cache, key, most=None):\n cache[key] = 1\n {asked}\n  cache.popitem()\n"
    assert (bound_of(source, "cache in keep", 1) is not None) is kept


def test_a_bound_may_be_asked_for_around_it() -> None:
    source = (
        "def keep(cache, key, most):\n cache[key] = 1\n"
        " if most is None: return\n if len(cache) > most: cache.popitem()\n"
    )
    assert bound_of(source, "cache in keep", 1) is None
