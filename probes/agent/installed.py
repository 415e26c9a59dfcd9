"""At exit: what the program imported, by the folder that it came from, for the names and versions
of the distributions to be looked up outside.

Only top-level modules, and none of the standard library. Nothing is imported for it, and no module
is asked for an attribute: a lazy one would be loaded.
"""

import os
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOM = 3000
"""Letters of names in one line."""
MOST_LINES = 200
_SITES = ("site-packages", "dist-packages")


def tell(agent: "Any") -> None:
    """Send a line for each folder, and for each folder of packages on the path."""
    now, pid = time.monotonic_ns(), posix.getpid()
    lines = 0
    for place, names in found().items():
        for piece in _pieces([agent.quote(name, 300) for name in names]):
            if lines >= MOST_LINES:
                return
            lines += 1
            agent.wire.send(
                '{"k":"installed","t":%d,"pid":%d,"place":%s,"names":[%s]'
                % (now, pid, agent.quote(place, 800), piece)
            )


def _pieces(quoted: "list[str]") -> "list[str]":
    """Join names to pieces that fit into a line each; one piece at least."""
    pieces, room = [""], ROOM
    for name in quoted:
        if room < len(name):
            pieces.append("")
            room = ROOM
        room -= len(name) + 1
        pieces[-1] += "," + name if pieces[-1] else name
    return pieces


def found() -> "dict[str, list[str]]":
    """Return folder -> top-level modules that were imported from it."""
    places: "dict[str, list[str]]" = {}
    for entry in sys.path:
        if isinstance(entry, str) and entry.rstrip("/").endswith(_SITES):
            places.setdefault(entry.rstrip("/"), [])
    library = os.path.dirname(os.__file__)
    for name, module in list(sys.modules.items()):
        if not isinstance(name, str) or "." in name or name.startswith("_perftui_agent"):
            continue
        place = _place(module)
        if not place or place == library or place.endswith("/lib-dynload"):
            continue
        places.setdefault(place, []).append(name)
    return places


def _place(module: "Any") -> str:
    """Return the folder that a module's file or package is in, "" if it has none."""
    try:
        spec = object.__getattribute__(module, "__dict__").get("__spec__")
        origin = spec.origin
        where = spec.submodule_search_locations
        if where is not None and not isinstance(where, list):
            where = getattr(where, "_path", None)  # of a namespace package
        if isinstance(where, list) and where:
            return str(os.path.dirname(where[0]))
        return str(os.path.dirname(origin)) if spec.has_location else ""
    except Exception:  # whatever stands in sys.modules
        return ""
