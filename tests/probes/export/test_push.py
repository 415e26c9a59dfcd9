"""`export --push`: what comes to a server is the profile; what does not is told without secrets."""

from __future__ import annotations

import json
import socket
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from support.export.parsed import PARSERS
from support.recordings.made import make_own

from perftui.tui.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Came(NamedTuple):
    path: str
    query: dict[str, list[str]]
    authorization: str | None
    fields: dict[str, bytes]


class Server:
    """Takes what is pushed, or refuses it."""

    def __init__(self) -> None:
        self.came: list[Came] = []
        self.answer = (200, "OK", "")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                form = BytesParser().parsebytes(head + body)
                fields = {
                    str(part.get_param("name", header="content-disposition")): bytes(
                        part.get_payload(decode=True)  # type: ignore[arg-type]
                    )
                    for part in form.walk()
                    if not part.is_multipart()
                }
                to = urlsplit(self.path)
                outer.came.append(
                    Came(to.path, parse_qs(to.query), self.headers["Authorization"], fields)
                )
                status, reason, text = outer.answer
                self.send_response(status, reason)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_address[1]
        self._thread = Thread(target=self._http.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own(tmp_path_factory.mktemp("push") / "a.perftui")


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERFTUI_PUSH_TOKEN", raising=False)


def test_what_comes_is_the_profile_of_that_part(
    server: Server, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = ["--from", "5", "--to", "12"]
    url = f"http://me:s3cr3t@127.0.0.1:{server.port}"
    assert main(["export", str(recording), *part, "--push", url]) == 0
    said = capsys.readouterr()
    assert f"to http://127.0.0.1:{server.port}/ingest" in said.out
    assert "s3cr3t" not in said.out + said.err
    (came,) = server.came
    assert came.path == "/ingest"
    assert came.authorization == "Basic bWU6czNjcjN0"
    assert came.query["format"] == ["pprof"]
    assert came.query["name"] == ["load"]
    assert int(came.query["until"][0]) - int(came.query["from"][0]) in (7, 8)
    out = tmp_path / "x.pb.gz"
    assert main(["export", str(recording), *part, "-o", str(out)]) == 0
    assert came.fields["profile"] == out.read_bytes()
    assert list(PARSERS["pprof"](came.fields["profile"]))
    assert json.loads(came.fields["sample_type_config"])["cpu"]["units"] == "nanoseconds"


def test_a_token_and_a_path_of_ones_own(
    server: Server, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFTUI_PUSH_TOKEN", "t0k3n")
    url = f"http://127.0.0.1:{server.port}/behind/a proxy/ingest/"
    assert main(["export", str(recording), "--push", url]) == 0
    assert server.came[0].path == "/behind/a%20proxy/ingest"
    assert server.came[0].authorization == "Bearer t0k3n"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((401, "Unauthorized", "no\x1b[31m way"), "401 Unauthorized: no"),
        ((500, "Internal", "x" * 9000), "500 Internal: xxx"),
        ((302, "Found", ""), "302 Found (redirects are not followed"),
    ],
)
def test_a_refusal_is_one_line(
    server: Server,
    recording: Path,
    answer: tuple[int, str, str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.answer = answer
    url = f"http://me:s3cr3t@127.0.0.1:{server.port}"
    assert main(["export", str(recording), "--push", url]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert "s3cr3t" not in said
    assert "\x1b" not in said
    assert len(said) < 400


def test_nobody_there_and_what_is_no_place(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # nobody listens there, and nobody else can meanwhile
        for url, told in [
            (f"http://me:s3cr3t@127.0.0.1:{port}", "Connection refused"),
            ("ftp://me:s3cr3t@x", "needs a URL"),
            ("http://", "needs a URL"),
            ("http://me:s3cr3t@x:99999", "needs a URL"),
            ("http://x/?token=s3cr3t", "without ?"),
        ]:
            assert main(["export", str(recording), "--push", url]) == 2
            said = capsys.readouterr().err
            assert told in said
            assert "s3cr3t" not in said
            assert said.count("\n") == 1
    for more in (["--format", "otlp"], ["-o", "x"], ["--table", "metrics"]):
        assert main(["export", str(recording), "--push", "http://x", *more]) == 2
        assert "--push" in capsys.readouterr().err
