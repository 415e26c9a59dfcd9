"""Which recordings a word means that means many: a pattern or a folder, here or elsewhere."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.own.folders import expanded
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.meta import META
from perftui.probes.recording.read.source import HereSource
from perftui.probes.recording.remote.address import RemoteAddress, is_address, path_of, shown
from perftui.probes.recording.shelf.shelf import ENDING, PACKED_ENDING, folder
from perftui.probes.text.reason import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.recording.read.source import ManySource

_WILD = ("*", "?", "[")


def means_many(word: str) -> bool:
    """Tell whether a word is a pattern or a folder of recordings, and no recording."""
    if is_address(word) and path_of(word) is None:
        address = RemoteAddress(word)
        return address.is_pattern or not address.name.endswith((ENDING, ".zip"))
    path = path_of(word) or expanded(word)
    if any(sign in str(path) for sign in _WILD):
        return not path.exists()
    named = path.name.endswith((ENDING, ".zip"))
    return "/" in word and not named and path.is_dir() and not (path / META).exists()


def sources_of(word: str, problems: list[str]) -> list[ManySource]:
    """Return the recordings that a word means, by name.

    Args:
        word: A pattern, or a folder.
        problems: Gets a line for each that cannot be read.

    Raises:
        RecordingError: it means none.
    """
    if is_address(word) and path_of(word) is None:
        from perftui.probes.recording.remote.many import remote_sources

        found: list[ManySource] = [*remote_sources(RemoteAddress(word), problems)]
    else:
        found = _here(_paths(word), problems)
    if not found:
        why = f": {problems[0]}" if problems else ""
        raise RecordingError(f"no recording matches {shown(word)}{why}")
    return found


def _paths(word: str) -> list[Path]:
    """Return the recordings here; a bare name is looked for on the shelf too."""
    path = path_of(word) or expanded(word)
    if path.is_dir():
        patterns = [os.path.join(glob.escape(str(path)), "*")]  # noqa: PTH118
    else:
        patterns = [str(path)]
        if "/" not in word:
            patterns += [str(Path(glob.escape(str(folder())), word + end)) for end in ("", ENDING)]
    for pattern in patterns:
        found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - patterns may be absolute
        named = sorted({each.rstrip("/") for each in found if _is_named(each)})
        if named:
            return [Path(each) for each in named]
    return []


def _is_named(path: str) -> bool:
    return path.rstrip("/").endswith((ENDING, PACKED_ENDING))


def _here(paths: Iterable[Path], problems: list[str]) -> list[ManySource]:
    found: list[ManySource] = []
    for path in paths:
        try:
            found.append(HereSource(path))
        except (RecordingError, OSError) as error:
            text = reason_of(error)
            problems.append(text if text.startswith(path.name) else f"{path.name}: {text}")
    return found
