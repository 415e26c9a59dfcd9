"""Which recordings an agent may name: those of the shelf, and of folders that a person gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENDINGS = (".perftui", ".perftui.zip")


class OutOfReach(Exception):
    """Not what may be asked; the text says what may."""


class Reach:
    """See the module.

    Args:
        shelf: The folder of recordings.
        folders: Further folders, and recordings.
    """

    def __init__(self, shelf: Path, folders: Sequence[Path] = ()) -> None:
        self._shelf = shelf
        self._folders = tuple(folder.resolve() for folder in folders)

    def checked(self, name: str) -> str:
        """Return what a command is given for a recording that an agent named.

        Raises:
            OutOfReach: it is no name of a recording, or lies outside.
        """
        if not name or "\0" in name or name.startswith("-") or "," in name:
            raise OutOfReach(f"{name!r} is no name of a recording; list_recordings has the names")
        if "/" not in name and "\\" not in name:
            return name
        path = self._shelf.joinpath(name).resolve()
        allowed = (self._shelf.resolve(), *self._folders)
        if not any(path == folder or path.is_relative_to(folder) for folder in allowed):
            raise OutOfReach(f"{name!r} lies outside of what may be read: perftui mcp --folder DIR")
        if not str(path).endswith(_ENDINGS):
            raise OutOfReach(f"{name!r} is no recording: they end in {' or '.join(_ENDINGS)}")
        return str(path)

    def others(self) -> list[str]:
        """Return the recordings of the further folders."""
        found = []
        for folder in self._folders:
            if str(folder).endswith(_ENDINGS):
                found.append(str(folder))
            elif folder.is_dir():
                found += [str(path) for path in folder.iterdir() if str(path).endswith(_ENDINGS)]
        return sorted(found)
