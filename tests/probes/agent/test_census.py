"""What a census finds by which path, and what it must never do; in one program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.pythons import interpreters

AGENT = Path(__file__).resolve().parents[3] / "probes" / "agent"
PROGRAM = r"""
import array, collections, ctypes, functools, gc, importlib.util, io, json, queue, sys, time, types
import threading

def load(name):
    full = "_perftui_agent_growth_" + name
    spec = importlib.util.spec_from_file_location(full, sys.argv[1] + "/growth/%s.py" % name)
    sys.modules[full] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]

kinds, pace, found, census, keepers = map(
    load, ("kinds", "pace", "found", "census", "keepers")
)
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
    def __hash__(cls): called.append("meta hash"); return 7
    def __eq__(cls, other): called.append("meta eq"); return True
    def mro(cls): return type.mro(cls)

class Made(metaclass=Meta):
    def __del__(self): called.append("del")
    def __hash__(self): called.append("hash"); return 1
    def __getattr__(self, name): called.append("getattr " + name); raise AttributeError(name)

class OddGlobals(dict):
    def get(self, *_): called.append("odd get")
    def __getitem__(self, name): return dict.__getitem__(self, name)

class Local(threading.local):
    def __init__(self): called.append("local in " + threading.current_thread().name); self.rows = []

class Wide: pass

class OddDict(dict):
    def __len__(self): called.append("odd len"); return 10**9
    def values(self): called.append("odd values"); return []
    def __iter__(self): called.append("odd iter"); return iter(())

class Plugin(types.ModuleType):
    def __sizeof__(self): called.append("sizeof of a module"); return 1

class Text(str):
    def __len__(self): called.append("text len"); return 0
    def __sizeof__(self): called.append("text sizeof"); return 1

class Page(bytearray):
    def __init__(self, size):
        super().__init__(size)
        self.marks = ["x" * (size - 1000)]

class App:
    seen = []
    def __init__(self):
        self.users = {}
        self.log = collections.deque()
        self.recent = collections.deque(maxlen=5000)
        self.by_day = {"mon": [], "tue": []}

class Cached:
    @functools.lru_cache(None)
    def parse(self, x): return [x] * 100

class Pool:
    def __init__(self, most):
        self.capacity = most
        self.rows = []

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
NUMBERS, FILE, SIMPLE = array.array("d", [1.0] * 20_000), io.BytesIO(), queue.SimpleQueue()
FILE.write(bytes(100_000))
MANY = [{} for _ in range(1000)]
BY_WORD = collections.defaultdict(list, {n: [] for n in range(3000)})
FEW = {n: [] for n in range(1000)}
odd_globals = OddGlobals(__name__="__main__", __builtins__=__builtins__)
exec("def odd_function(): pass", odd_globals)
odd_function = odd_globals["odd_function"]
TREE, COLUMNS, ONE_OF, LARGE_ONE = {}, *({name: [] for name in "abcdef"} for _ in range(3))
LOCAL, WIDE, PAGES, NAMES = Local(), Wide(), [], types.ModuleType("names")
called.clear()
NAMES.__file__ = __file__ + "_"
sys.modules["names"] = NAMES
app, slots, add, cached = App(), Slots(), counter(), Cached()
PADDED, ZEROS = [], []
PLUGINS, TEXTS, TORN, BY_NUMBER = [], [], [], {10**5000: [], "k" * 90: []}
POOL, SMALL_POOL, LIMITED = Pool(5000), Pool(20), queue.Queue(maxsize=5000)
INBOX, shared = queue.Queue(), types.ModuleType("shared")
shared.__file__, shared.LEDGER = __file__ + "_", []
sys.modules["shared"] = shared

def receive(x):
    INBOX.put([x] * 100)

def book(x):
    shared.LEDGER.append([x] * 100)

for n in range(300):
    setattr(WIDE, "first_%d" % n, [n] * 100)

def grow(n, local):
    for i in range(n):
        key = (n, i)
        GLOBAL[key] = bytes(1000)
        ODD[key] = i
        EVIL.append(Evil())
        MADE.append(Made())
        PLUGINS.append(Plugin("plugin"))
        TEXTS.append(Text("x" * 3000))
        TORN.append(Page(3000))
        BY_NUMBER[10**5000].append([i] * 100)
        App.seen.append(key)
        app.users[key] = {"n": i, "tags": ["a"] * 10}
        app.log.append("x" * 500)
        app.recent.append("y" * 500)
        app.by_day["mon"].append(i)
        slots.rows.append(i)
        POOL.rows.append(i)
        PADDED.append([0.0] * 1500)
        ZEROS.append([i % 9 for i in range(1500)])
        SMALL_POOL.rows.append(i)
        LIMITED.put(key)
        add(i)
        into_default(i)
        parse(key)
        cached.parse(key)
        receive(key)
        book(key)
        parse_some(key)
        local.append(key)
        SIMPLE.put(["a"] * 100)
        LOCAL.rows.append([i] * 100)
        at = TREE
        for k in range(4):
            at = at.setdefault(str((i >> k) % 3), {})
        at[key] = [i] * 100
        for rows in COLUMNS.values():
            rows.append(i)
        ONE_OF["c"].append(i)
        for rows in LARGE_ONE.values():
            rows.append(i)
        setattr(WIDE, "of_%d_%d" % key, [i] * 100)
        setattr(NAMES, "of_%d_%d" % key, [i] * 100)
        PAGES.append(ctypes.create_string_buffer(b"x" * 5000))
    LARGE_ONE["b"].append(bytes(3_000_000))
    BUFFER.extend(bytes(5000 * n))
    NUMBERS.extend([1.0] * 5000 * n)
    FILE.write(bytes(5000 * n))
    for each in FEW.values():
        each.append(n)

def take(keep):
    slices = pace.Slices(gc, 30.0, 10**6, lambda: False)
    walk = census.Census(gc, slices, (), keep=keep)
    walk.take()
    return walk, slices

def many():
    # A walk that meets more than it may keep waiting.
    census.MOST_CHUNKS = 1
    slices = pace.Slices(gc, 30.0, 10**6, lambda: False)
    census.Census(gc, slices, ()).take()
    return slices.bounded

def asked_in_whole():
    # All that a large container holds is asked for in one go by nothing.
    asked = []
    def referents(*values):
        asked.extend(str(type(each)) for each in values if type(each) is type(BY_WORD))
        return gc.get_referents(*values)
    watched = types.SimpleNamespace(
        get_referents=referents, **{name: getattr(gc, name) for name in
        ("get_stats", "get_threshold", "get_count", "isenabled")}
    )
    slices = pace.Slices(watched, 30.0, 10**6, lambda: False)
    census.Census(watched, slices, ()).take()
    return asked

def let_go_in_pieces():
    # A walk that ends while much is waiting to be looked at.
    census.MOST_CHUNKS, census.CHUNK, pieces = 2000, 50, []
    slices = pace.Slices(gc, 30.0, 3000, lambda: False)
    slices.rest = lambda: pieces.append(1)
    census.Census(gc, slices, ()).take()
    return [slices.bounded, len(pieces)]

def waiting_at_once(nearest):
    # Places of a bushy tree that wait, and how many texts they have, for all that it looks at.
    census.MOST_CHUNKS, census.CHUNK, census.NEAREST_CHUNKS = 2000, 50, nearest
    tree = [[[[n] for n in range(20)] for _ in range(20)] for _ in range(20)]
    waiting, texts = [0], set()
    class Chunks(list):
        def append(self, chunk):
            list.append(self, chunk)
            waiting[0] = max(waiting[0], len(self))
            texts.update(id(each) for each in chunk[1::5] if each.startswith("tree in "))
    slices = pace.Slices(gc, 30.0, 10**6, lambda: False)
    walk = census.Census(gc, slices, ())
    through = walk._through
    walk._through = lambda chunks: through(Chunks(chunks))
    walk.take()
    return [slices.bounded, waiting[0], len(texts)]

def grown_under_another_name():
    # It is reached by a variable of whichever function runs, and grows by 5 meanwhile.
    rows = [[[n] * 100 for n in range(400)]]
    def first(asked):
        return take(False)[0].found
    def second(kept):
        return take(True)[0]
    before = first(rows[0])
    rows[0] += [[n] * 100 for n in range(5)]
    walk = second(rows.pop())
    into = pace.Slices(gc, 30.0, 10**6, lambda: False)
    grown = keepers.grown_between(before, walk, gc.get_referents, into)
    return [[row.path, row.entries] for row in grown if "kept in " in row.path]

def collections_in_a_walk():
    # A collection is due: the program has the time to do it itself before a slice begins. Then
    # one falls into a slice.
    met, others, waits = [], [], []
    def began(phase, info):
        met.append(phase)
    def others_turn(seconds):
        waits.append(seconds)
        others.extend([[n] for n in range(400)])
    gc.collect()
    while gc.get_threshold()[0] - gc.get_count()[0] > 20:
        others.append([1])
    gc.callbacks.append(began)
    pace.time = types.SimpleNamespace(thread_time=time.thread_time, sleep=others_turn)
    asked = pace.Slices(gc, 30.0, 10**6, lambda: False)
    pace.time = time
    in_pauses = len(met)
    while asked.step() and not asked._has_collected():
        others.append([1])
    others.append(sum(n * n for n in range(1_000_000)))
    asked.over()
    gc.callbacks.remove(began)
    return [len(waits), in_pauses, asked.collected_s]

def main():
    local = []
    grow(50, local)
    before = take(False)[0].found
    grow(100, local)
    for n in range(300):
        setattr(WIDE, "more_%d" % n, [n] * 100)
    walk, slices = take(True)
    keepers.MOST_TOLD, keepers.OF_THE_LARGEST, keepers.LEAST_TOLD_BYTES = 1000, 0.0, 0.0
    into = pace.Slices(gc, 30.0, 10**6, lambda: False)
    grown = keepers.grown_between(before, walk, gc.get_referents, into)
    bounded = pace.Slices(gc, 30.0, 500, lambda: False)
    census.Census(gc, bounded, ()).take()
    poor = pace.Slices(gc, 0.0, 10**6, lambda: False)
    census.Census(gc, poor, ()).take()
    print(json.dumps({
        "called": called,
        "rows": {
            row.path: [row.kind, row.of, row.entries, row.total, row.bytes,
                       [code.co_name for code in keepers.fillers(row.owner, row.path)]]
            for row in grown
        },
        "bounded": bounded.bounded,
        "poor": poor.bounded,
        "whole": slices.bounded,
        "in_whole": asked_in_whole(),
        "many": many(),
        "pieces": let_go_in_pieces(),
        "waiting": [waiting_at_once(10**6), waiting_at_once(5)],
        "renamed": grown_under_another_name(),
        "collector": collections_in_a_walk(),
    }))

main()
"""


@pytest.fixture(scope="module", params=["this one", "the oldest"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    python = sys.executable
    if request.param == "the oldest":
        python = min(interpreters(free_threaded=False), key=lambda each: each.minor).executable
        if python == sys.executable:
            pytest.skip("it is this one")
    script = tmp_path_factory.mktemp("census") / "program.py"
    script.write_text(PROGRAM)
    argv = [python, str(script), str(AGENT)]
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
        ("__main__.app.recent", "deque(maxlen=5000)", "str", 100, "grow"),
        ("__main__.app.by_day['mon']", "list", "int", 100, "grow"),
        ("__main__.slots.rows", "list", "int", 100, "grow"),
        ("__main__.POOL.rows", "list(maxsize=5000)", "int", 100, "grow"),
        ("__main__.SMALL_POOL.rows", "list", "int", 100, "grow"),  # it holds more: that is no bound
        ("__main__.LIMITED.queue", "deque(maxsize=5000)", "tuple", 100, "grow"),
        ("closure of __main__.add: mine", "list", "int", 100, "add"),
        ("default of __main__.into_default", "list", "int", 100, "into_default"),
        ("lru_cache of __main__.parse", "lru_cache", "list", 100, "parse"),
        ("lru_cache of __main__.parse_some", "lru_cache(maxsize=5000)", "list", 100, "parse_some"),
        ("local in main", "list", "tuple", 100, "grow"),
        ("__main__.BUFFER", "bytearray", "", 0, "grow"),
        ("__main__.INBOX.queue", "deque", "list", 100, "receive"),
        ("shared.LEDGER", "list", "list", 100, "book"),
        ("lru_cache of __main__.Cached.parse", "lru_cache", "list", 100, "parse"),
        ("__main__.NUMBERS", "array", "", 0, "grow"),
        ("__main__.FILE", "BytesIO", "", 0, "grow"),
        ("__main__.PLUGINS", "list", "Plugin", 100, "grow"),
        ("__main__.BY_NUMBER[…]", "list", "list", 100, "grow"),
        ("__main__.PAGES", "list", "c_char_Array_5001", 100, "grow"),
        ("names", "module", "list", 100, ""),
        ("__main__.COLUMNS[…]", "list", "int", 600, "grow"),
        ("__main__.ONE_OF['c']", "list", "int", 100, "grow"),
        ("__main__.LARGE_ONE['b']", "list", "", 101, "grow"),
    ],
)
def test_what_grew_has_its_path_and_the_code_that_fills_it(
    found: Any, path: str, kind: str, of: str, came: int, filler: str
) -> None:
    row = found["rows"][path]
    assert row[0] == kind
    assert not of or row[1] == of
    assert row[2] == came
    assert not filler or filler in row[5]


def test_what_grew_in_a_container_that_is_written_in_c(found: Any) -> None:
    rows = [row for path, row in found["rows"].items() if path.startswith("__main__.SIMPLE")]
    assert [row[1:3] for row in rows] == [["list", 100]]  # its type, or the list within it before


def test_what_a_thread_has_of_its_own_and_attributes_without_end(found: Any) -> None:
    rows = found["rows"]
    local = [row for path, row in rows.items() if path.startswith("__main__.LOCAL")]
    assert [row[:3] for row in local] == [["list", "list", 100]]
    assert rows["__main__.WIDE"][:3] == ["dict", "list", 400]
    assert 80_000 * 4 < rows["__main__.WIDE"][4] < 130_000 * 4


def test_a_tree_that_grows_at_its_leaves_is_one(found: Any) -> None:
    path = "__main__.TREE[…][…][…][…]"
    kind, of, came, _, size, _ = found["rows"][path]
    assert (kind, of, came) == ("dict", "list", 100)
    assert 80_000 < size < 130_000
    assert not [each for each in found["rows"] if each.startswith("__main__.TREE['")]


def test_bytes_are_those_of_what_came(found: Any) -> None:
    rows = found["rows"]
    assert 100_000 < rows["__main__.GLOBAL"][4] < 130_000
    assert rows["__main__.BUFFER"][4] >= 500_000
    assert 80_000 < rows["lru_cache of __main__.parse"][4] < 130_000
    assert 80_000 < rows["lru_cache of __main__.parse_some"][4] < 130_000
    assert 500_000 < rows["__main__.PAGES"][4] < 560_000
    # Of a class derived from a text or a buffer, with what it has as attributes.
    assert 300_000 < rows["__main__.TEXTS"][4] < 330_000
    assert 500_000 < rows["__main__.TORN"][4] < 560_000
    for name in ("PADDED", "ZEROS"):  # numbers that all share are not there for each of them
        assert 1_200_000 < rows[f"__main__.{name}"][4] < 1_400_000, name


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
    assert found["many"].endswith(" objects, more would have been too many")
    assert found["in_whole"] == []
    bounded, pieces = found["pieces"]
    assert bounded and pieces > 3, "what waited was not let go of at once"


def test_few_places_of_many_alike_wait_and_have_one_path(found: Any) -> None:
    """A collection of the program's garbage goes through all that waits."""
    (whole, nearest_first, texts), (whole_too, newest_first, _) = found["waiting"]
    assert whole == whole_too == ""
    assert newest_first < nearest_first / 3
    assert texts <= 4, "one for each step down"


def test_what_has_another_name_by_now_has_grown_by_what_came(found: Any) -> None:
    ((path, entries),) = found["renamed"]
    assert path.startswith("kept in ") and entries == 5


def test_a_slice_waits_while_a_collection_is_due_and_tells_it_from_its_own_cost(
    found: Any,
) -> None:
    waits, in_pauses, collected_s = found["collector"]
    assert waits > 0
    assert in_pauses > 0, "the program had the time for it"
    assert collected_s > 0, "the next one fell into a slice"
