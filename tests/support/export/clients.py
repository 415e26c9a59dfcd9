"""The programs that exports are for, driven for tests: what each of them makes of a file.

Programs are found on PATH; what comes from npm in the folder $PERFTUI_CLIENTS, by default
`perftui-ci` in the cache folder, where `.ci/run` installs it. `Missing` says what is not there.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT_S = 100
LOADS = 3
"""So often a page is asked for: its 20 s are not the clock's, and may pass before it is drawn."""
CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # speedscope draws with WebGL; there is no graphics card where tests run.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--allow-file-access-from-files",
)


class Missing(Exception):
    """A client is not installed."""


class Function(NamedTuple):
    """What a client says of one function, summed over what it shows."""

    name: str
    self_s: float
    total_s: float


def packages() -> Path:
    """Return the folder of what was installed by npm."""
    own = os.environ.get("PERFTUI_CLIENTS")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return (Path(own) if own else Path(cache) / "perftui-ci") / "node_modules"


def program(name: str) -> str:
    """Return the path of a program, or say that it is missing."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def package(path: str) -> Path:
    """Return a file of what npm installed, or say that it is missing."""
    found = packages() / path
    if not found.exists():
        raise Missing(f"{path.split('/')[0]} is not in {packages().parent}; .ci/run installs it")
    return found


_SPEEDSCOPE = "speedscope/dist/release/index.html"
_NODE = "node/bin/node"
_PROFILER_CLI = "@firefox-devtools/profiler-cli/dist/profiler-cli.js"


def check(client: str) -> None:
    """Check that a client is installed.

    Raises:
        Missing: it is not; the message says what to do.
    """
    if client == "speedscope":
        program("chromium")
        package(_SPEEDSCOPE)
    elif client == "firefox":
        package(_NODE)
        package(_PROFILER_CLI)
    else:
        program(client)


def _run(*words: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, capture_output=True, timeout=LIMIT_S, env=env, check=False)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise AssertionError(f"{words[0]} ended with {done.returncode}: {text}{done.stderr!r}")
    return text


# speedscope, the web application, in headless Chromium


class Speedscope(NamedTuple):
    """What the web application shows."""

    title: str
    profile: str
    functions: list[Function]
    """Of the sandwich view, which is a table; as many as fit on the screen."""
    text: str


def speedscope(file: Path, picture: Path | None = None) -> Speedscope:
    """Open a file in the speedscope web application and read its table of functions."""
    browser, app = program("chromium"), package(_SPEEDSCOPE)
    with tempfile.TemporaryDirectory(prefix="speedscope-") as folder:
        script = Path(folder, "profile.js")
        data = base64.b64encode(file.read_bytes()).decode()
        script.write_text(f"speedscope.loadFileFromBase64({json.dumps(file.name)}, '{data}')")
        address = f"file://{app}#localProfilePath={script}"
        flags = (*CHROMIUM, f"--user-data-dir={folder}/user", "--virtual-time-budget=20000")
        size = "--window-size=1400,900"
        for _ in range(LOADS):
            page = _run(browser, *flags, size, "--dump-dom", f"{address}&view=sandwich")
            if "🥪" in page:
                break
        if picture is not None:
            _run(browser, *flags, size, f"--screenshot={picture}", address)
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    title = re.search(r"<title>(.*?)</title>", body, re.DOTALL)
    words = [html.unescape(w).strip() for w in re.sub(r"<[^>]+>", "\x01", body).split("\x01")]
    words = [word for word in words if word]
    functions = []
    for at in range(len(words) - 2):
        total, own = _weight(words[at]), _weight(words[at + 1])
        if total is not None and own is not None:
            functions.append(Function(words[at + 2], own, total))
    profile = words[words.index("🥪") + 2] if "🥪" in words else ""
    return Speedscope(html.unescape(title[1]) if title else "", profile, functions, " ".join(words))


_WEIGHT = re.compile(r"([\d.,]+)(ns|µs|ms|s|min|) \(([<>]?[\d.]+)%\)")
_SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "": 1e-9}


def _weight(text: str) -> float | None:
    """Return the seconds of "26.51s (86%)"; a bare number is in nanoseconds."""
    match = _WEIGHT.fullmatch(text)
    return float(match[1].replace(",", "")) * _SECONDS[match[2]] if match else None


# The Firefox profiler's own loader


class Firefox(NamedTuple):
    """What the loader makes of a file; lists as its --json gives them."""

    info: dict[str, Any]
    functions: list[Function]
    """Of the first thread."""
    counters: list[dict[str, Any]]
    markers: dict[str, int]
    """Of the first thread: number by name."""


@contextmanager
def profiler_cli(file: Path) -> Iterator[Any]:
    """Load a file and give a function that asks it something."""
    node = package(_NODE)
    version = _run(node, "--version").strip()
    if int(version.removeprefix("v").split(".")[0]) < 24:
        raise Missing(f"profiler-cli needs node >= 24, there is {version}")
    script = package(_PROFILER_CLI)
    with tempfile.TemporaryDirectory(prefix="profiler-cli-") as home:
        env = {**os.environ, "HOME": home}

        session = _load(node, script, file, env)
        here = ("--session", session)

        def ask(*words: str) -> Any:
            return json.loads(_run(node, script, *words, *here, "--json", env=env))

        try:
            _wait(lambda: _run(node, script, "status", *here, env=env))
            yield ask
        finally:
            _run(node, script, "stop", session, env=env)


def _load(node: Path, script: Path, file: Path, env: dict[str, str]) -> str:
    """Load a file; returns the session. It gives its daemon half a second, a busy machine more."""
    try:
        said = _run(node, script, "load", file, env=env)
    except AssertionError as error:
        said = str(error)
        if "did not become ready" not in said:
            raise
    found = re.search(r"Session started: (\w+)|\.profiler-cli/(\w+)\.log", said)
    assert found, said
    return found[1] or found[2]


def _wait(call: Callable[[], object]) -> None:
    """Call until it goes well, for as long as a busy machine may take."""
    until = time.monotonic() + 60
    while True:
        try:
            call()
            return
        except AssertionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def firefox(file: Path) -> Firefox:
    """Load a file in the Firefox profiler's own loader, without a browser."""
    with profiler_cli(file) as ask:
        functions = ask("thread", "functions", "--limit", "0", "--include-idle")["functions"]
        markers = ask("thread", "markers")
        return Firefox(
            ask("profile", "info"),
            [
                Function(row["name"], row["selfSamples"] / 1e3, row["totalSamples"] / 1e3)
                for row in functions
            ],
            ask("counter", "list")["counters"],
            {row["markerName"]: row["count"] for row in markers["byType"]},
        )


# go tool pprof


class Pprof(NamedTuple):
    """What `go tool pprof` makes of a file."""

    kind: str
    functions: list[Function]
    tags: dict[str, list[str]]


def pprof(file: Path, kind: str = "wall") -> Pprof:
    """Ask `go tool pprof` for its top list, in seconds, and its tags."""
    go = program("go")
    common = ("-unit=s", f"-sample_index={kind}", "-nodecount=0", "-nodefraction=0")
    with tempfile.TemporaryDirectory(prefix="pprof-") as home:
        # It looks for settings and saved profiles there.
        env = {**os.environ, "HOME": home, "PPROF_TMPDIR": home}
        top = _run(go, "tool", "pprof", *common, "-top", file, env=env)
        raw = _run(go, "tool", "pprof", *common, "-tags", file, env=env)
    found = re.search(r"^Type: (.*)$", top, re.MULTILINE)
    functions = [
        Function(match[3], float(match[1]), float(match[2]))
        for match in re.finditer(
            r"^\s*([\d.]+)s?\s+[\d.]+%\s+[\d.]+%\s+([\d.]+)s?\s+[\d.]+%\s+(.*)$", top, re.MULTILINE
        )
    ]
    tags: dict[str, list[str]] = {}
    key = ""
    for line in raw.splitlines():
        if match := re.match(r"^\s*(\S+): Total ", line):
            key = match[1]
            tags[key] = []
        elif key and (match := re.match(r"^\s+\S+ \(.*?%\): (.*)$", line)):
            tags[key].append(match[1])
    return Pprof(found[1] if found else "", functions, tags)
