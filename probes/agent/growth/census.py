"""What the program's names lead to, and how full it is.

From what has a name (locals of running functions, module globals, class attributes, closures,
defaults, caches) down to what it holds, breadth first. What is found has its path at once, so
that nobody has to be asked who refers to it; and the walk can stop anywhere. Of the program only
numbers are remembered between two censuses.

The walk lets go of the GIL again and again (`Slices`).
"""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import FrameType
    from typing import Any

    from perftui.probes.agent.growth import kinds

    Place = tuple[Any, str, int, str, float]
    """Object, path, steps left, owner, how many alike it stands for."""
else:
    kinds = sys.modules["_perftui_agent_growth_kinds"]

SLICE_S = 0.003
"""The walk holds the GIL for so long, then lets go of it for as long."""
LOOKED_BEFORE_CLOCK = 16
DEPTH = 7
"""Steps from a name of the program's down; LIBRARY_DEPTH from a library's."""
LIBRARY_DEPTH = 2
NAMED = 32
"""In a dict with more keys they do not stand in the paths."""
LEAST_BYTES = 64 << 10
"""A text or an array is counted by itself from this size on."""
STEP_LETTERS = 40
FRAMES = 200
_USES_LOCALS = frozenset(("locals", "vars", "exec", "eval", "dir", "_getframe", "f_locals"))


class Slices:
    """Lets other threads run between slices, and ends a walk that costs too much.

    Args:
        budget_s: CPU time that a walk may take.
        most: Objects that it may look at.
        stopped: Tells that nobody wants it any more.
    """

    def __init__(self, budget_s: float, most: int, stopped: "Callable[[], bool]") -> None:
        self._budget_s = budget_s
        self._most = most
        self._stopped = stopped
        self._began_cpu_s = self._slice = time.thread_time()
        self.looked = 0
        self.cpu_s = 0.0
        """What the walk cost, once it is over."""
        self.longest_s = 0.0
        """The longest that it held the GIL without a pause, in CPU time."""
        self.bounded = ""
        """Why it ended before it had seen everything."""

    def step(self) -> bool:
        """Count one object; False once the walk is to end."""
        if self.bounded:
            return False
        self.looked += 1
        if self.looked % LOOKED_BEFORE_CLOCK:
            return True
        if self.looked > self._most:
            self.bounded = "%d objects" % self.looked
            return False
        held_s = time.thread_time() - self._slice
        if held_s < SLICE_S:
            return True
        self.longest_s = max(self.longest_s, held_s)
        if self._stopped():
            self.bounded = "the program ended"
        elif self._spent_s() > self._budget_s:
            self.bounded = "%d objects in %.0f ms" % (self.looked, self._spent_s() * 1e3)
        else:
            time.sleep(SLICE_S)
            self._slice = time.thread_time()
        return not self.bounded

    def _spent_s(self) -> float:
        return time.thread_time() - self._began_cpu_s

    def over(self) -> None:
        """The walk is over: note what it cost."""
        self.cpu_s = self._spent_s()
        self.longest_s = max(self.longest_s, time.thread_time() - self._slice)


class Held:
    """What is under one path."""

    __slots__ = ("bytes", "containers", "entries", "kind", "largest", "library", "owner", "sampled")

    def __init__(self, kind: str, owner: str) -> None:
        self.kind = kind
        self.owner = owner
        """The innermost name that leads here (`name_in`), for the code that fills it."""
        self.containers = 0.0
        self.entries = 0.0
        self.bytes = 0.0
        """Of what is large by itself, and of what the containers take without their elements."""
        self.largest: "Any" = None
        """A container of the program's, only where it was asked to be kept, and for moments."""
        self.library = False
        """A library's name leads here first, none of the program's."""
        self.sampled = False
        """Some of many were looked at; the figures are scaled up."""


class Census:
    """One walk: `take` it, then `found` has what is held, by path.

    Args:
        gc: The module of that name; the program may never have imported it.
        pace: Of this walk.
        own_threads: Idents of threads of ours.
        keep: Keep the largest container of each path, to look at what is new in it.
    """

    def __init__(
        self, gc: "Any", pace: Slices, own_threads: "Collection[int]", *, keep: bool = False
    ) -> None:
        self._referents = gc.get_referents
        self._pace = pace
        self._own_threads = own_threads
        self._keep = keep
        self._seen: "set[int]" = set()
        self._queue: "list[Any]" = []
        self._in_libraries = False
        self.kinds = kinds.Kinds()
        self.found: "dict[str, Held]" = {}

    def take(self) -> None:
        """Walk: locals and the program's own modules first, libraries after them."""
        own: "list[tuple[str, dict[str, Any]]]" = []
        libraries: "list[tuple[str, dict[str, Any]]]" = []
        for name, module in kinds.items(sys.modules):
            values = None if type(name) is not str else kinds.module_dict(module)
            if values is None or name.startswith("_perftui") or id(values) in self._seen:
                continue
            self._seen.add(id(values))
            mine = name == "__main__" or is_own_file(values.get("__file__"))
            (own if mine else libraries).append((name, values))
        own.sort(key=lambda row: row[0] != "__main__")
        self._locals()
        for depth, modules in ((DEPTH, own), (LIBRARY_DEPTH, libraries)):
            if self._pace.bounded:
                break
            self._in_libraries = modules is libraries
            for name, values in modules:
                for key in list(dict.keys(values)):
                    if not self._pace.step():
                        break
                    if type(key) is str and not key.startswith("__"):
                        self._name(values.get(key), name, key, depth)
            self._down_all()
            if modules is libraries and not self._pace.step():
                self._pace.bounded += " (of the libraries, not of the program's own names)"
        self._queue.clear()
        self._seen.clear()
        self._pace.over()

    # --- names ----------------------------------------------------------------------------

    def _name(self, value: "Any", module: str, key: str, depth: int) -> None:
        what, _ = self.kinds.of(value)
        if what == kinds.FUNCTION:
            if value.__globals__.get("__name__") == module:  # else it came by an import
                self._function(value, module, key, depth)
        elif what == kinds.CLASS:
            values = kinds.type_dict(value)
            if values.get("__module__") == module and id(value) not in self._seen:
                self._seen.add(id(value))
                self._class(values, module, key, depth)
        elif what != kinds.PLAIN:
            self._queue += (value, module + "." + key, depth, name_in(module, key), 1.0)

    def _class(self, values: "Any", module: str, key: str, depth: int) -> None:
        for name, value in list(values.items()):
            if not self._pace.step():
                return
            if type(name) is not str or name.startswith("__"):
                continue
            if type(value) is staticmethod or type(value) is classmethod:
                value = value.__func__
            what, _ = self.kinds.of(value)
            if what == kinds.FUNCTION:
                self._function(value, module, key + "." + name, depth)
            elif what not in (kinds.PLAIN, kinds.CLASS):
                path = module + "." + key + "." + name
                self._queue += (value, path, depth, name_in(module, name), 1.0)

    def _function(self, function: "Any", module: str, name: str, depth: int) -> None:
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        where = module + "." + name
        for value in function.__defaults__ or ():
            self._queue += (value, "default of " + where, depth - 1, name_in(module, name), 1.0)
        for number, cell in enumerate(function.__closure__ or ()):
            label = function.__code__.co_freevars[number]
            path = "closure of " + where + ": " + label
            self._queue += (cell, path, depth - 1, name_in(module, label), 1.0)

    def _locals(self) -> None:
        """Begin with what running functions of the program have in their variables."""
        for ident, frame in sys._current_frames().items():
            at: "FrameType | None" = None if ident in self._own_threads else frame
            for _ in range(FRAMES):
                if at is None:
                    break
                code = at.f_code
                if code.co_flags & 1 and is_own_file(code.co_filename):  # 1: has fast locals
                    module = at.f_globals.get("__name__")
                    function = getattr(code, "co_qualname", code.co_name)
                    for name, value in local_variables(at):
                        if self.kinds.of(value)[0] != kinds.PLAIN:
                            owner = name_in(module if type(module) is str else "", name)
                            path = "%s in %s" % (name, function)
                            self._queue += (value, path, DEPTH, owner, 1.0)
                at = at.f_back

    # --- down from them -------------------------------------------------------------------

    def _down_all(self) -> None:
        layer, self._queue = self._queue, []
        while layer:
            for at in range(0, len(layer), 5):
                value = layer[at]
                if id(value) in self._seen:
                    continue
                self._seen.add(id(value))
                if not self._pace.step():
                    return
                self._look(tuple(layer[at : at + 5]))
            layer, self._queue = self._queue, []

    def _look(self, place: "Place") -> None:
        value, path, depth, owner, weight = place
        what, base = self.kinds.of(value)
        if what in (kinds.LEAF, kinds.LIBRARY):
            if base in kinds.SLOW and path.endswith("[…]"):
                return  # to ask one takes a millisecond; what holds them asks the newest
            size = self.kinds.size(value)
            if size >= LEAST_BYTES:
                held = self._held(place, path)
                held.containers += weight
                held.bytes += size * weight
        elif what == kinds.FUNCTION:
            self._function(value, module_of(owner), value.__qualname__, depth)
        elif what == kinds.CELL:
            for inner in self._referents(value):
                self._below(inner, path, depth, owner, weight)
        elif what == kinds.CACHE:
            self._cache(place)
        elif what == kinds.CONTAINER:
            self._container(place, base)
            if type(value) is not base:
                self._instance(place)
        elif what == kinds.INSTANCE:
            self._instance(place)

    def _below(self, value: "Any", path: str, depth: int, owner: str, weight: float) -> None:
        if depth > 0 and self.kinds.of(value)[0] not in (kinds.PLAIN, kinds.CLASS):
            self._queue += (value, path, depth - 1, owner, weight)

    def _held(self, place: "Place", path: str) -> Held:
        held = self.found.get(path)
        if held is None:
            held = self.found[path] = Held(kinds.type_name(type(place[0])), place[3])
            held.library = self._in_libraries
        held.sampled |= place[4] != 1.0
        return held

    def _container(self, place: "Place", base: "Any") -> None:
        value, path, depth, owner, weight = place
        size = base.__len__(value)
        held = self._held(place, path)
        held.containers += weight
        held.entries += size * weight
        held.bytes += self.kinds.size(value) * weight
        if self._keep and (held.largest is None or size >= self.kinds.length(held.largest)):
            held.largest = value
        if base is dict and size <= NAMED:
            for key, inner in kinds.items(value):
                label = short(repr(key)) if type(key) is str or type(key) is int else "…"
                self._below(inner, "%s[%s]" % (path, label), depth, owner, weight)
        elif depth > 0:
            path += "[…]"
            inside = self.kinds.elements(value, base, kinds.SOME)
            weight *= max(size / max(len(inside), 1), 1.0)
            for inner in inside:
                self._below(inner, path, depth, owner, weight)

    def _cache(self, place: "Place") -> None:
        value, path, depth, owner, weight = place
        held = self._held(place, "lru_cache of " + path)
        held.kind = "lru_cache"
        held.containers += weight
        held.entries += value.cache_info().currsize * weight
        if self._keep:
            held.largest = value
        wrapped = value.__dict__.get("__wrapped__")
        if wrapped is not None:
            self._below(wrapped, path, depth, owner, weight)

    def _instance(self, place: "Place") -> None:
        value, path, depth, owner, weight = place
        dict_of, slots = self.kinds.attributes(type(value))
        values = None if dict_of is None else dict_of.__get__(value)
        if type(values) is dict:
            self._seen.add(id(values))
            for key in list(dict.keys(values)):
                if type(key) is not str:
                    continue  # to look one up might call it
                name, inner = key, dict.get(values, key)
                where = "%s.%s" % (path, short(name))
                self._below(inner, where, depth, name_in(module_of(owner), name), weight)
        for name, member in slots:
            try:
                inner = member.__get__(value)
            except AttributeError:  # not set
                continue
            self._below(inner, path + "." + name, depth, name_in(module_of(owner), name), weight)
        if type(values) is not dict and not slots:
            for inner in self._referents(value)[: kinds.WHOLE]:
                self._below(inner, path + ".…", depth, owner, weight)


def name_in(module: str, name: str) -> str:
    """Return an owner: one text, as tuples that stay would have the program's garbage collected."""
    return module + "\n" + name


def module_of(owner: str) -> str:
    """Return the module of an owner."""
    return owner.partition("\n")[0]


def local_variables(frame: "FrameType") -> "list[tuple[str, Any]]":
    """Return names and values of a running function's variables.

    Before Python 3.13 who asks for them makes a dict that stays with the frame: it is emptied
    again, and frames that may use it themselves are left alone.
    """
    if sys.hexversion >= 0x030D0000:
        return list(frame.f_locals.items())
    if frame.f_trace is not None or not _USES_LOCALS.isdisjoint(frame.f_code.co_names):
        return []
    values = frame.f_locals
    found = list(values.items())
    values.clear()
    return found


def is_own_file(file: object) -> bool:
    """Tell whether a file is the program's: neither of the standard library nor installed."""
    if type(file) is not str or file.startswith("<"):
        return False
    if "/site-packages/" in file or "/dist-packages/" in file:
        return False
    return not file.startswith(_LIBRARY)


_LIBRARY = (
    str(getattr(sys.modules.get("os"), "__file__", "/")).rpartition("/")[0] + "/",
    __file__.rpartition("/")[0].rpartition("/")[0] + "/",
)
"""Folders of the standard library and of the agent."""


def short(text: str) -> str:
    """Cut what stands in a path."""
    return text if len(text) <= STEP_LETTERS else text[: STEP_LETTERS - 1] + "…"
