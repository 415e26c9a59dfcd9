"""What an object is to a census, and how large, without calling anything of the program's.

An object may have a `__len__`, a `__sizeof__`, a `__class__`, a property or a metaclass that does
something. None of them is ever asked: types are told by `type`, lengths by the built-in type's
own method, attributes by the interpreter's descriptors. A class is looked up by its id: its
metaclass may have a `__hash__`.
"""

import sys
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.growth import pace

PLAIN, LEAF, FUNCTION, CLASS, CELL, CACHE, CONTAINER, LIBRARY, INSTANCE = range(9)

WHOLE = 256
"""A container with more elements is not looked into one by one: some of the first and the
newest are."""
SOME = 8
LIBRARIES = frozenset(("numpy", "pandas", "pyarrow", "polars", "torch"))
"""Whose arrays and tables are asked for their size: their own code, known to have no effect."""
MOST_CHUNKS = 200
"""Of a table of pyarrow are asked for their buffers."""
SHARED = 24
"""What has so many references is not there for who has one of them."""
SLOW = frozenset(("pandas", "pyarrow", "polars", "torch"))

_type_dict: "Callable[[Any], Any]" = type.__dict__["__dict__"].__get__
type_mro: "Callable[[Any], Any]" = type.__dict__["__mro__"].__get__
type_name: "Callable[[Any], str]" = type.__dict__["__name__"].__get__
Module: "Any" = type(sys)
Function: "Any" = type(lambda: 0)
_module_dict: "Callable[[Any], Any]" = Module.__dict__["__dict__"].__get__
_GETSET: "Any" = type(type.__dict__["__dict__"])
_MEMBER: "Any" = type(Function.__dict__["__globals__"])
_BUFFERS = ("array", "array"), ("_io", "BytesIO"), ("_io", "StringIO")
"""The interpreter's own, which tell their size; they hold no other objects."""
_BASES = frozenset(map(id, (dict, list, set, tuple, frozenset)))


def _cell() -> "Any":
    here = 0
    return (lambda: here).__closure__


Cell: "Any" = type(_cell()[0])
_PLAIN = (
    *(int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented)),
    *(range, slice, Module, type(Function.__code__)),
)
_KNOWN: "dict[int, tuple[int, Any]]" = dict.fromkeys(map(id, _PLAIN), (PLAIN, None))
_KNOWN.update(dict.fromkeys(map(id, (str, bytes, bytearray)), (LEAF, None)))
_KNOWN[id(Function)] = FUNCTION, None
_KNOWN[id(Cell)] = CELL, None


def type_dict(kind: "Any") -> "Any":
    """Return what a class has, nothing of one in C that has not been made ready."""
    return _type_dict(kind) or {}


class Kinds:
    """What the types are that one walk meets; they are let go with it."""

    def __init__(self) -> None:
        self._known = dict(_KNOWN)
        self._met: "list[type]" = []
        """They stay meanwhile, so that no other class gets the id of one."""
        self._attributes: "dict[int, tuple[Any, list[tuple[str, Any]]]]" = {}
        self._deque: "Any" = _from("collections", "deque")
        self._local: "Any" = _from("_thread", "_local")
        self._array: "Any" = _from("numpy", "ndarray")
        self._texts = {id(kind): kind for kind in (str, bytes, bytearray)}
        cache = _from("functools", "_lru_cache_wrapper")
        if cache is not None:
            self._known[id(cache)] = CACHE, None
        for module, name in _BUFFERS:
            kind = _from(module, name)
            if kind is not None:
                self._known[id(kind)] = LEAF, None
                self._texts[id(kind)] = kind

    def of(self, value: object) -> "tuple[int, Any]":
        """Return what an object is; of a container its built-in type, of a library's the package,
        of one of ctypes its base, of a class derived from a text, a buffer or a module that one."""
        kind = type(value)
        found = self._known.get(id(kind))
        if found is None:
            self._met.append(kind)
            found = self._known[id(kind)] = self._judge(kind)
        return found

    def _judge(self, kind: type) -> "tuple[int, Any]":
        if type_mro(kind) is None:
            return PLAIN, None  # a type of C's that nobody has made ready
        for base in type_mro(kind):
            if base is type:
                return CLASS, None
            if base is Module:
                return PLAIN, base
            if id(base) in self._texts:
                return LEAF, base
            if base is self._array and base is not None:
                return LIBRARY, "numpy"
            if base is self._deque or id(base) in _BASES:
                return CONTAINER, base
            if type(type_dict(base).get("_b_needsfree_")) is _MEMBER and _is_ctypes(base):
                return INSTANCE, base
        home = type_dict(kind).get("__module__")
        if type(home) is not str:  # a type of C has it in its name
            home = kind.__module__ if type(kind) is type else ""
        package = home.partition(".")[0] if type(home) is str else ""
        if package in LIBRARIES and type_name(kind) in _SIZES.get(package, ()):
            return LIBRARY, package
        return INSTANCE, None

    def bounded(self, value: "Any", base: "Any") -> str:
        """Return the type of a container with its bound, "" if it has none."""
        if base is not self._deque:
            return ""
        most = type_dict(base)["maxlen"].__get__(value)
        return "" if most is None else "%s(maxlen=%d)" % (type_name(type(value)), most)

    def is_derived(self, value: object) -> bool:
        """Tell whether a text, a buffer or an array is of a class derived from that: it may have
        attributes."""
        what, base = self.of(value)
        if what == LIBRARY:
            return base == "numpy" and type(value) is not self._array
        return what == LEAF and base is not None

    def length(self, value: object) -> int:
        """Return the length of a container, 0 for what is none."""
        what, base = self.of(value)
        return int(base.__len__(value)) if what == CONTAINER else 0

    def attributes(self, kind: type) -> "tuple[Any, list[tuple[str, Any]]]":
        """Return what gives an instance's dict (None without one), and its slots by name."""
        found = self._attributes.get(id(kind))
        if found is not None:
            return found
        dict_of, slots = None, []
        # A class of `threading.local` has a dict that is empty: what threads have is behind it.
        local = id(self._local) in map(id, type_mro(kind))
        for base in type_mro(kind):
            values = type_dict(base)
            given = values.get("__dict__")
            if dict_of is None and type(given) is _GETSET and not local:
                dict_of = given
            if values.get("__slots__") is None:
                continue
            for name, member in list(values.items()):
                if type(member) is _MEMBER and type(name) is str and not name.startswith("__"):
                    slots.append((name, member))
        self._met.append(kind)
        self._attributes[id(kind)] = dict_of, slots
        return dict_of, slots

    def elements(self, value: "Any", base: "Any", most: int) -> "list[Any]":
        """Return elements of a container: all of a small one, else `most` first and newest."""
        size = base.__len__(value)
        try:
            if size <= WHOLE:
                return list(dict.values(value) if base is dict else base.__iter__(value))
            first = dict.values(value) if base is dict else base.__iter__(value)
            return [*islice(first, most), *self.newest(value, base, most)]
        except (RuntimeError, TypeError):  # another thread changed it meanwhile
            return []

    def newest(self, value: "Any", base: "Any", most: int) -> "list[Any]":
        """Return the newest elements of a container; of a set just some."""
        try:
            if base is dict:
                return list(islice(reversed(dict.values(value)), most))
            if base is list or base is tuple:
                return list(base.__getitem__(value, slice(-most, None)))
            if base is set or base is frozenset:
                return list(islice(base.__iter__(value), most))
            return list(islice(base.__reversed__(value), most))
        except (RuntimeError, TypeError):
            return []

    def size(self, value: "Any") -> int:
        """Return the bytes of one object by itself."""
        what, package = self.of(value)
        if what == LIBRARY:
            return library_bytes(value, package)
        if what == INSTANCE and package is not None:
            return object.__sizeof__(value) + raw_bytes(value, package)
        if what in (PLAIN, LEAF) and package is not None:  # a class of the program's, maybe
            return int(package.__sizeof__(value))
        if what in (PLAIN, LEAF) or id(type(value)) in _BASES:
            return sys.getsizeof(value)
        if what == CONTAINER:
            return int(package.__sizeof__(value))
        return object.__sizeof__(value)

    def newest_pairs(self, value: "Any", most: int) -> "list[tuple[Any, Any]]":
        """Return the newest (key, value) of a dict."""
        try:
            return list(islice(reversed(dict.items(value)), most))
        except (RuntimeError, TypeError):
            return []

    def deep_size(
        self,
        roots: "tuple[Any, ...]",
        referents: "Callable[..., list[Any]]",
        most: int,
        seen: "set[int]",
        walk: "pace.Slices",
    ) -> int:
        """Return about how many bytes objects and what they hold are.

        What many share (modules, classes, functions) is left out, and what is in `seen`.

        Args:
            roots: What to begin with.
            referents: `gc.get_referents`.
            most: So many are looked at.
            seen: Ids of what was counted; more are added.
            walk: Its pace; what is left when it is to end is not counted.
        """
        total, looked = 0, 0
        layer = [each for each in roots if id(each) not in seen]
        seen.update(map(id, layer))
        while layer and looked < most:
            below: "list[Any]" = []
            for each in layer:
                if not walk.step():
                    return total
                looked += 1
                what, base = self.of(each)
                if what in (FUNCTION, CLASS) or looked > most:
                    continue
                if what == PLAIN and (base is Module or type(each) is Module):
                    continue
                if what == LIBRARY:
                    walk.soon()
                    if base == "pyarrow":
                        total += arrow_bytes(each, seen)
                        continue
                if what == PLAIN and sys.getrefcount(each) > SHARED:
                    continue  # a small number, or one that stands everywhere
                total += self.size(each)
                whole = base_of(each, base) if what == LIBRARY else None
                if whole is not None and id(whole) not in seen:
                    seen.add(id(whole))
                    below.append(whole)
                if what == PLAIN or (what in (LEAF, LIBRARY) and not self.is_derived(each)):
                    continue
                if what == CONTAINER and base.__len__(each) > WHOLE:
                    some = self.newest(each, base, SOME)
                    first = some[0] if some else None
                    alike = len(some) > 1 and all(other is first for other in some)
                    sample = (first,) if alike else tuple(some)  # [0.0] * n has one
                    inner = self.deep_size(sample, referents, most // 4, seen, walk)
                    looked += most // 4
                    total += inner if alike else inner * base.__len__(each) // max(len(some), 1)
                    continue
                for one in referents(each):
                    if len(below) > most:
                        break  # more are not looked at
                    if id(one) not in seen:
                        seen.add(id(one))
                        below.append(one)
            layer = below
        return total


def _is_ctypes(kind: type) -> bool:
    home = type_dict(kind).get("__module__")
    return home is None or home == "_ctypes"


def raw_bytes(value: "Any", base: "Any") -> int:
    """Return the bytes of what ctypes has made, 0 if the memory is another object's."""
    ctypes: "Any" = sys.modules.get("_ctypes")
    if ctypes is None or not type_dict(base)["_b_needsfree_"].__get__(value):
        return 0
    return int(ctypes.sizeof(value))


def base_of(value: "Any", package: str) -> "Any":
    """Return what has the memory of a view, None if it is none."""
    return _of_array("base", value) if package == "numpy" else None


def _of_array(name: str, value: "Any") -> "Any":
    """Return what an array says of itself; a class derived from it is not asked."""
    array: "Any" = _from("numpy", "ndarray")
    return None if array is None else type_dict(array)[name].__get__(value)


def items(values: "dict[Any, Any]") -> "list[tuple[Any, Any]]":
    """Return what is in a dict now, in one go."""
    return list(dict.items(values))


def module_dict(module: object) -> "dict[str, Any] | None":
    """Return a module's names, without waking one that loads itself when it is asked."""
    try:
        return _module_dict(module)  # type: ignore[no-any-return]
    except TypeError:  # something else stands in its place
        return None


_SIZES: "dict[str, tuple[str, ...]]" = {
    "numpy": ("ndarray",),
    "pandas": ("DataFrame", "Series"),
    "pyarrow": ("Table", "RecordBatch", "ChunkedArray", "Buffer", "ResizableBuffer"),
    "polars": ("DataFrame", "Series"),
    "torch": ("Tensor", "Parameter"),
}


def library_bytes(value: "Any", package: str) -> int:
    """Return the bytes of a library's array or table."""
    try:
        if package == "numpy":
            return int(_of_array("nbytes", value)) if _of_array("base", value) is None else 0
        if package == "pandas":
            used = value.memory_usage(deep=False)
            return int(used.sum() if type_name(type(value)) == "DataFrame" else used)
        if package == "pyarrow":
            return arrow_bytes(value, set())
        if package == "polars":
            return int(value.estimated_size())
        return int(value.untyped_storage().nbytes()) if value.device.type == "cpu" else 0
    except Exception:  # another release of the library: the size is not known
        return 0


def arrow_bytes(value: "Any", seen: "set[int]") -> int:
    """Return the bytes of the buffers that a table or buffer of pyarrow keeps.

    Those of a slice are the whole ones; one that several share is counted once, but where there
    are too many pieces to ask.

    Args:
        value: What is asked.
        seen: Addresses of buffers that were counted; more are added.
    """
    kind = type_name(type(value))
    total = 0
    try:
        if kind.endswith("Buffer"):
            pieces = [value]
        elif kind == "RecordBatch":
            pieces = value.columns if value.num_columns <= MOST_CHUNKS else []
        else:
            columns = [value] if kind == "ChunkedArray" else []
            columns = columns or (value.columns if value.num_columns <= MOST_CHUNKS else [])
            few = sum([each.num_chunks for each in columns]) <= MOST_CHUNKS
            pieces = [chunk for each in columns for chunk in each.chunks] if few else []
        for piece in pieces:
            for buffer in [value] if piece is value else piece.buffers():
                if buffer is not None and buffer.address not in seen:
                    seen.add(buffer.address)
                    total += buffer.size
        # `nbytes` is of a slice alone, and takes 20 ms for a thousand columns.
        return int(total if pieces else value.get_total_buffer_size())
    except Exception:  # another release of the library: the size is not known
        return 0


def _from(module: str, name: str) -> "Any":
    """Return a class of a module that the program has imported, None if it has not."""
    found = sys.modules.get(module)
    values = None if found is None else module_dict(found)
    kind = None if values is None else values.get(name)
    return kind if type(kind) is type else None
