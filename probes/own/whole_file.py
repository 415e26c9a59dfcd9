"""Files that a person has asked for: there as a whole, or not at all.

What is written goes into a new file of a random name beside the one that is wanted and takes its
place at the end. Nobody reads half of it, and nobody who can write to the folder can guess the
name, to have us write through a link into a file of the person's. A name that is no file (a pipe,
a terminal, /dev/null, /dev/stdout) is written to as it is, and never replaced.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_PLACE_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS)
_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_AS_IT_IS = os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY
"""Never O_CREAT: in /tmp the kernel refuses that for another user's pipe."""
_LINKS = 40
"""So many links of a chain are followed, as the kernel does."""


@contextmanager
def whole_file(
    path: str | Path, *, mode: int = 0o666, replace: bool = True, sync: bool = True
) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place when the block ends without an exception.

    A link stays a link: the file that it leads to is written. A file that is replaced keeps its
    permissions and, as far as we may, its owner. Where the folder takes no new file but the file
    can be written, it is written in place.

    Args:
        path: As the person has named it.
        mode: Of a new file; the umask takes away from it.
        replace: What is there already may be replaced. For a name that we have chosen, say no:
            then a link is not followed either.
        sync: Have the disk keep it before it takes its place.

    Raises:
        FileExistsError: `replace` is false, and something is there.
        OSError: It cannot be written. Nothing of ours is left.
    """
    own_fd = _own_descriptor(os.fspath(path))
    if own_fd is not None:
        sys.stdout.flush()  # what was printed before comes before
        with os.fdopen(os.dup(own_fd), "wb") as file:
            yield file
        return
    _refuse_laid_links(os.fspath(path))
    before = _status(path)
    if before is not None and stat.S_ISDIR(before.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if before is not None and not stat.S_ISREG(before.st_mode):
        with os.fdopen(os.open(path, _AS_IT_IS), "wb") as file:
            yield file
        return
    if not replace and (before is not None or os.path.islink(path)):  # noqa: PTH114
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
    target = Path(os.path.realpath(path))
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
    try:
        fd, part = _new_beside(target, mode)
    except OSError as error:
        if before is None or error.errno not in _NO_PLACE_BESIDE:
            raise
        with os.fdopen(os.open(target, _AS_IT_IS | os.O_TRUNC | os.O_NOFOLLOW), "wb") as file:
            yield file
        return
    try:
        with os.fdopen(fd, "wb") as file:
            yield file
            file.flush()
            if before is not None:
                _make_alike(file.fileno(), before)
            if sync:
                os.fsync(file.fileno())
        _take_place(part, target, replace)
    finally:
        part.unlink(missing_ok=True)
    if sync:
        _sync_folder(target.parent)


def write_text(
    path: str | Path, text: str, *, mode: int = 0o666, replace: bool = True, sync: bool = True
) -> None:
    """Write a text as UTF-8; see `whole_file`.

    Raises:
        OSError: It cannot be written.
    """
    with whole_file(path, mode=mode, replace=replace, sync=sync) as file:
        file.write(text.encode("utf-8", "replace"))


def check_writable(path: str | Path) -> None:
    """See beforehand whether `whole_file` would get through. Nothing is opened or made.

    Raises:
        OSError: It would not.
    """
    name = os.fspath(path)
    if _own_descriptor(name) is not None:
        return
    _refuse_laid_links(name)
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    folder = Path(os.path.realpath(path)).parent
    if status is None:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        allowed = os.access(folder, os.W_OK | os.X_OK)
    else:
        allowed = os.access(path, os.W_OK)
    if not allowed:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)


def is_device(path: str | Path) -> bool:
    """Tell whether a name is a pipe or a device: written to, never replaced."""
    if _own_descriptor(os.fspath(path)) is not None:
        return True
    try:
        status = _status(path)
    except OSError:
        return False  # whoever writes to it is told
    return status is not None and not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))


def _status(path: str | Path) -> os.stat_result | None:
    """Return what is there, links followed; None if there is nothing, or a link to nothing."""
    if not os.fspath(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "")
    try:
        return os.stat(path)  # noqa: PTH116 - a str as the person wrote it
    except FileNotFoundError:
        return None


def _refuse_laid_links(path: str) -> None:
    """Follow no link of somebody else's in a folder that everybody can write to, like /tmp.

    The rule of fs.protected_symlinks (proc(5)): it is not on everywhere, and we rename over the
    file that a link leads to, where the kernel would not be asked.

    Raises:
        PermissionError: there is such a link.
    """
    everybody = stat.S_ISVTX | stat.S_IWOTH
    for _ in range(_LINKS):
        folder = os.path.split(path)[0] or os.curdir
        try:
            after = os.readlink(path)  # noqa: PTH115
            owner, where = os.lstat(path).st_uid, os.stat(folder)  # noqa: PTH116
        except (OSError, ValueError):
            return  # no link, or whoever opens it is told
        if where.st_mode & everybody == everybody and owner not in (os.geteuid(), where.st_uid):
            reason = "a link that somebody else has laid here is not followed"
            raise PermissionError(errno.EACCES, reason, path)
        path = os.path.join(folder, after)  # noqa: PTH118


def _own_descriptor(path: str) -> int | None:
    """Return the descriptor of ours that a name stands for: /dev/stdout, /dev/fd/3.

    Opened by name, a file behind it would be written from its beginning, over what is there.
    """
    folders = {"/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd"}
    for _ in range(_LINKS):
        if path in _STANDARD:
            return _STANDARD[path]
        folder, name = os.path.split(path)
        if name.isascii() and name.isdigit() and folder.startswith(("/dev/", "/proc/")):
            return int(name) if folder in folders else None
        try:
            path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118
        except (OSError, ValueError):
            return None
    return None


def _new_beside(target: Path, mode: int) -> tuple[int, Path]:
    part = target.with_name(f".perftui-{os.urandom(8).hex()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(part, flags, mode), part


def _make_alike(fd: int, before: os.stat_result) -> None:
    with suppress(OSError):  # another owner's file in a folder of ours
        os.fchown(fd, before.st_uid, before.st_gid)
    with suppress(OSError):
        os.fchmod(fd, stat.S_IMODE(before.st_mode) & 0o777)


def _take_place(part: Path, target: Path, replace: bool) -> None:
    if replace:
        part.replace(target)
        return
    try:
        os.link(part, target)  # unlike a rename it fails where something is
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        part.rename(target)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
