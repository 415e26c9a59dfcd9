"""Which process a pattern means: by its command line, Python processes alone, none of ours."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.redact import redact_argv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_GLOB = frozenset("*?[")


class Match(NamedTuple):
    """A process that a pattern fits."""

    pid: int
    argv: tuple[str, ...]
    """Without secrets."""


def matches(pattern: str) -> list[Match]:
    """Return the processes that a pattern fits, by pid, without those that another one started.

    Args:
        pattern: Part of the command line; with `*`, `?` or `[` a pattern of the whole of it.
    """
    from perftui.probes.process.running import is_helper, python_version

    found: dict[int, Match] = {}
    for pid, words in _command_lines():
        if not fits(pattern, words) or is_helper(words) or _is_ours(words):
            continue
        # It may have ended meanwhile, or belong to somebody whose processes we may not see.
        with suppress(Exception):
            if python_version(pid)[0]:
                found[pid] = Match(pid, redact_argv(words))
    return [found[pid] for pid in sorted(tops(found, _parent))]


def fits(pattern: str, argv: Sequence[str]) -> bool:
    """Tell whether a command line is meant."""
    line = " ".join(argv)
    if not line:
        return False
    return fnmatchcase(line, pattern) if _GLOB & set(pattern) else pattern in line


def tops(pids: Iterable[int], parent: Callable[[int], int | None]) -> set[int]:
    """Return those that none of the others has started, directly or not."""
    given = set(pids)
    kept = set()
    for pid in given:
        above, seen = parent(pid), {pid}
        while above is not None and above not in given and above not in seen:
            seen.add(above)
            above = parent(above)
        if above is None or above not in given or above in seen:
            kept.add(pid)
    return kept


def _is_ours(argv: Sequence[str]) -> bool:
    """Tell whether it is a `perftui watch`, whose command line has the pattern in it."""
    names = [word.rpartition("/")[2] for word in argv[:4]]
    return "watch" in argv and any(name.startswith("perftui") for name in names)


def _command_lines() -> Iterator[tuple[int, tuple[str, ...]]]:
    own = os.getpid()
    if sys.platform != "linux":
        import psutil

        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != own:
                    yield process.pid, tuple(process.cmdline())
        return
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == own:
            continue
        with suppress(OSError):
            raw = (entry / "cmdline").read_bytes().rstrip(b"\0")
            if raw:
                words = raw.decode(errors="surrogateescape").split("\0")
                yield int(entry.name), tuple(words)


def _parent(pid: int) -> int | None:
    import psutil

    with suppress(psutil.Error):
        return psutil.Process(pid).ppid() or None
    return None
