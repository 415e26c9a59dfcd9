"""The recipe of docs/bench.md, run by a shell as CI would, against a server that keeps comments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs" / "bench.md"


class Comments(BaseHTTPRequestHandler):
    """As much of GitHub's interface as the recipe uses."""

    bodies: dict[int, str]
    asked: list[str]

    def do_GET(self) -> None:
        self._answer([{"id": number, "body": body} for number, body in self.bodies.items()])

    def do_POST(self) -> None:
        self._keep(len(self.bodies) + 1)

    def do_PATCH(self) -> None:
        self._keep(int(self.path.rpartition("/")[2]))

    def _keep(self, number: int) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies[number] = json.loads(said)["body"]
        self._answer({"id": number})

    def _answer(self, data: Any) -> None:
        self.asked.append(f"{self.command} {self.path}")
        assert self.headers["Authorization"] == "Bearer t0ken"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def recipe() -> str:
    """Return the lines of the docs."""
    text = DOCS.read_text()
    begin = text.index("    set +e\n")
    return textwrap.dedent(text[begin : text.index('    exit "$code"\n')]) + 'exit "$code"\n'


@pytest.mark.live
@pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("curl")), reason="the recipe needs jq and curl"
)
def test_the_comment_is_made_once_and_then_edited(tmp_path: Path) -> None:
    repository, bin_ = tmp_path / "repository", tmp_path / "bin"
    for folder in (repository, bin_):
        folder.mkdir()
    git = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=n@example.org"]
    (repository / "load.py").write_text("def nightly(): return bytearray(9_000_000)\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "base"],
                  ["update-ref", "refs/remotes/origin/main", "HEAD"]):  # fmt: skip
        none = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run([*git, *words], check=True, timeout=60, env={**os.environ, **none})
    (repository / "load.py").write_text("def nightly(): return bytearray(90_000_000)\n")
    wrapper = bin_ / "perftui"
    # Few runs, and of memory alone: what is tried here is the recipe.
    wrapper.write_text(
        f"#!/bin/sh\nshift\nexec {sys.executable} -m perftui bench --runs 3 --calls 2 --threshold "
        'duration=off,cpu=off,imports=off,first_call=off,warm_call=off,cold_start=off "$@"\n'
    )
    wrapper.chmod(0o755)
    Comments.bodies, Comments.asked = {1: "a person's comment"}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Comments) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        env = {
            **os.environ,
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "GITHUB_REPOSITORY": "we/this", "PR": "7", "GITHUB_TOKEN": "t0ken",
            "GITHUB_BASE_REF": "main", "no_proxy": "127.0.0.1",
            "PERFTUI_CACHE": str(tmp_path / "cache"),
        }  # fmt: skip
        for _ in range(2):
            done = subprocess.run(
                ["bash", "-e", "-c", recipe()], cwd=repository, env=env, timeout=100,
                capture_output=True, text=True, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert done.returncode == 1, (done.stdout, done.stderr)
            assert (
                "::error title=perftui bench load.py%3Anightly::peak RSS regressed" in done.stdout
            )
        server.shutdown()
    at = "/repos/we/this/issues"
    look = f"GET {at}/7/comments?per_page=100"
    assert Comments.asked == [
        look, f"POST {at}/7/comments", look, f"PATCH {at}/comments/2",
    ]  # fmt: skip
    assert Comments.bodies[1] == "a person's comment"
    assert Comments.bodies[2].startswith("<!-- perftui bench: load.py:nightly -->\n")
    assert len(Comments.bodies) == 2
    assert "<failure message=" in (repository / "bench.xml").read_text()
