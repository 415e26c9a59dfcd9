"""What grew between two censuses, what is new in it, and which code can fill it.

A list under a dict under a cache is one finding: what grew because what holds it grew is left
out. Bytes are those of the newest entries, looked into, times the entries that came: an estimate.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any

    from perftui.probes.agent.growth import census, found, kinds, pace
else:
    census = sys.modules["_perftui_agent_growth_census"]
    kinds = sys.modules["_perftui_agent_growth_kinds"]

frames_of_threads: "Any" = getattr(
    sys.modules.get("_perftui_agent"), "frames_of_threads", sys._current_frames
)
"""`runtime.frames_of_threads`, where that is loaded."""

LEAST_ENTRIES = 1
LEAST_BYTES = 200_000
"""What grew by less than both is not told."""
LEAST_TOLD_BYTES = 20_000
LEAST_NAMES = 16
"""A module that got fewer names has made variables; with more it keeps things under them."""
ALIKE = 4
MOST_OF_ALIKE = 0.4
"""So many that differ in their keys are one, unless one of them has so much of what came."""
MANY_ALIKE = 64
"""So many are not looked into one by one before."""
LIBRARY_SHARE = 0.1
"""What a library keeps is told from this part of what RSS rose by: they all remember a little."""
MOST_ROWS = 20_000
"""So many that grew are compared: those nearest to a name."""
MOST_COMPARED = 500
"""Of the largest is asked which is a part of which; so many are compared whatever it costs."""
MOST_TOLD = 8
MOST_FILLERS = 6
LOOKED_INTO = 8
"""Newest entries of one container."""
POINTER_BYTES = 8
"""What an entry takes at the least, of something that all share."""
DEEP = 400
"""Objects that are looked at of one entry."""
_OF_A_WHOLE = 0.3
OF_THE_LARGEST = 0.01
ADDING = frozenset(
    (
        "append",
        "appendleft",
        "add",
        "extend",
        "insert",
        "put",
        "put_nowait",
        "push",
        "setdefault",
        "update",
    )
)
"""Methods that put more into a container."""


class Gain:
    """One thing that grew."""

    def __init__(
        self, held: "found.Holdings", path: str, number: int, entries: float, own_bytes: float
    ) -> None:
        self.path = path
        self.kind = held.kind[number]
        self.owner = held.owner[number]
        self.total = held.entries[number]
        self.sampled = held.sampled[number]
        self.number = number
        self.entries = entries
        """That came."""
        self.bytes = own_bytes
        self.of = ""
        """Type of what is new in it."""
        self.looked_into = 0


def grown_between(
    before: "found.Holdings",
    after: "census.Census",
    referents: "Callable[..., list[Any]]",
    walk: "pace.Slices",
    rose_bytes: int = 0,
) -> "list[Gain]":
    """Return what grew, the most first.

    Args:
        before: What an earlier census found.
        after: A later one, which has kept containers.
        referents: `gc.get_referents`.
        walk: The pace in which what is new is looked into.
        rose_bytes: What RSS rose by between the two.
    """
    rows: "list[Gain]" = []
    now = after.found
    earlier = _Before(before, now)
    for path, number in now.number.items():
        if (not walk.step() and len(rows) >= MOST_COMPARED) or len(rows) >= MOST_ROWS:
            break
        old = earlier.number(path, number)
        if old is None and now.library[number]:
            continue  # it may have been there: libraries are not always looked at to the end
        entries, size = now.entries[number], now.bytes[number]
        if old is not None:
            entries, size = entries - before.entries[old], max(size - before.bytes[old], 0.0)
        if now.kind[number] == census.MODULE and entries < LEAST_NAMES:
            continue
        if entries >= LEAST_ENTRIES or size >= LEAST_BYTES:
            rows.append(Gain(now, path, number, entries, size))
    rows = _alike_as_one(rows, walk, MANY_ALIKE, _entries)
    rows.sort(key=lambda row: (-row.bytes, -row.entries))
    for row in rows:
        if not walk.step():
            break
        if row.entries > 0 and now.largest[row.number] is not None:
            _look_into(row, now.largest[row.number], after.kinds, referents, walk)
    rows = _alike_as_one(rows, walk, ALIKE, _bytes)
    walk.over()
    rows.sort(key=lambda row: (-row.bytes, -row.entries))
    told = _without_parts(rows[:MOST_COMPARED])
    least = max(OF_THE_LARGEST * told[0].bytes, LEAST_TOLD_BYTES) if told else 0.0
    of_libraries = max(LIBRARY_SHARE * rose_bytes, least)
    return [
        row
        for row in told
        if row.bytes > 0 and row.bytes >= (of_libraries if now.library[row.number] else least)
    ][:MOST_TOLD]


class _Before:
    """What an earlier census found, by the paths of a later one.

    A thing may have had another name then: a variable of a function that has returned since, or of
    one that runs now. What it holds had another path with it.
    """

    def __init__(self, before: "found.Holdings", now: "found.Holdings") -> None:
        self._before = before
        self._now = now
        self._paths = before.by_address()
        self._renamed: "dict[str, str]" = {}
        """Paths of before by those of now."""

    def number(self, path: str, number: int) -> "int | None":
        """Return the number that something had before, None if it was not there.

        What holds others is to be asked for before them.
        """
        old, address = self._before.number.get(path), self._now.address[number]
        if old is not None and (not address or self._before.address[old] == address):
            return old
        other = self._paths.get(address) if address else self._above(path)
        if other is None or other in self._now.number:
            return old
        moved = self._before.number.get(other)
        if moved is None or self._before.kind[moved] != self._now.kind[number]:
            return old
        self._renamed[path] = other
        return moved

    def _above(self, path: str) -> "str | None":
        """Return the path by what holds it, or holds that."""
        at = len(path) if self._renamed else 0
        while at > 0:
            at = max(path.rfind("[", 0, at), path.rfind(".", 0, at))
            if at > 0 and path[:at] in self._renamed:
                return self._renamed[path[:at]] + path[at:]
        return None


def _entries(row: Gain) -> float:
    return row.entries


def _bytes(row: Gain) -> float:
    return row.bytes


def _alike_as_one(
    rows: "list[Gain]", walk: "pace.Slices", least: int, amount: "Callable[[Gain], float]"
) -> "list[Gain]":
    """Make one row of many whose paths differ in their keys alone: a tree grows at its leaves.

    Args:
        rows: What grew.
        walk: The pace.
        least: So many are one row,
        amount: unless one of them has much of this.
    """
    groups: "dict[str, list[Gain]]" = {}
    for row in rows:
        walk.step()
        groups.setdefault(_without_keys(row.path), []).append(row)
    found: "list[Gain]" = []
    for path, group in groups.items():
        most = max(group, key=amount)
        if len(group) < least or amount(most) > MOST_OF_ALIKE * sum(map(amount, group)):
            found += group
            continue
        most.path = path
        most.entries = sum([row.entries for row in group])
        most.bytes = sum([row.bytes for row in group])
        most.total = sum([row.total for row in group])
        found.append(most)
    return found


def _without_keys(path: str) -> str:
    first, *more = path.split("[")
    return first + "".join(["[…]" + each.partition("]")[2] for each in more])


def _look_into(
    row: Gain,
    largest: "Any",
    known: "kinds.Kinds",
    referents: "Callable[..., list[Any]]",
    walk: "pace.Slices",
) -> None:
    """Add the bytes of the entries that came, by the newest of them."""
    newest = _newest_entries(largest, known, referents)
    if not newest:
        return
    row.of = kinds.type_name(type(newest[0][-1]))
    seen: "set[int]" = set()
    sizes = [known.deep_size(entry, referents, DEEP, seen, walk) for entry in newest]
    # What the entries share was counted with the first.
    rest = sizes[1:] if len(sizes) > 1 else sizes
    row.looked_into = len(sizes)
    row.bytes = max(row.bytes + row.entries * sum(rest) / len(rest), row.entries * POINTER_BYTES)


def _newest_entries(
    value: "Any", known: "kinds.Kinds", referents: "Callable[..., list[Any]]"
) -> "list[tuple[Any, ...]]":
    """Return the newest entries: (element,), of a dict or a cache (key, value)."""
    what, base = known.of(value)
    if what == kinds.CACHE:
        told = value.cache_info()
        size = told.currsize
        held = referents(value) if size <= 20_000 or told.maxsize is None else []
        if told.maxsize is not None:
            return _newest_of_bounded(held, size)
        for each in held:
            if type(each) is dict and len(each) == size and each is not value.__dict__:
                return known.newest_pairs(each, LOOKED_INTO)
        return [(each,) for each in held[-LOOKED_INTO:]]
    if what == kinds.INSTANCE:
        return [(each,) for each in referents(value)[-LOOKED_INTO:]]
    if what != kinds.CONTAINER:
        return []
    if base is dict:
        return known.newest_pairs(value, LOOKED_INTO)
    return [(each,) for each in known.newest(value, base, LOOKED_INTO)]


def _newest_of_bounded(held: "list[Any]", size: int) -> "list[tuple[Any, ...]]":
    """Return the newest entries of a cache with a bound, of all that it refers to.

    Its dict leads to links that say nothing of what they hold; the cache itself does, the oldest
    first: key, value and, from Python 3.10 on, the link's type, behind its own.
    """
    begin, each = (1, 3) if held and type(held[0]) is type else (0, 2)
    if len(held) < begin + size * each:
        return []
    first = begin + max(size - LOOKED_INTO, 0) * each
    return [(held[at], held[at + 1]) for at in range(first, begin + size * each, each)]


def _without_parts(found: "list[Gain]") -> "list[Gain]":
    """Leave out what grew as a part of what holds it, or what holds most of what grew."""
    kept: "list[Gain]" = []
    for row in found:  # the largest first
        inside = [each for each in kept if _is_below(row.path, each.path)]
        above = [each for each in kept if _is_below(each.path, row.path)]
        if inside:
            continue
        if above and row.bytes < sum(each.bytes for each in above) * (1 + _OF_A_WHOLE):
            # It holds them, and hardly more. Grew it itself, it is what a person looks for.
            if row.entries >= LEAST_ENTRIES and row.bytes >= _OF_A_WHOLE * above[0].bytes:
                kept = [each for each in kept if each not in above]
                kept.append(row)
            continue
        kept.append(row)
    return kept


def _is_below(path: str, above: str) -> bool:
    return path.startswith(above) and path[len(above) :][:1] in ("[", ".")


def fillers(owner: str, path: str) -> "list[CodeType]":
    """Return code of the program that can fill what a name leads to.

    What is there by the name of a module's global is looked for in that module, attributes in all
    modules of the program. If nothing there puts anything into a global, others do that name it.
    """
    module, _, name = owner.partition("\n")
    if not name:  # the names of a module themselves
        return (_naming(module, "globals") + _naming("", "setattr"))[:MOST_FILLERS]
    if path.startswith(("default of", "lru_cache of")):
        return _naming(module, name.rpartition(".")[2], itself=True)
    attribute = "." + name in path and not path.startswith(module + "." + name)
    local = " in " in path
    tries = [_naming("" if attribute else module, name, local=local)]
    if not attribute and not local:
        tries.append(_naming("", name))
    for found in tries:
        # A name stands in code that only reads it, or makes it empty, too.
        adding = [code for code in found if can_add(code)]
        if adding:
            return adding[:MOST_FILLERS]
    return tries[0][:MOST_FILLERS]


def _naming(
    module: str, name: str, *, local: bool = False, itself: bool = False
) -> "list[CodeType]":
    """Return code in which a name stands, of one module or of all of the program's ("")."""
    found: "list[CodeType]" = []
    for each, values in own_modules():
        if module and each != module:
            continue
        for code in codes_of(each, values):
            if itself:
                met = code.co_name == name
            else:
                met = name in code.co_names + code.co_freevars + code.co_cellvars
                met = met or (local and name in code.co_varnames)
            if met and code not in found:
                found.append(code)
    return found


def can_add(code: "CodeType") -> bool:
    """Tell whether code has anything by which a container gets more."""
    return not ADDING.isdisjoint(code.co_names) or _STORE_ITEM in set(code.co_code[::2])


def _operations(text: str) -> "set[int]":
    return set(compile(text, "<text>", "exec").co_code[::2])


_STORE_ITEM = max(_operations("x[y] = z") - _operations("x, y, z") - {0}, default=-1)
"""Number of the operation, which every version of Python has another for."""


def own_modules() -> "Iterator[tuple[str, dict[str, Any]]]":
    """Yield name and dict of the program's own modules."""
    for name, module in kinds.items(sys.modules):
        values = None if type(name) is not str else kinds.module_dict(module)
        if values is None or name.startswith("_perftui"):
            continue
        if name == "__main__" or census.is_own_file(values.get("__file__")):
            yield name, values


def codes_of(module: str, values: "dict[str, Any]") -> "Iterator[CodeType]":
    """Yield the code of a module's functions, of its classes, and of what is inside them."""
    known = kinds.Kinds()
    roots: "list[CodeType]" = []
    for frame in frames_of_threads().values():
        at: "Any" = frame
        while at is not None:
            if at.f_globals is values:
                roots.append(at.f_code)
            at = at.f_back
    for _, value in kinds.items(values):
        what, _ = known.of(value)
        if what == kinds.CACHE:
            value = value.__dict__.get("__wrapped__")
            what, _ = known.of(value)
        if what == kinds.FUNCTION and value.__globals__ is values:
            roots.append(value.__code__)
        elif what == kinds.CLASS and kinds.type_dict(value).get("__module__") == module:
            for inner in list(kinds.type_dict(value).values()):
                if type(inner) is property:
                    inner = inner.fget
                if type(inner) is staticmethod or type(inner) is classmethod:
                    inner = inner.__func__
                if known.of(inner)[0] == kinds.CACHE:
                    inner = inner.__dict__.get("__wrapped__")
                if known.of(inner)[0] == kinds.FUNCTION:
                    roots.append(inner.__code__)
    seen: "set[int]" = set()
    while roots:
        code = roots.pop()
        if id(code) in seen:
            continue
        seen.add(id(code))
        yield code
        roots += [each for each in code.co_consts if type(each) is type(code)]
