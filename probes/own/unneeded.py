"""Modules that no process of ours needs, and that others load wherever they find them.

pandas, numpy, dateutil and cloudpickle, which pyarrow takes, cost a command half its start and
half its memory, for conversions that we never ask for. OpenSSL costs 4 MiB: asyncio takes it for
connections that we never make, hashlib for what it has itself, too. Only a process that runs
nobody's code but ours may hide them; whoever only asks whether they are installed
(`importlib.util.find_spec`) is still told that they are.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

UNNEEDED = frozenset(["_hashlib", "cloudpickle", "dateutil", "numpy", "pandas", "ssl"])


class _Refusing:
    """Loads nothing: as if the module were not there."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Refuse.

        Raises:
            ModuleNotFoundError: Always.
        """
        raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Never reached."""


class _Unneeded:
    """Finds the modules where they are, with a loader that refuses."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that is hidden; None for every other module."""
        if name not in UNNEEDED or (name == "ssl" and "pyarrow" in sys.modules):
            return None  # pyarrow's file systems are not there without it
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Refusing()  # type: ignore[assignment] # a loader by its methods
        return spec


def hide_unneeded() -> None:
    """Hide them from this process, for good; the second call changes nothing."""
    if not any(isinstance(finder, _Unneeded) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Unneeded())


def show_all() -> None:
    """Hide nothing any more: a library that the process is about to take needs them itself."""
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, _Unneeded)]
