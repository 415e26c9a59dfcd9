"""A disk that became full while a scenario ran, as each library says it."""

from __future__ import annotations

import errno
import re
import shutil

from perftui.probes.own.folders import cache_folder
from perftui.probes.text.units import format_bytes

_NUMBERS = frozenset({errno.ENOSPC, errno.EDQUOT})
_WORDS = re.compile(
    r"no space left on device|database or disk is full|disk quota exceeded|os error 28\b",
    re.IGNORECASE,
)


def says_disk_full(error: BaseException) -> bool:
    """Whether an error, or what caused it, is that of a full disk."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        if isinstance(at, OSError) and at.errno in _NUMBERS:
            return True
        if _WORDS.search(str(at)):
            return True
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return False


def disk_full_words(error: BaseException) -> str:
    """One sentence; said after what the scenario made has been removed."""
    folder = cache_folder()
    try:
        free = f", which has {format_bytes(shutil.disk_usage(folder).free)} free now"
    except OSError:
        free = ""
    what = " ".join(str(error).split())[:160]
    return (
        f"the disk became full ({what}); what was made is removed. Free some space, or set "
        f"PERFTUI_CACHE to a folder on a larger disk than that of {folder}{free}"
    )
