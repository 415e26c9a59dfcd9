"""What the program of a recording is called by systems that know many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.python_words import what_runs

if TYPE_CHECKING:
    from perftui.probes.spine.reader import Target


def service_name(target: Target) -> str:
    """Return its script, its module, or its own name."""
    kind, what = what_runs(iter(target.argv[1:])) if target.argv else ("", "")
    if kind != "-c" and what:
        return what.rpartition("/")[2].removesuffix(".py")
    return target.title.partition(" ")[0].rpartition("/")[2] or "python"
