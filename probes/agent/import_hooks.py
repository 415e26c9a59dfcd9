"""Where the interpreter lets us see an import begin and end without a frame of ours on the stack.

It imports whatever is not in `sys.modules` through `importlib._bootstrap._find_and_load`. Up to
3.14 that does its work inside `with _ModuleLockManager(name)`, from 3.15 on between `acquire` and
`release` of a `_ModuleLock`. We put a subclass in the place of the class that is used: its methods
are the moments before and after the import, in the importing thread, yet no frame of ours is there
while the module runs: tracebacks, recursion depth and `sys.meta_path` stay what they were.

Which of them is used is read from the code of `_find_and_load`, not from what exists, and then
tried. A module behind `importlib.util.LazyLoader` is filled elsewhere, with one frame of ours.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.imports import Imports

BOOTSTRAP_FILE = "<frozen importlib._bootstrap>"
LAZY_FILE = "<frozen importlib.util>"


def install(imports: "Imports", self_test: str) -> str:
    """Begin to see imports; return why that cannot be on this Python, "" if it can."""
    bootstrap: "Any" = sys.modules["_frozen_importlib"]
    code = getattr(getattr(bootstrap, "_find_and_load", None), "__code__", None)
    used = getattr(code, "co_names", ())
    if "_ModuleLockManager" in used:
        name, make = "_ModuleLockManager", _manager
    elif "_get_module_lock" in used:
        name, make = "_ModuleLock", _lock
    else:
        return "its importlib locks modules in a way that is not known"
    original = getattr(bootstrap, name, None)
    replacement = None if original is None else make(original, imports)
    if replacement is None:
        return "its importlib has another %s" % name
    setattr(bootstrap, name, replacement)
    if not _try(bootstrap, self_test, imports):
        setattr(bootstrap, name, original)
        return "an import was tried and not seen"
    imports.agent.put_back_later(bootstrap, name, original)
    return ""


def _try(bootstrap: "Any", name: str, imports: "Imports") -> bool:
    """Import what does not exist, with nobody asked for it, and tell whether that was seen."""
    finders = sys.meta_path
    sys.meta_path = [_Nobody]
    try:
        if "importtime" in sys._xoptions or "PYTHONPROFILEIMPORTTIME" in sys.modules["os"].environ:
            bootstrap._find_and_load(name, bootstrap._gcd_import)  # `import` would be printed
        else:
            __import__(name)
    except ImportError:
        pass
    finally:
        sys.meta_path = finders
    return imports.tested == 2


class _Nobody:
    """Finds nothing; an empty `sys.meta_path` would be warned of."""

    @staticmethod
    def find_spec(name: str, path: "Any" = None, target: "Any" = None) -> None:
        return None


def _manager(original: "Any", imports: "Imports") -> "Any":
    """Return a `_ModuleLockManager` that tells of imports, None if this one is not as known."""
    if getattr(original("x"), "_name", None) != "x":
        return None
    enter, leave = original.__enter__, original.__exit__
    begin, done = imports.begin, imports.done
    foreign, report = imports.agent.foreign, imports.agent.report

    class _ModuleLockManager(original):  # type: ignore[misc]
        _perftui = None

        def __enter__(self) -> None:
            enter(self)
            try:
                self._perftui = begin(self._name)
            except BaseException as error:
                if isinstance(error, Exception) and not foreign(error):
                    report(error)
                else:  # from a signal handler of the program: `with` will not call __exit__
                    leave(self, None, None, None)
                    raise

        def __exit__(self, *args: "Any", **kwargs: "Any") -> None:
            leave(self, *args, **kwargs)
            done(self._name, self._perftui, args[0] is None)

    return _dressed(_ModuleLockManager, original, "__enter__", "__exit__")


def _lock(original: "Any", imports: "Imports") -> "Any":
    """Return a `_ModuleLock` that tells of imports, None if this one is not as known."""
    made = original("x")
    if getattr(made, "name", None) != "x" or type(getattr(made, "count", None)) is not list:
        return None
    take, give = original.acquire, original.release
    begin, done = imports.begin, imports.done
    foreign, report = imports.agent.foreign, imports.agent.report
    handled: "Callable[[], BaseException | None]" = sys.exception  # type: ignore[attr-defined, unused-ignore]
    modules = sys.modules

    class _ModuleLock(original):  # type: ignore[misc]
        _perftui: "dict[int, Any] | None" = None  # by how often the lock is held

        def acquire(self) -> "Any":
            taken = take(self)
            try:
                entry = begin(self.name)
                if entry is not None:
                    if self._perftui is None:
                        self._perftui = {}
                    self._perftui[len(self.count)] = entry, handled()
            except BaseException as error:
                if isinstance(error, Exception) and not foreign(error):
                    report(error)
                else:  # from a signal handler of the program: nobody will call `release`
                    give(self)
                    raise
            return taken

        def release(self) -> None:
            entry = before = None
            if self._perftui is not None:
                entry, before = self._perftui.pop(len(self.count), (None, None))
            give(self)
            error = handled()
            done(self.name, entry, (error is None or error is before) and self.name in modules)

    return _dressed(_ModuleLock, original, "acquire", "release")


def _dressed(kind: "Any", original: "Any", *methods: str) -> "Any":
    """Have a class of ours look like the one that it stands for.

    An exception that passes (the program's signal handler may raise here as in the original's
    methods) shows importlib's frame, which the interpreter knows how to trim.
    """
    for name in methods:
        _disguise(getattr(kind, name), BOOTSTRAP_FILE, original.__qualname__ + "." + name)
    kind.__module__ = original.__module__
    kind.__name__ = original.__name__
    kind.__qualname__ = original.__qualname__
    return kind


def _disguise(function: "Any", file: str, qualname: str) -> None:
    code = function.__code__
    told = {"co_qualname": qualname} if hasattr(code, "co_qualname") else {}  # 3.11 on
    function.__code__ = code.replace(co_filename=file, **told)
    function.__qualname__ = qualname


def hook_lazy_loader(util: "Any", imports: "Imports") -> None:
    """See the modules that `importlib.util.LazyLoader` has put off, when they are really loaded."""
    lazy: "Any" = getattr(util, "_LazyModule", None)
    original = getattr(lazy, "__dict__", {}).get("__getattribute__")
    if original is None:
        imports.agent.report("modules behind importlib.util.LazyLoader are not seen to load")
        return
    plain = object.__getattribute__
    foreign, report = imports.agent.foreign, imports.agent.report

    def __getattribute__(self: "Any", attr: str) -> "Any":
        entry, name = None, ""
        try:
            spec = plain(self, "__spec__")
            # While it is loaded it asks itself, and so may other threads: only the first counts.
            if not spec.loader_state.get("is_loading"):
                name = spec.name
                entry = imports.begin(name, lazy=True)
        except Exception as error:
            if foreign(error):
                raise
            report(error)
        if entry is None:
            return original(self, attr)
        ok = False
        try:
            value = original(self, attr)
            ok = True
            return value
        except AttributeError as error:
            # Raised right there, it was loaded and has no such attribute.
            below = error.__traceback__ and error.__traceback__.tb_next
            ok = below is not None and below.tb_next is None
            raise
        finally:
            imports.done(name, entry, ok)

    _disguise(__getattribute__, LAZY_FILE, original.__qualname__)
    setattr(lazy, "__getattribute__", __getattribute__)  # noqa: B010
    imports.agent.put_back_later(lazy, "__getattribute__", original)
