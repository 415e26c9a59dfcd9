"""Where a process of ours imports from, and where the program of a person would.

Ours import from the standard library and from where perftui is installed, nowhere else: not from
the current directory, not from PYTHONPATH, not from the user's own site folder. Whoever can write
to one of those would run code with the rights of whoever profiles, and an innocent `json.py` in a
project would break us. A process that goes on to run a person's code gives those places back
right before it (`give_back`), so that the code finds what it would find without us. What we do
after that, telling how the code failed above all, is done in `OurPlaces`.

`own.start` loads this file by its path, before anything else: it imports what every interpreter
has loaded by then.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec

_native_modules = frozenset(sys.modules)
"""Loaded before anything of ours, so also without us."""
_native_path: "list[str] | None" = None
_taken_out: "list[str]" = []
_ours: "list[str]" = []


def take_out() -> None:
    """Keep only our own places on sys.path; the second call changes nothing."""
    global _native_path
    if _native_path is not None:
        return
    path = list(sys.path)
    if path and not sys.flags.safe_path:
        del path[0]  # the current directory (-m, -c), or the folder of the script
    _native_path = path
    theirs = _theirs(path)
    _taken_out[:] = [entry for entry in path if entry in theirs and entry not in ("", os.curdir)]
    kept = [entry for entry in path if entry not in theirs]
    home = _home()
    if home is not None and home not in kept:
        sys.meta_path.insert(0, _OurPackage(home))
    _ours[:] = kept
    sys.path[:] = kept


def taken_out() -> "list[str]":
    """Return the places that only a person's own code is imported from."""
    return list(_taken_out)


def native_path() -> "list[str]":
    """Return sys.path as the interpreter gives it to a script, without the script's folder."""
    return list(sys.path if _native_path is None else _native_path)


def give_back(folder: "str | None" = None) -> None:
    """Make sys.path what a person's code would see without us.

    Modules that we have loaded and of which the person has others by the same name are forgotten:
    the code's `import json` is for its own `json.py`, ours stays with those of us who have it.

    Args:
        folder: Where the code stands, first on the path as the folder of a script is.
    """
    native = native_path()
    theirs = taken_out()
    if folder is not None:
        native.insert(0, folder)
        theirs.insert(0, folder)
    sys.path[:] = native
    _forget(_shadowed(set(sys.modules) - _native_modules, theirs))


class _OurPackage:
    """Finds the package `perftui` in the folder that holds it, and nothing else there.

    For an interpreter that has its own packages and not ours. With the folder on its path, code
    that runs in it would find all that is installed beside perftui: an engine that is missing
    there would be measured as if it were not, and in the version that we happen to have.
    """

    def __init__(self, home: str) -> None:
        self._home = home

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> "ModuleSpec | None":
        """Answer for the package itself; what is below it is found by its own path."""
        return _find(name, [self._home]) if name == "perftui" else None


class OurPlaces:
    """While it lasts, imports come from our own places, also after they were given back.

    The interpreter itself imports more with every version to tell an error: `traceback`, and only
    when they are needed colours, suggestions for a misspelt name, the parser of a syntax error.
    After `give_back` each of these could be a file of the project's, run at a moment when nobody
    has asked for it. Before and after, the person's code finds its own.

    It is for moments at which the code has ended: what else a thread of it imports meanwhile comes
    from our places, too.
    """

    def __enter__(self) -> None:
        self._path = sys.path
        self._entries = list(sys.path)
        self._hidden: dict[str, object] = {}
        if not _ours:
            return  # nothing was taken out, so nothing was given back
        within = tuple(entry + "/" for entry in _ours)
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in sys.stdlib_module_names:
                file = getattr(module, "__dict__", {}).get("__file__")
                if isinstance(file, str) and not file.startswith(within):
                    self._hidden[name] = sys.modules.pop(name)
        self._loaded = set(sys.modules)
        sys.path = list(_ours)

    def __exit__(self, *_: object) -> None:
        sys.path = self._path
        sys.path[:] = self._entries
        if not _ours:
            return
        theirs = [entry for entry in self._entries if entry not in _ours]
        _forget(_shadowed(set(sys.modules) - self._loaded, theirs))
        sys.modules.update(self._hidden)  # type: ignore[arg-type]


def _forget(names: "Iterable[str]") -> None:
    """Take modules out, with what is below them: whoever has them keeps them."""
    for name in names:
        for module in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            del sys.modules[module]


def find_theirs(module: str) -> bool:
    """Tell whether a module stands in one of the places that were taken out; imports nothing."""
    top = module.partition(".")[0]
    return bool(_taken_out) and _find(top, _taken_out) is not None


def _find(module: str, places: "list[str]") -> "ModuleSpec | None":
    # Not from `importlib.machinery`: it imports `warnings`, which may be the project's by now.
    finder = sys.modules["_frozen_importlib_external"].PathFinder
    found: ModuleSpec | None = finder.find_spec(module, places)
    return found


def _theirs(path: "list[str]") -> "set[str]":
    """Return the entries that the environment or the user's own site folder has put there.

    What stands before the standard library was put there by PYTHONPATH; what follows the user's
    site folder, up to the next one, by the `.pth` files in it.
    """
    library = os.path.dirname(os.__file__)
    theirs = set(path[: path.index(library)]) if library in path else set()
    if not sys.flags.ignore_environment:
        named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        theirs.update(os.path.abspath(entry) for entry in named if entry)
    theirs.update(("", os.curdir))
    site = sys.modules.get("site")
    if site is not None and site.ENABLE_USER_SITE:
        installed = set(site.getsitepackages())
        inside = False
        for entry in path:
            inside = entry == site.USER_SITE or (inside and entry not in installed)
            if inside:
                theirs.add(entry)
    builtin = {library, os.path.join(library, "lib-dynload"), *_zipped(path)}
    return theirs - builtin


def _zipped(path: "list[str]") -> "set[str]":
    """Return the name of the zipped standard library, which stands before the unzipped one."""
    name = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    prefixes = (sys.base_prefix, sys.base_exec_prefix)
    return {e for e in path if os.path.basename(e) == name and e.startswith(prefixes)}


def _home() -> "str | None":
    """Return the folder that holds the package `perftui`; None where it has another name."""
    package = os.path.abspath(__file__)
    for _ in ("path.py", "own", "probes"):
        package = os.path.dirname(package)
    return os.path.dirname(package) if os.path.basename(package) == "perftui" else None


def _shadowed(loaded: "set[str]", places: "list[str]") -> "Iterable[str]":
    """Yield those of the modules that we have loaded that stand in `places` too."""
    bootstrap = sys.modules["_frozen_importlib"]
    ours = {name.partition(".")[0] for name in loaded}
    for name in ours - {"perftui", "__main__", "__mp_main__"}:
        if bootstrap.BuiltinImporter.find_spec(name) or bootstrap.FrozenImporter.find_spec(name):
            continue  # found before sys.path is looked at
        spec = _find(name, places)
        # A mere folder (no loader) is only taken where there is nothing else by that name.
        if spec is not None and spec.loader is not None:
            yield name
