"""Where perftui keeps what it keeps: by the XDG rules, and somewhere safe where they lead nowhere.

Daemons, containers and `env -i` have no home: no HOME, no entry in the passwd database, or a
folder that is not there or is not theirs. Then all is kept below one private folder in the
directory for temporary files, which `fallback_note` names, so that a person knows.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple


class _Fallback(NamedTuple):
    """What is used instead of a home."""

    folder: Path
    note: str


_used: list[str] = []
"""What has been said of the fallback in this process; empty while nobody needed it."""


def cache_folder() -> Path:
    """Generated data: $PERFTUI_CACHE, else $XDG_CACHE_HOME/perftui, else ~/.cache/perftui."""
    return _own("PERFTUI_CACHE") or _below("XDG_CACHE_HOME", ".cache")


def config_folder() -> Path:
    """Settings: $XDG_CONFIG_HOME/perftui, else ~/.config/perftui."""
    return _below("XDG_CONFIG_HOME", ".config")


def recordings_folder() -> Path:
    """Recordings: $PERFTUI_RECORDINGS, else below $XDG_DATA_HOME or ~/.local/share."""
    return _own("PERFTUI_RECORDINGS") or _below("XDG_DATA_HOME", ".local/share") / "recordings"


def fallback_note() -> str | None:
    """Return in one line what had to be used instead of a home, None if nothing had to."""
    return _used[0] if _used else None


def expanded(path: str) -> Path:
    """Return a path with its ~ replaced; where there is no such home, it stays a name."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's own fails without a home


def _own(variable: str) -> Path | None:
    own = os.environ.get(variable)
    return expanded(own) if own else None


def _below(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    # A relative path is invalid by the XDG rules and is ignored.
    if Path(base).is_absolute():
        return Path(base) / "perftui"
    found = _home(default)
    if isinstance(found, _Fallback):
        if not _used:
            _used.append(found.note)
        return found.folder / default / "perftui"
    return found / default / "perftui"


def _home(default: str) -> Path | _Fallback:
    """Return the home if `default` can be kept in it, else what is used instead."""
    home = os.environ.get("HOME", "")
    if not Path(home).is_absolute():
        home = _passwd_home()
        if not home:
            return _fallback("there is no home folder")
    if not os.path.isdir(home):  # noqa: PTH112 - Path's own raises where one may not look
        return _fallback(f"the home folder {home} is not there")
    if _can_be_made(Path(home, default, "perftui")):
        return Path(home)
    return _fallback(f"the home folder {home} cannot be written to")


def _passwd_home() -> str:
    """Return the home that the passwd database tells, "" if it tells none."""
    try:
        import pwd

        home = pwd.getpwuid(os.getuid()).pw_dir
    except (ImportError, KeyError):
        return ""
    return home if Path(home).is_absolute() else ""


def _can_be_made(folder: Path) -> bool:
    """Tell whether something can be put into a folder, which need not be there yet."""
    while not os.path.exists(folder):  # noqa: PTH110 - as above
        if folder == folder.parent:
            return False
        folder = folder.parent
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)  # noqa: PTH112


@lru_cache
def _fallback(why: str) -> _Fallback:
    """Return a folder for temporary files that is ours alone, the same one each time.

    The name can be guessed, and anybody may have made it before us: it is used only if it is a
    real folder, belongs to us and lets nobody else in.
    """
    import tempfile  # 20 ms that nobody with a home has to pay

    base = Path(tempfile.gettempdir())
    folder = base / f"perftui-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_private(folder):
            folder = Path(tempfile.mkdtemp(prefix="perftui-", dir=base))
            why = f"{why}, and {base}/perftui-{os.getuid()} is not private"
    except OSError:
        return _Fallback(folder, f"{why}, and nothing can be kept in {base} either")
    return _Fallback(folder, f"{why}: recordings and generated data are kept in {folder}")


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and ours and stat.S_IMODE(found.st_mode) & 0o077 == 0
