"""Scenarios of installed packages: entry points of the group "perftui.scenarios".

The host finds the file of such a scenario and reads it, as it does with people's own files: it
never imports other people's packages. The child does.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.own.path import native_path
from perftui.scenarios.define.parameters import Parameter, ScenarioError
from perftui.scenarios.run.user_file import read_function

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

    from perftui.scenarios.define.definition import Definition

GROUP = "perftui.scenarios"


def installed_scenarios() -> dict[str, EntryPoint]:
    """All by name. Of two packages with the same name for one, the first found counts."""
    # Their code is not ours: it may stand where we do not import from.
    places = native_path()
    if not any(map(_may_have_some, places)):
        return {}
    # Not at the top: with all that it imports (json, email, in some versions) the process that
    # runs a scenario would have it, too, and the scenario would no longer import it itself.
    from importlib.metadata import distributions

    found: dict[str, EntryPoint] = {}
    for distribution in distributions(path=places):
        for entry in distribution.entry_points:
            if entry.group == GROUP:
                found.setdefault(entry.name, entry)
    return found


def _may_have_some(place: str) -> bool:
    """Tell whether a place of sys.path has packages that name the group, or cannot be searched.

    Most have none, and what reads metadata loads the mail parser for it.
    """
    try:
        entries = list(os.scandir(place or os.curdir))
    except NotADirectoryError:
        return True  # a zip file: may have anything
    except OSError:
        return False
    for entry in entries:
        if entry.name.endswith((".dist-info", ".egg-info", ".egg")):
            for file in ("entry_points.txt", "EGG-INFO/entry_points.txt"):
                with suppress(OSError):
                    if GROUP.encode() in Path(entry.path, file).read_bytes():
                        return True
    return False


def read_installed(entry: EntryPoint) -> tuple[Definition, tuple[Parameter, ...]]:
    """Read what an entry point's function says about itself, from its source.

    Raises:
        ScenarioError: Its source cannot be found or read.
    """
    return read_function(str(_source(entry)), entry.attr)


def _source(entry: EntryPoint) -> Path:
    name = entry.module.replace(".", "/")
    distribution = entry.dist
    if distribution is not None:
        candidates = [Path(f"{name}.py"), Path(f"{name}/__init__.py")]
        for candidate in candidates:
            path = Path(str(distribution.locate_file(candidate)))
            if path.is_file():
                return path
    # Installed for editing, or from elsewhere: the path is known to the import system alone.
    found = _on_path(entry.module)
    if found is not None:
        return found
    raise ScenarioError(f"scenario {entry.name}: there is no source file of {entry.module}")


def _on_path(module: str) -> Path | None:
    """The file of a module, without importing its packages, as `find_spec` would."""
    from importlib.machinery import PathFinder

    path: list[str] | None = native_path()
    spec = None
    for part in module.split("."):
        spec = PathFinder.find_spec(part, path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec is not None and spec.origin else None


def load_installed(name: str) -> Callable[..., Any] | None:
    """Import the function of an installed scenario; None if there is no such one."""
    entry = installed_scenarios().get(name)
    if entry is None:
        return None
    loaded: Callable[..., Any] = entry.load()
    return loaded
