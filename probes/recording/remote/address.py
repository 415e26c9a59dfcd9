"""Addresses of recordings elsewhere: what they name, and how they may be shown.

An address may hold a password or a signature. Whatever is written, said or used as a name comes
from `shown`, never from `url`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from perftui.probes.own.folders import expanded
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.text.redact import MASK, redact_text

if TYPE_CHECKING:
    from pathlib import Path

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)(?:::[a-z0-9+.:/-]*?)?://", re.ASCII | re.IGNORECASE)
_USER = re.compile(r"(?<=://)(?:[^/@:]*:[^@]*@(?:[^/]*@)?|[^/]*@)(?=[^/])")
"""Before the host. A password may have slashes and, as people type it, an @."""
_ASKED = re.compile(r"\?[\w.%-]+=.*", re.DOTALL)
"""Behind the path; a ? without a name and = is the wildcard."""
_HERE = ("file", "local")
_BUCKETS = ("s3", "s3a", "gs", "gcs")
_NOWHERE = ("memory",)
_WILD = re.compile(r"[*?\[]")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}


def is_address(text: str) -> bool:
    """Tell whether a word is an address and no path."""
    return _ADDRESS.match(text) is not None


def shown(url: str) -> str:
    """Return an address as it may be shown: without user, password, key and signature."""
    return redact_text(_bare(url))


def _bare(url: str) -> str:
    return _ASKED.sub(f"?{MASK}", _USER.sub(f"{MASK}@", url))


def path_of(url: str) -> Path | None:
    """Return the path that an address of this machine's own files means; None for any other."""
    match = _ADDRESS.match(url)
    if match is None or url[: match.end() - 3].lower() not in _HERE:
        return None
    rest = url[match.end() :]
    if rest.startswith("localhost/"):
        rest = rest.removeprefix("localhost")
    as_told = expanded(rest)
    return as_told if as_told.exists() else expanded(unquote(rest))


class RemoteAddress:
    """Where a recording, or a folder of them, lies elsewhere.

    Args:
        url: As a person has typed it.

    Raises:
        RecordingError: nothing can be kept there, or a bucket's address holds a secret.
    """

    def __init__(self, url: str) -> None:
        match = _ADDRESS.match(url)
        if match is None:
            raise RecordingError(f"{shown(url)!r} is no address like s3://BUCKET/FOLDER")
        self.url = url
        """May hold secrets: never shown, written or put into a command line."""
        self.protocol = match[1].lower()
        self.shown = shown(url)
        """What is said and written of it."""
        if self.protocol in _NOWHERE:
            raise RecordingError(
                f"{self.shown}: {self.protocol}:// ends with the process that wrote it; "
                "name a folder, or an address that others can read"
            )
        if not url[match.end() :].strip("/"):
            raise RecordingError(f"{self.shown} names no bucket or host")
        self.has_secret = _ASKED.search(url) is not None or _USER.search(url) is not None
        if self.has_secret and self.protocol in _BUCKETS:
            raise RecordingError(
                f"{self.shown}: no credentials in an address; they come from the environment "
                "or from the files of the cloud's own tools"
            )

    def __repr__(self) -> str:
        return f"RemoteAddress({self.shown!r})"

    @property
    def name(self) -> str:
        """The last part of its path."""
        path = _USER.sub("", _ASKED.sub("", self.url))
        return redact_text(path.rstrip("/").rpartition("/")[2])

    @property
    def is_pattern(self) -> bool:
        """It has wildcards."""
        return _WILD.search(_ASKED.sub("", self.url)) is not None

    def split(self) -> tuple[RemoteAddress, str]:
        """Return the folder before the first part with a wildcard, and the rest as a pattern."""
        asked = _ASKED.search(self.url)
        path = self.url if asked is None else self.url[: asked.start()]
        start = _ADDRESS.match(path)
        assert start is not None
        parts = path[start.end() :].split("/")
        first = next((at for at, part in enumerate(parts) if _WILD.search(part)), len(parts))
        before = path[: start.end()] + "/".join(parts[:first])
        return RemoteAddress(before + ("" if asked is None else asked[0])), "/".join(parts[first:])

    @property
    def key(self) -> str:
        """Name for a folder of its own: the same for the same address, without its secrets."""
        return hashlib.sha256(_bare(self.url).rstrip("/").encode()).hexdigest()[:20]

    @property
    def extra(self) -> str | None:
        """The extra of perftui that brings what it needs, None where fsspec itself has to do."""
        return _EXTRAS.get(self.protocol)

    def child(self, name: str) -> RemoteAddress:
        """Return the address of something in it."""
        asked = _ASKED.search(self.url)
        base = self.url if asked is None else self.url[: asked.start()]
        return RemoteAddress(f"{base.rstrip('/')}/{name}{'' if asked is None else asked[0]}")
