"""From folders and modules to distributions: what is installed is part of a run.

The agent says at exit what was imported from where. Names and versions are those of the
.dist-info and .egg-info folders beside it; a module whose distribution has another name is looked
up in what those folders list. Read outside of the program, which pays nothing for it.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlparse

from perftui.probes.spine.records import Installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENDING = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+?)(?:-py3[^/]*)?\.(?:dist|egg)-info")
_MOST_FILE_BYTES = 8 << 20
_MOST_FOLDERS = 64
_MOST_NAMES = 5_000
_OURS = "perftui"
_SITES = ("site-packages", "dist-packages")


class Distribution(NamedTuple):
    """One that is installed in a folder."""

    name: str
    version: str
    folder: str
    """Its .dist-info."""


class InstalledNames:
    """Puts the lines of each process together; every distribution is told once."""

    def __init__(self) -> None:
        self._places: dict[int, dict[str, set[str]]] = {}
        self._told: set[tuple[str, str]] = set()

    def take(self, pid: int, place: str, names: Sequence[str]) -> None:
        """Take a line."""
        places = self._places.setdefault(pid, {})
        if place in places or len(places) < _MOST_FOLDERS:
            known = places.setdefault(place, set())
            known.update(list(names)[: max(_MOST_NAMES - len(known), 0)])

    def end(self, t_ns: int, pid: int) -> list[Installed]:
        """Return the distributions of a process that has told its end, those that are news."""
        found = distributions_of(self._places.pop(pid, {}))
        news = [each for each in found if each not in self._told]
        self._told.update(news)
        return [Installed(t_ns, pid, name, version) for name, version in news]


def distributions_of(places: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return (name, version) of what was imported, by name.

    Args:
        places: Folder -> top-level modules from it. Folders of packages are there without any too:
            what is installed for editing has its entry there.
    """
    found: dict[str, str] = {}
    for place, modules in places.items():
        if not modules:
            continue
        for each in _owners(place, modules):
            found.setdefault(each.name, each.version)
        if not place.endswith(_SITES):
            for each in _edited(place, modules, places):
                found.setdefault(each.name, each.version)
    found.pop(_OURS, None)
    return sorted(found.items())


def _owners(place: str, modules: Iterable[str]) -> set[Distribution]:
    known = _listed(place, _changed_ns(place))
    by_name = {_plain(each.name): each for each in known}
    owners, rest = set(), set()
    for module in modules:
        own = by_name.get(_plain(module))
        if own is None:
            rest.add(module)
        else:
            owners.add(own)
    if rest and known:
        by_module = _by_module(place, _changed_ns(place))
        owners.update(by_module[module] for module in rest if module in by_module)
    return owners


def _edited(place: str, modules: set[str], sites: Iterable[str]) -> list[Distribution]:
    """Return what is installed from a folder for editing."""
    owners = []
    for site in sites:
        if site.endswith(_SITES):
            for each, source in _from_folders(site, _changed_ns(site)):
                below = place == source or place.startswith(source + "/")
                # Or links and finders lead elsewhere.
                if below or modules & set(_modules_of(each)):
                    owners.append(each)
    return owners


def _changed_ns(place: str) -> int:
    try:
        return os.stat(place).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _listed(place: str, _changed: int) -> tuple[Distribution, ...]:
    found = []
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            match = _ENDING.fullmatch(entry.name)
            if match is not None:
                name = match["name"].replace("_", "-")
                found.append(Distribution(name, match["version"], entry.path))
    return tuple(sorted(found))


@lru_cache(maxsize=64)
def _by_module(place: str, changed: int) -> dict[str, Distribution]:
    by_module: dict[str, Distribution] = {}
    for each in _listed(place, changed):
        for module in _modules_of(each):
            by_module.setdefault(module, each)
    return by_module


@lru_cache(maxsize=64)
def _from_folders(site: str, changed: int) -> tuple[tuple[Distribution, str], ...]:
    """Return the distributions that were installed for editing, and their source folders."""
    found = []
    for each in _listed(site, changed):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            said = json.loads(_read(f"{each.folder}/direct_url.json") or "null")
            if said["dir_info"].get("editable"):
                found.append((each, unquote(urlparse(said["url"]).path).rstrip("/")))
    return tuple(found)


def _modules_of(distribution: Distribution) -> list[str]:
    """Return the top-level modules that a distribution says it has."""
    listed = _read(f"{distribution.folder}/top_level.txt")
    if listed:
        return listed.split()
    modules = set()
    for line in (_read(f"{distribution.folder}/RECORD") or "").splitlines():
        first, slash, _ = line.partition("/")
        if slash:
            modules.add(first)
        elif ".py," in line or ".so," in line:
            modules.add(line.partition(".")[0])
    return [module for module in modules if module.isidentifier()]


def _read(path: str) -> str | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(_MOST_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
