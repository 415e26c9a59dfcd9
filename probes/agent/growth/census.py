"""What the program's names lead to, and how full it is.

From what has a name (locals of running functions, module globals, class attributes, closures,
defaults, caches) down to what it holds, breadth first. What is found has its path at once, so
that nobody has to be asked who refers to it; and the walk can stop anywhere. Of the program only
numbers are remembered between two censuses.

The walk lets go of the GIL again and again (`pace.Slices`). It makes hardly any object that the
garbage collector counts: else it would set off collections of the program's garbage.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from types import FrameType
    from typing import Any

    from perftui.probes.agent.growth import found, kinds, pace

    Place = tuple[Any, str, int, str, float]
    """Object, path, steps left, owner, how many alike it stands for."""
else:
    found = sys.modules["_perftui_agent_growth_found"]
    kinds = sys.modules["_perftui_agent_growth_kinds"]

frames_of_threads: "Any" = getattr(
    sys.modules.get("_perftui_agent"), "frames_of_threads", sys._current_frames
)
"""`runtime.frames_of_threads`, where that is loaded."""

DEPTH = 7
"""Steps from a name of the program's down; LIBRARY_DEPTH from a library's."""
LIBRARY_DEPTH = 2
NAMED = 32
"""In a dict with more keys they do not stand in the paths."""
NAMED_LEFT = 4
"""Nor do keys where fewer steps are left: a tree of dicts would have a path for each leaf."""
LEAST_BYTES = 64 << 10
"""A text or an array is counted by itself from this size on."""
SHARED = 24
"""What has so many references is not there once for each of many alike."""
STEP_LETTERS = 40
MODULE = "module"
MOST_NAMES = frozenset(
    (
        *("maxsize", "max_size", "maxlen", "max_len", "max_length", "capacity", "cache_size"),
        *("max_items", "max_entries", "max_keys", "max_elements", "size_limit", "buffer_size"),
    )
)
"""Attributes, without what stands before and behind, by which objects say how much they hold."""
OF_LIBRARIES = " (of the libraries, not of the program's own names)"
FRAMES = 200
CHUNK = 2_500
"""Items of the queue that are let go of at once: five a place."""
NEAREST_CHUNKS = 200
"""While no more wait, the oldest are looked at first, as the nearest to a name. Then it is the
newest, so that few wait: a collection of the program's garbage goes through all that do."""
MOST_CHUNKS = 2_000
"""A million places, 40 MB; what more would have to wait is left out."""
MOST_TEXTS = 20_000
"""Paths and owners of which all places have the same object: those of many alike are one."""
_USES_LOCALS = frozenset(("locals", "vars", "exec", "eval", "dir", "_getframe", "f_locals"))


class Census:
    """One walk: `take` it, then `found` has what is held, by path.

    Args:
        gc: The module of that name; the program may never have imported it.
        walk: Its pace.
        own_threads: Idents of threads of ours.
        keep: Keep the largest container of each path, to look at what is new in it.
    """

    def __init__(
        self, gc: "Any", walk: "pace.Slices", own_threads: "Collection[int]", *, keep: bool = False
    ) -> None:
        self._referents = gc.get_referents
        self._pace = walk
        self._own_threads = own_threads
        self._keep = keep
        self._seen = found.AddressSet()
        self._queue: "list[Any]" = []
        """Places, five items each, that are still to be looked at; the newest of them."""
        self._left_out = False
        self._texts: "dict[str, str]" = {}
        self._in_libraries = False
        self._own_types: "dict[int, bool]" = {}
        self._beside: "dict[str, int]" = {}
        """By path: the number that an object says beside a container of its is the most."""
        self.kinds = kinds.Kinds()
        self.found = found.Holdings()

    def take(self) -> None:
        """Walk: locals and the program's own modules first, libraries after them."""
        own: "list[Any]" = []
        libraries: "list[Any]" = []
        for name in list(dict.keys(sys.modules)):
            module = dict.get(sys.modules, name) if type(name) is str else None
            values = None if module is None else kinds.module_dict(module)
            if values is None or name.startswith("_perftui") or not self._seen.add(id(values)):
                continue
            if name == "__main__":
                own[:0] = name, values
            elif is_own_file(values.get("__file__")):
                own += name, values
            else:
                libraries += name, values
        self._locals()
        for depth, modules in ((DEPTH, own), (LIBRARY_DEPTH, libraries)):
            if self._pace.bounded:
                break
            self._in_libraries = modules is libraries
            for at in range(0, len(modules), 2):
                name, values = modules[at], modules[at + 1]
                self._names_of(values, name)
                for key in list(dict.keys(values)):
                    if not self._pace.step():
                        break
                    if type(key) is str and not key.startswith("__"):
                        self._name(values.get(key), name, key, depth)
            self._down_all()
            if modules is libraries and not self._pace.step():
                self._pace.bounded += OF_LIBRARIES
        self._queue.clear()
        self._texts.clear()
        self._seen = found.AddressSet()
        if self._left_out and not self._pace.bounded:
            self._pace.bounded = "%d objects, more would have been too many" % self._pace.looked
        self._pace.over()

    # --- names ----------------------------------------------------------------------------

    def _names_of(self, values: "dict[Any, Any]", name: str) -> None:
        """Count the names of a module: a program may make one for each thing that it keeps."""
        if self._in_libraries:
            return
        number = self.found.at(name, MODULE, name_in(name, ""), 1.0, False, id(values))
        self.found.entries[number] += len(values)
        if self._keep:
            self.found.largest[number] = values

    def _name(self, value: "Any", module: str, key: str, depth: int) -> None:
        what, _ = self.kinds.of(value)
        if what == kinds.FUNCTION:
            if dict.get(value.__globals__, "__name__") == module:  # else it came by an import
                self._function(value, module, key, depth)
        elif what == kinds.CLASS:
            values = kinds.type_dict(value)
            if values.get("__module__") == module and self._seen.add(id(value)):
                self._class(values, module, key, depth)
        elif what != kinds.PLAIN:
            self._queue += (value, module + "." + key, depth, name_in(module, key), 1.0)

    def _class(self, values: "Any", module: str, key: str, depth: int) -> None:
        for name in list(values):
            if not self._pace.step():
                return
            if type(name) is not str or name.startswith("__"):
                continue
            value = values.get(name)
            if type(value) is staticmethod or type(value) is classmethod:
                value = value.__func__
            what, _ = self.kinds.of(value)
            if what == kinds.FUNCTION:
                self._function(value, module, key + "." + name, depth)
            elif what not in (kinds.PLAIN, kinds.CLASS):
                path = module + "." + key + "." + name
                self._queue += (value, path, depth, name_in(module, name), 1.0)

    def _function(self, function: "Any", module: str, name: str, depth: int) -> None:
        if not self._seen.add(id(function)):
            return
        where = module + "." + name
        for value in function.__defaults__ or ():
            self._queue += (value, "default of " + where, depth - 1, name_in(module, name), 1.0)
        for number, cell in enumerate(function.__closure__ or ()):
            label = function.__code__.co_freevars[number]
            path = "closure of " + where + ": " + label
            self._queue += (cell, path, depth - 1, name_in(module, label), 1.0)

    def _locals(self) -> None:
        """Begin with what running functions of the program have in their variables.

        Those of who called come first: what they have is named so in the next census, too, while
        which function runs innermost is another one each time.
        """
        frames = frames_of_threads()
        for ident in list(frames):
            frame = frames.pop(ident)
            if not self._pace.step():
                return
            at: "FrameType | None" = None if ident in self._own_threads else frame
            stack: "list[FrameType]" = []
            while at is not None and len(stack) < FRAMES:
                stack.append(at)
                at = at.f_back
            while stack:
                at = stack.pop()
                code = at.f_code
                if code.co_flags & 1 and is_own_file(code.co_filename):  # 1: has fast locals
                    module = dict.get(at.f_globals, "__name__")
                    function = getattr(code, "co_qualname", code.co_name)
                    for name, value in local_variables(at):
                        if self.kinds.of(value)[0] != kinds.PLAIN:
                            owner = name_in(module if type(module) is str else "", name)
                            path = "%s in %s" % (name, function)
                            self._queue += (value, path, DEPTH, owner, 1.0)

    # --- down from them -------------------------------------------------------------------

    def _down_all(self) -> None:
        """Look at what is queued and at what that leads to, the nearest first."""
        chunks: "list[list[Any]]" = []
        self._through(chunks)
        while chunks:  # the walk has ended early: to let go of a million at once takes too long
            chunks.pop()
            self._pace.rest()

    def _through(self, chunks: "list[list[Any]]") -> None:
        while chunks or self._queue:
            if not chunks:
                chunks.append(self._queue)
                self._queue = []
            chunk = chunks.pop(0 if len(chunks) <= NEAREST_CHUNKS else -1)
            for at in range(0, len(chunk), 5):
                if not self._seen.add(id(chunk[at])):
                    continue
                if not self._pace.step():
                    return
                place = tuple(chunk[at : at + 5])
                if place[4] != 1.0 and sys.getrefcount(place[0]) > SHARED:
                    place = (*place[:4], 1.0)  # many alike share it, such as an event loop
                self._look(place)
                if len(self._queue) >= CHUNK:
                    if len(chunks) < MOST_CHUNKS:
                        chunks.append(self._queue)
                    else:
                        self._left_out = True
                    self._queue = []

    def _look(self, place: "Place") -> None:
        value, path, depth, owner, weight = place
        what, base = self.kinds.of(value)
        if what in (kinds.LEAF, kinds.LIBRARY):
            if what == kinds.LIBRARY and base in kinds.SLOW and path.endswith("[…]"):
                return  # to ask one takes a millisecond; what holds them asks the newest
            size = self.kinds.size(value)
            if what == kinds.LIBRARY:
                self._pace.soon()
            if size >= LEAST_BYTES:
                number = self._found_at(place, path)
                self.found.bytes[number] += size * weight
            whole = kinds.base_of(value, base) if what == kinds.LIBRARY else None
            if whole is not None and weight == 1.0:  # of many some may share one
                self._below(whole, path + ".base", depth, owner, weight)
            if self.kinds.is_derived(value):
                self._instance(place, is_container=True)
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
                self._instance(place, is_container=True)
        elif what == kinds.INSTANCE:
            self._instance(place)

    def _below(self, value: "Any", path: str, depth: int, owner: str, weight: float) -> None:
        if depth > 0 and self.kinds.of(value)[0] not in (kinds.PLAIN, kinds.CLASS):
            self._queue += (value, self._one(path), depth - 1, self._one(owner), weight)

    def _one(self, text: str) -> str:
        """Return the object that stands for a text."""
        known = self._texts.get(text)
        if known is None:
            if len(self._texts) < MOST_TEXTS:
                self._texts[text] = text
            return text
        return known

    def _found_at(self, place: "Place", path: str, kind: str = "") -> int:
        kind = kind or kinds.type_name(type(place[0]))
        return self.found.at(path, kind, place[3], place[4], self._in_libraries, id(place[0]))

    def _container(self, place: "Place", base: "Any") -> None:
        value, path, depth, owner, weight = place
        size = base.__len__(value)
        kind = self.kinds.bounded(value, base)
        if not kind and self._beside and size <= self._beside.get(path, -1):
            kind = "%s(maxsize=%d)" % (kinds.type_name(type(value)), self._beside[path])
        here, number = self.found, self._found_at(place, path, kind)
        here.entries[number] += size * weight
        here.bytes[number] += self.kinds.size(value) * weight
        if self._keep:
            largest = here.largest[number]
            if largest is None or size >= self.kinds.length(largest):
                here.largest[number] = value
        if base is dict and size <= NAMED and (depth >= NAMED_LEFT or self._in_libraries):
            for key, inner in kinds.items(value):
                self._below(inner, "%s[%s]" % (path, label_of(key)), depth, owner, weight)
        elif depth > 0:
            path += "[…]"
            inside = self.kinds.elements(value, base, kinds.SOME)
            if len(inside) > NAMED:
                self._pace.soon()
            weight *= max(size / max(len(inside), 1), 1.0)
            for inner in inside:
                self._below(inner, path, depth, owner, weight)

    def _cache(self, place: "Place") -> None:
        value, path, depth, owner, weight = place
        told = value.cache_info()
        kind = "lru_cache"
        if told.maxsize is not None and weight == 1.0:
            kind = "lru_cache(maxsize=%d)" % told.maxsize
        number = self._found_at(place, "lru_cache of " + path, kind)
        self.found.entries[number] += told.currsize * weight
        if self._keep:
            self.found.largest[number] = value
        wrapped = value.__dict__.get("__wrapped__")
        if wrapped is not None:
            self._below(wrapped, path, depth, owner, weight)

    def _instance(self, place: "Place", *, is_container: bool = False) -> None:
        value, path, depth, owner, weight = place
        dict_of, slots = self.kinds.attributes(type(value))
        # Into what a library's object holds, code puts by the name that it has for the object.
        own = self._is_own(type(value))
        module = module_of(owner)
        values = None if dict_of is None else dict_of.__get__(value)
        if type(values) is dict:
            self._seen.add(id(values))
            if len(values) > kinds.WHOLE:  # attributes that the program makes as it goes
                self._container((values, path, depth, owner, weight), dict)
                return
            most = most_beside(values) if weight == 1.0 else 0
            for key in list(dict.keys(values)):
                if type(key) is not str:
                    continue  # to look one up might call it
                name, inner = key, dict.get(values, key)
                where = "%s.%s" % (path, short(name))
                if most and self.kinds.of(inner)[0] == kinds.CONTAINER:
                    self._beside[where] = most
                self._below(inner, where, depth, name_in(module, name) if own else owner, weight)
        for name, member in slots:
            try:
                inner = member.__get__(value)
            except AttributeError:  # not set
                continue
            where = path + "." + name
            self._below(inner, where, depth, name_in(module, name) if own else owner, weight)
        if type(values) is not dict and not slots and not is_container:
            inside = self._referents(value)
            if len(inside) > NAMED:  # a container that is written in C
                self._pace.soon()
                number = self._found_at(place, path)
                self.found.entries[number] += len(inside) * weight
                if self._keep:
                    self.found.largest[number] = value
            for inner in inside[: kinds.WHOLE]:
                self._below(inner, path + ".…", depth, owner, weight)

    def _is_own(self, kind: type) -> bool:
        """Tell whether a class is the program's."""
        own = self._own_types.get(id(kind))  # `kinds` keeps the class meanwhile
        if own is None:
            name = kinds.type_dict(kind).get("__module__")
            module = dict.get(sys.modules, name) if type(name) is str else None
            values = None if module is None else kinds.module_dict(module)
            own = name == "__main__" or (values is not None and is_own_file(values.get("__file__")))
            self._own_types[id(kind)] = own
        return own


def most_beside(values: "dict[Any, Any]") -> int:
    """Return the most that an object says it holds, as caches and queues do, 0 if it says nothing.

    Args:
        values: Its attributes.
    """
    for key in list(dict.keys(values)):
        if type(key) is str and key.rpartition("__")[2].strip("_") in MOST_NAMES:
            most = dict.get(values, key)
            if type(most) is int and most > 0:
                return most
    return 0


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


def is_ours(file: object) -> bool:
    """Tell whether a file is one of the agent's."""
    return type(file) is str and file.startswith(_LIBRARY[-1])


_LIBRARY = (
    str(getattr(sys.modules.get("os"), "__file__", "/")).rpartition("/")[0] + "/",
    __file__.rpartition("/")[0].rpartition("/")[0] + "/",
)
"""Folders of the standard library and of the agent."""


def label_of(key: object) -> str:
    """Return a dict's key as it stands in a path."""
    if type(key) is str:
        return short(repr(key[:STEP_LETTERS]))
    # A number of thousands of digits takes long to be written, or is refused.
    return repr(key) if type(key) is int and key.bit_length() <= 64 else "…"


def short(text: str) -> str:
    """Cut what stands in a path."""
    return text if len(text) <= STEP_LETTERS else text[: STEP_LETTERS - 1] + "…"
