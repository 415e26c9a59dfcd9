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
from typing import Literal, NamedTuple

_DEFAULT = {
    "cache": ".cache",
    "config": ".config",
    "data": ".local/share",
    "state": ".local/state",
}
"""Below a home or what stands for one, where the system's own rules cannot be asked."""


class _Fallback(NamedTuple):
    """What is used instead of a home."""

    folder: Path
    note: str


_used: list[str] = []
"""What has been said of the fallback in this process; empty while nobody needed it."""


def cache_folder() -> Path:
    """Generated data: $PERFTUI_CACHE, else where this system keeps caches."""
    return _own("PERFTUI_CACHE") or _usual("cache")


def config_folder() -> Path:
    """Settings, where this system keeps them."""
    return _usual("config")


def state_folder() -> Path:
    """What is remembered from one start to the next, where this system keeps it."""
    return _usual("state")


def recordings_folder() -> Path:
    """Recordings: $PERFTUI_RECORDINGS, else where this system keeps data of programs."""
    return _own("PERFTUI_RECORDINGS") or _usual("data") / "recordings"


def fallback_note() -> str | None:
    """Return in one line what had to be used instead of a home, None if nothing had to."""
    return _used[0] if _used else None


def expanded(path: str) -> Path:
    """Return a path with its ~ replaced; where there is no such home, it stays a name."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's own fails without a home


def _own(variable: str) -> Path | None:
    own = os.environ.get(variable)
    return expanded(own) if own else None


def _usual(kind: Literal["cache", "config", "data", "state"]) -> Path:
    """Return the folder of a kind, by the XDG rules on Linux; somewhere safe if there is none."""
    # A relative path is invalid by the XDG rules and is ignored.
    if Path(os.environ.get(f"XDG_{kind.upper()}_HOME", "")).is_absolute():
        return _of_the_system(kind)
    home = _home()
    if isinstance(home, Path):
        folder = _of_the_system(kind)
        if not folder.is_relative_to(home):
            folder = Path(home, _DEFAULT[kind], "perftui")
        if _can_be_made(folder):
            return folder
        home = _fallback(f"the home folder {home} cannot be written to")
    if not _used:
        _used.append(home.note)
    return home.folder / _DEFAULT[kind] / "perftui"


def _of_the_system(kind: str) -> Path:
    try:
        from platformdirs import PlatformDirs  # 10 ms that only those pay who keep something
    except ImportError:
        # An interpreter that has not been given what perftui needs: a scenario in an environment
        # of its own. These are the XDG rules, which `platformdirs` knows for other systems too.
        base = os.environ.get(f"XDG_{kind.upper()}_HOME", "")
        below = Path(base) if Path(base).is_absolute() else expanded("~") / _DEFAULT[kind]
        return below / "perftui"
    return Path(getattr(PlatformDirs("perftui", appauthor=False), f"user_{kind}_dir"))


def _home() -> Path | _Fallback:
    """Return the person's home, or what is used where there is none."""
    home = os.environ.get("HOME", "")
    if not Path(home).is_absolute():
        home = _passwd_home()
        if not home:
            return _fallback("there is no home folder")
    if not os.path.isdir(home):  # noqa: PTH112 - Path's own raises where one may not look
        return _fallback(f"the home folder {home} is not there")
    return Path(home)


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
