"""pprof over HTTP to whoever collects profiles: Pyroscope's `POST /ingest`, and its like.

Only on request, to the one place that was named: no redirect is followed, and what the URL has of
a password goes into the request's head and into no message.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from perftui.probes.export.material.service import service_name
from perftui.probes.export.stacks.pprof import write
from perftui.probes.export.stacks.sums import SAMPLE_TYPES
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.text.harmless import clean
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from http.client import HTTPConnection

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader

PATH = "/ingest"
TOKEN = "PERFTUI_PUSH_TOKEN"
"""Environment variable: sent as a bearer token."""
TIMEOUT_S = 30.0
_ANSWER_BYTES = 4_096
_SHOWN = 160
_BOUNDARY = "perftui-0d9f2b61c7e84a53"
_LABEL = re.compile(r"[^\w.-]+")


class PushError(ValueError):
    """It was not taken, and why; one line, without secrets."""


class Pushed(NamedTuple):
    """What was sent."""

    where: str
    """Without secrets."""
    name: str
    size_bytes: int

    def line(self) -> str:
        """Say it."""
        return f"pushed {self.name} ({self.size_bytes:,} bytes) to {self.where}"


def push(reader: RecordedReader, part: Slice, url: str) -> Pushed:
    """Send a part of a recording.

    Args:
        reader: The recording.
        part: Which part.
        url: http:// or https://; where it has no path, /ingest.

    Raises:
        PushError: the URL makes no sense, nobody answers, or it is not taken.
        ExportError: there are no stacks in that part.
    """
    to = _place(url)
    out = io.BytesIO()
    write(reader, part, out)
    body = _form(out.getvalue())
    name = _LABEL.sub("_", service_name(reader.target())) or "python"
    start_ns = wall_ns(reader.meta, part.t0_ns) or 0
    query = {
        "name": name,
        "from": start_ns // NS_PER_S,
        # Of less than a second there would be nothing between the two.
        "until": max((start_ns + part.t1_ns - part.t0_ns) // NS_PER_S, start_ns // NS_PER_S + 1),
        "format": "pprof",
        "spyName": "perftui",
        "sampleRate": round(reader.status().stack_rate_hz or 100),
    }
    where = _shown(to)
    _post(to, f"{to.path or PATH}?{urlencode(query, quote_via=quote)}", body, where)
    return Pushed(where, name, len(out.getvalue()))


def _place(url: str) -> SplitResult:
    try:
        to = urlsplit(url)
        port = to.port
    except ValueError:
        raise PushError("--push needs a URL such as http://localhost:4040") from None
    if to.scheme not in ("http", "https") or not to.hostname or port == 0:
        raise PushError("--push needs a URL such as http://localhost:4040")
    if to.query or to.fragment:
        raise PushError("--push takes a URL without ? and #: a token goes into $" + TOKEN)
    path = quote(unquote(to.path).rstrip("/"))
    return to._replace(path=path)


def _shown(to: SplitResult) -> str:
    host = to.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if to.port is None else f":{to.port}"
    return clean(f"{to.scheme}://{host}{port}{to.path or PATH}")


def _form(profile: bytes) -> bytes:
    """Return the multipart form that /ingest takes."""
    kinds = {
        kind: {"units": unit, "display-name": kind, "aggregation": "sum", "cumulative": False}
        for kind, unit in SAMPLE_TYPES
    }
    parts = (
        ("profile", "profile.pprof", profile),
        ("sample_type_config", "sample_type_config.json", json.dumps(kinds).encode()),
    )
    body = b""
    for field, file, data in parts:
        head = f'Content-Disposition: form-data; name="{field}"; filename="{file}"'
        body += f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"
    return body + f"--{_BOUNDARY}--\r\n".encode()


def _headers(to: SplitResult) -> dict[str, str]:
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    token = os.environ.get(TOKEN, "")
    if token:
        if not token.isascii() or not token.isprintable():
            raise PushError(f"${TOKEN} has characters that no header takes")
        headers["Authorization"] = f"Bearer {token}"
    elif to.username is not None:
        pair = f"{unquote(to.username)}:{unquote(to.password or '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers


def _post(to: SplitResult, path: str, body: bytes, where: str) -> None:
    from http.client import HTTPException

    connection = _connection(to)
    try:
        connection.request("POST", path, body, _headers(to))
        answer = connection.getresponse()
        said = answer.read(_ANSWER_BYTES).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise PushError(f"{where} does not take it: {clean(str(why))[:_SHOWN]}") from None
    finally:
        with suppress(OSError):
            connection.close()
    if not 200 <= answer.status < 300:
        first = clean(" ".join(said.split()))[:_SHOWN]
        reason = f"{answer.status} {clean(answer.reason)[:40]}" + (f": {first}" if first else "")
        if 300 <= answer.status < 400:
            reason += " (redirects are not followed: name the place itself)"
        raise PushError(f"{where} does not take it: {reason}")


def _connection(to: SplitResult) -> HTTPConnection:
    from http.client import HTTPConnection, HTTPSConnection

    kind = HTTPSConnection if to.scheme == "https" else HTTPConnection
    return kind(to.hostname or "", to.port, timeout=TIMEOUT_S)
