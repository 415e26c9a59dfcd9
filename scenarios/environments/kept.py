"""Environments that are kept between sessions: made once, checked before each use, pruned.

    CACHE/environments/KEY/                 a virtual environment
    CACHE/environments/KEY/perftui.json     written last: without it the environment is not whole
    CACHE/environments/KEY.lock             held shared while it is used, exclusively while made

A virtual environment cannot be moved, so it is made in its place; what a killed process has left
there has no `perftui.json` and is made anew.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from contextlib import suppress
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.folders import cache_folder
from perftui.probes.own.whole_file import whole_file
from perftui.scenarios.data.locked import (
    entries,
    lock_of,
    make_folder,
    open_lock,
    remove_unused,
    size_bytes,
)
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.installer import python_of, site_packages_of
from perftui.scenarios.environments.integrity import damage, installed

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.scenarios.environments.installer import Installer, Running
    from perftui.scenarios.environments.wanted import WantedEnvironment

_STATE = "perftui.json"
_SCHEMA = 1
_held: dict[Path, IO[bytes]] = {}
"""Locks of the environments that this process uses; the kernel drops them when it ends."""
_asking = Lock()
_asked: dict[Path, Lock] = {}
"""One for each folder: of two threads that want the same environment one waits."""


class Environment(NamedTuple):
    """A virtual environment that can be used, and what it took to have it."""

    wanted: WantedEnvironment
    folder: Path
    python: str
    """The path of its interpreter."""
    versions: dict[str, str]
    """Of all that is installed in it, by normalized name."""
    kept: bool
    """It was there already, and whole."""
    made_anew: str | None
    """Why one that was there could not be used; None if there was none, or it was used."""
    venv_s: float | None
    """What making the empty environment took now; None where it was kept."""
    install_s: float | None
    """What installing took now; None where it was kept."""
    check_s: float
    """What checking it took."""
    installer: str
    """Who has made it: "uv" or "pip"."""


class KeptEnvironment(NamedTuple):
    """One of those on the shelf."""

    folder: Path
    packages: tuple[str, ...]
    version: str
    """Of its Python."""
    bytes: int
    made_at: float
    """Seconds since the epoch."""
    used_at: float
    """The last time, likewise."""


def environment(
    wanted: WantedEnvironment, installer: Installer, running: Running, *, offline: bool = False
) -> Environment:
    """Return an environment, made first if it is not there or no longer what was installed.

    A second process that wants the same one meanwhile waits for the first. It stays until this
    process has ended, even if somebody prunes.

    Args:
        wanted: What it is to hold.
        installer: Who makes it.
        running: The installers' processes.
        offline: Ask no index: what cannot be had without one is an error.

    Raises:
        ScenarioError: It cannot be made; the sentence has the installer's own last lines.
    """
    folder = make_folder(cache_folder() / "environments") / wanted.key()
    with _asking:
        turn = _asked.setdefault(folder, Lock())
    with turn:
        return _environment(wanted, folder, installer, running, offline)


def _environment(
    wanted: WantedEnvironment, folder: Path, installer: Installer, running: Running, offline: bool
) -> Environment:
    # One lock a process: a second one would wait for the first, which stays held.
    if folder not in _held:
        _held[folder] = open_lock(lock_of(folder))
    lock = _held[folder]
    made: tuple[float, float] | None = None
    made_anew: str | None = None
    fcntl.flock(lock, fcntl.LOCK_SH)
    check_s, why_not = _checked(folder)
    if why_not is not None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if _why_not(folder) is not None:  # else another process has made it meanwhile
                made_anew = why_not or None
                made = _make(wanted, folder, installer, running, offline)
        finally:
            fcntl.flock(lock, fcntl.LOCK_SH)
        check_s, why_not = _checked(folder)
        if why_not is not None:
            # uv's files are often the very ones of its cache, and somebody has written to them.
            raise ScenarioError(
                f"the environment {folder} is not whole right after it was made ({why_not}): the "
                f"cache of {installer.name} may be damaged; run `{installer.name} cache "
                f"{'clean' if installer.name == 'uv' else 'purge'}`"
            )
    state = _state(folder) or {}
    _note_use(folder, state)
    return Environment(
        wanted,
        folder,
        str(python_of(folder)),
        dict(state.get("versions", {})),
        kept=made is None,
        made_anew=made_anew,
        venv_s=None if made is None else made[0],
        install_s=None if made is None else made[1],
        check_s=check_s,
        installer=str(state.get("installer", "")),
    )


def is_kept(wanted: WantedEnvironment) -> bool:
    """Tell whether there is such an environment; whether it is whole is seen when it is used."""
    return _state(cache_folder() / "environments" / wanted.key()) is not None


def kept_environments() -> list[KeptEnvironment]:
    """Return all on the shelf, the last used first. Never fails: no shelf is an empty one."""
    found = []
    for folder in entries(cache_folder() / "environments"):
        state = _state(folder) if folder.is_dir() else None
        if state is not None:
            found.append(
                KeptEnvironment(
                    folder,
                    tuple(state["packages"]),
                    state["version"],
                    size_bytes(folder),
                    state["made_at"],
                    state["used_at"],
                )
            )
    return sorted(found, key=lambda each: -each.used_at)


def prune(unused_for_s: float = 0.0) -> tuple[int, tuple[str, ...]]:
    """Remove the environments that nobody uses and nobody has used for a time.

    Args:
        unused_for_s: Those used since then stay; what is not whole goes always.

    Returns:
        The bytes that their files held, and the names of those in use, which were kept.

    Raises:
        OSError: One cannot be removed.
    """
    root = cache_folder() / "environments"
    before = size_bytes(root)
    now = time.time()

    def old(folder: Path) -> bool:
        state = _state(folder)
        return state is None or now - state["used_at"] >= unused_for_s

    in_use = remove_unused(root, leftovers=lambda folder: [folder], wanted=old)
    return before - size_bytes(root), in_use


def _checked(folder: Path) -> tuple[float, str | None]:
    """Return the seconds that checking took, and what `_why_not` says."""
    began = time.perf_counter()
    why_not = _why_not(folder)
    return time.perf_counter() - began, why_not


def _why_not(folder: Path) -> str | None:
    """Say why an environment cannot be used: "" if there is none, None if it can be."""
    if not folder.exists():
        return ""
    state = _state(folder)
    if state is None:
        return "it was not finished"
    try:
        site_packages = site_packages_of(folder)
        now = installed(site_packages)
        problem = damage(site_packages)
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror or error}"
    if now.fingerprint != state["fingerprint"]:
        changed = sorted(
            name
            for name in {*now.versions, *state["versions"]}
            if now.versions.get(name) != state["versions"].get(name)
        )
        return f"something else is installed in it now: {', '.join(changed) or 'other files'}"
    if problem is not None:
        return problem
    python = python_of(folder)
    return None if python.exists() else f"its interpreter {python.resolve()} is gone"


def _make(
    wanted: WantedEnvironment, folder: Path, installer: Installer, running: Running, offline: bool
) -> tuple[float, float]:
    """Make it in its place; the result is what the two steps took, in seconds."""
    if folder.exists():
        shutil.rmtree(folder)
    try:
        venv_s = installer.make(wanted.python, folder, running)
        install_s = installer.install(
            wanted.packages, folder, running, constraints=wanted.constraints, offline=offline
        )
        found = installed(site_packages_of(folder))
        now = time.time()
        state = {
            "schema": _SCHEMA,
            "python": wanted.python,
            "version": wanted.version,
            "packages": list(wanted.packages),
            "installer": installer.name,
            "versions": found.versions,
            "fingerprint": found.fingerprint,
            "venv_s": venv_s,
            "install_s": install_s,
            "made_at": now,
            "used_at": now,
        }
        _write(folder, state)
    except BaseException as error:
        # Left usable or gone: what is half there is of no use to anybody.
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise ScenarioError(
                f"cannot make the environment {folder}: {error.strerror or error}"
            ) from None
        raise
    return venv_s, install_s


def _note_use(folder: Path, state: dict[str, Any]) -> None:
    with suppress(OSError):  # a full disk does not make it unusable
        _write(folder, {**state, "used_at": time.time()})


def _write(folder: Path, state: dict[str, Any]) -> None:
    with whole_file(folder / _STATE, sync=False) as file:
        file.write(json.dumps(state, indent=1).encode() + b"\n")


def _state(folder: Path) -> dict[str, Any] | None:
    """Read what is known of an environment; None if it is not whole."""
    try:
        state = json.loads((folder / _STATE).read_bytes())
        whole = (
            state["schema"] == _SCHEMA
            and isinstance(state["packages"], list)
            and isinstance(state["versions"], dict)
            and isinstance(state["version"], str)
            and isinstance(state["fingerprint"], str)
            and isinstance(state["made_at"], int | float)
            and isinstance(state["used_at"], int | float)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if whole else None
