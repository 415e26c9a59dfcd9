"""Files below an address, through fsspec; the only place that imports it.

Whatever goes wrong there becomes a `StoreError` in our words: messages of clients may hold keys,
signed addresses and the like.
"""

from __future__ import annotations

import logging
import posixpath
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.unneeded import hide_unneeded, show_all
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.text.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from perftui.probes.recording.remote.address import RemoteAddress

CONNECT_S = 5.0
READ_S = 30.0
_AT_ONCE = 12
_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss"})
"""Stores where a file is there as a whole or not at all; elsewhere it is renamed when it is."""
_PART = ".part"
_TEXT = 200


class StoreError(RecordingError):
    """Something cannot be done in a store; one line, without secrets."""

    lasting = False
    """It will not go away by itself: rights, a bucket that is not there."""


class NotThere(StoreError):
    """A file or a bucket is not there."""

    lasting = True


class NoRights(StoreError):
    """We may not."""

    lasting = True


class RemoteFile(NamedTuple):
    """A file in a store."""

    name: str
    size: int
    """Bytes."""
    mark: str
    """Another one when the file was written again; "" where the store does not say."""
    modified_s: float | None
    """When it was written, in seconds since 1970 by the store's clock."""


class RemoteStore:
    """See the module. Safe to use from several threads where `parallel` is.

    Args:
        address: The folder.

    Raises:
        StoreError: what is needed for it is not installed, or the address is wrong.
    """

    def __init__(self, address: RemoteAddress) -> None:
        self.address = address
        for name in ("botocore", "aiobotocore", "s3fs", "gcsfs", "fsspec", "asyncio"):
            # What they say of a failure goes to stderr by itself where nobody takes it.
            logging.getLogger(name).addHandler(logging.NullHandler())
            logging.getLogger(name).propagate = False
        show_all()  # a connection needs what our own processes hide
        try:
            self._fs, root = _opened(address)
        finally:
            hide_unneeded()
        self._root = root.rstrip("/")
        self.parallel = bool(getattr(self._fs, "async_impl", False))
        self.turn: AbstractContextManager[Any] = nullcontext() if self.parallel else RLock()
        """To be held by each of several threads."""

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def files(self, folder: str = "") -> dict[str, RemoteFile]:
        """List the files of a folder, by name; empty if there is none.

        Raises:
            StoreError: it cannot be listed.
        """
        try:
            found = self._fs.ls(self._at(folder), detail=True, refresh=True)
        except FileNotFoundError as error:
            if _is_said(error):  # by the server: it is the bucket that is not there
                raise problem(self.address, error) from None
            return {}
        except NotADirectoryError:
            return {}
        except TypeError:
            found = self._fs.ls(self._at(folder), detail=True)
        except Exception as error:
            raise problem(self.address, error) from None
        files = (_remote_file(each) for each in found if each.get("type") == "file")
        return {file.name: file for file in files}

    def look(self, name: str = "") -> RemoteFile | None:
        """Return what is known of a file, None if there is none.

        Raises:
            StoreError: it cannot be asked.
        """
        try:
            found = self._fs.info(self._at(name))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise problem(self.address, error) from None
        return _remote_file(found) if found.get("type") == "file" else None

    @classmethod
    def of_pattern(cls, pattern: RemoteAddress) -> tuple[RemoteStore, str]:
        """Return the store of what stands before a pattern's first wildcard, and the rest.

        Raises:
            StoreError: see `RemoteStore`.
        """
        before, rest = pattern.split()
        return cls(before), rest

    def glob(self, pattern: str) -> list[str]:
        """Return the names below here that match a pattern, sorted.

        Raises:
            StoreError: it cannot be listed.
        """
        start = len(self._root) + 1
        try:
            found = self._fs.glob(self._at(pattern))
        except Exception as error:
            raise problem(self.address, error) from None
        return sorted(str(each).rstrip("/")[start:] for each in found)

    def read_all(self, names: Iterable[str]) -> dict[str, bytes | StoreError]:
        """Return many small files by name, each its bytes or why not; at the same time where the
        store can."""
        names = list(names)
        if not names:
            return {}
        try:
            found = self._fs.cat([self._at(name) for name in names], on_error="return")
        except Exception as error:
            return dict.fromkeys(names, problem(self.address, error))
        if isinstance(found, bytes):
            found = {self._at(names[0]): found}
        answer: dict[str, bytes | StoreError] = {}
        for name in names:
            data = found.get(self._at(name), FileNotFoundError(name))
            is_error = isinstance(data, BaseException)
            answer[name] = problem(self.address.child(name), data) if is_error else bytes(data)
        return answer

    def read(self, name: str) -> bytes:
        """Return a file.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            data = self._fs.cat_file(self._at(name))
        except Exception as error:
            raise problem(self.address, error) from None
        return bytes(data)

    def get(self, name: str, path: Path) -> None:
        """Copy a file to a path, which takes its place when it is whole.

        Raises:
            StoreError: it cannot be read.
            OSError: it cannot be written here.
        """
        part = path.with_name(path.name + _PART)
        try:
            self._fs.get_file(self._at(name), str(part))
        except OSError as error:
            if error.filename is not None and str(part) in str(error.filename):
                raise
            raise problem(self.address, error) from None
        except Exception as error:
            raise problem(self.address, error) from None
        part.chmod(0o600)
        part.replace(path)

    def put(self, path: Path, name: str) -> None:
        """Copy a file there: as a whole or not at all.

        Raises:
            StoreError: it cannot be written there.
            OSError: it cannot be read here.
        """
        path.stat()  # not there: that is no fault of the store
        whole = self.address.protocol in _WHOLE
        at = self._at(name)
        try:
            if not whole:
                self._fs.makedirs(posixpath.dirname(at), exist_ok=True)
            self._fs.put_file(str(path), at if whole else at + _PART)
            if not whole:
                self._fs.mv(at + _PART, at)
        except Exception as error:
            raise problem(self.address, error) from None

    def write(self, name: str, data: bytes) -> None:
        """Write a small file.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            if self.address.protocol not in _WHOLE:
                self._fs.makedirs(posixpath.dirname(self._at(name)), exist_ok=True)
            self._fs.pipe_file(self._at(name), data)
        except Exception as error:
            raise problem(self.address, error) from None

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is none the less gone."""
        with suppress(Exception):
            self._fs.rm_file(self._at(name))

    def each(self, do: Callable[[str], None], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """Do something for many names, several at a time where the store can; yields
        (name, None or the error) in the order of the names."""
        names = list(names)

        def tried(name: str) -> Exception | None:
            try:
                do(name)
            except (RecordingError, OSError) as error:
                return error
            return None

        if not self.parallel or len(names) < 2:
            for name in names:
                yield name, tried(name)
            return
        with ThreadPoolExecutor(min(_AT_ONCE, len(names))) as threads:
            yield from zip(names, threads.map(tried, names), strict=True)


def _opened(address: RemoteAddress) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise StoreError(_missing(address, "fsspec")) from None
    try:
        files, root = url_to_fs(address.url, **_options(address.protocol))
    except ImportError as error:
        raise StoreError(_missing(address, getattr(error, "name", None))) from None
    except ValueError as error:
        raise StoreError(f"{address.shown}: {_first_line(error)}") from None
    except Exception as error:
        raise problem(address, error) from None
    return files, str(root)


def _options(protocol: str) -> dict[str, Any]:
    if protocol in ("s3", "s3a"):
        limits = {"connect_timeout": CONNECT_S, "read_timeout": READ_S}
        return {
            "config_kwargs": {**limits, "retries": {"max_attempts": 2}},
            "use_listings_cache": False,
        }
    if protocol in ("gs", "gcs"):
        return {"use_listings_cache": False}
    return {}


def _remote_file(info: dict[str, Any]) -> RemoteFile:
    mark = ""
    for name in ("ETag", "etag", "md5Hash", "generation", "LastModified", "mtime", "modified"):
        if info.get(name):
            mark = str(info[name])
            break
    name = str(info["name"]).rstrip("/").rpartition("/")[2]
    return RemoteFile(name, int(info.get("size") or 0), mark, _modified_s(info))


def _modified_s(info: dict[str, Any]) -> float | None:
    for key in ("LastModified", "updated", "mtime", "modified", "last_modified"):
        value = info.get(key)
        with suppress(ValueError, TypeError, AttributeError, OverflowError):
            if isinstance(value, str):
                return datetime.fromisoformat(value).timestamp()
            if isinstance(value, int | float):
                return float(value)
            if value is not None:
                return float(value.timestamp())
    return None


def _missing(address: RemoteAddress, module: str | None) -> str:
    what = f"{module} is not installed" if module else f"no client for {address.protocol}://"
    if address.extra is not None:
        return f"{address.shown}: {what}: pip install 'perftui[{address.extra}]'"
    return f"{address.shown}: {what}: pip install fsspec and its client for {address.protocol}://"


def problem(address: RemoteAddress, error: BaseException) -> StoreError:
    """Return in one line of ours what a client has against it."""
    where = address.shown
    kind = type(error).__name__
    if isinstance(error, StoreError):
        return error
    if kind in ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError"):
        return NoRights(f"{where}: there are no credentials for it (environment, profile, role)")
    if isinstance(error, PermissionError) or kind in ("Forbidden", "SSOTokenLoadError"):
        return NoRights(f"{where}: no rights: {_first_line(error)}")
    if isinstance(error, FileNotFoundError):
        text = _first_line(error) if _is_said(error) else "it is not there"
        return NotThere(f"{where}: {text}")
    if kind in ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError") or isinstance(
        error, ConnectionError | TimeoutError
    ):
        return StoreError(f"{where}: its server does not answer")
    return StoreError(f"{where}: {_first_line(error)}")


def _is_said(error: FileNotFoundError) -> bool:
    """Tell whether it has the words of a server; of a mere name fsspec says no more than that."""
    return error.errno is None and re.search(r"[a-z] [a-z]+ [a-z]", str(error)) is not None


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return redact_text(lines[0])[:_TEXT].rstrip(".")
