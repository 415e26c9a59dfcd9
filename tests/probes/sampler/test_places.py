"""Programs that are hard to reach, or may not be: other roots, other namespaces, no right,
interpreters that say that they are what we do not know."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.sampler import KNOWN, clean_environment
from support.sampler_stream import Collected, decode

from perftui.probes.sampler import stream
from perftui.probes.sampler.cpython.layout import PUBLISHED
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.target import SampledProcess
from perftui.probes.stacks.own.records import ProcessRecord, Sample
from perftui.probes.stacks.own.source import OwnSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPIN = "def inner():\n while True: sum(range(50))\nprint('go', flush=True)\ninner()"
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make one")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(argv: list[str], **options: object) -> subprocess.Popen[str]:
        """Start a program that says "go" when it begins."""
        options.setdefault("env", clean_environment())
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]
        )
        started.append(process)
        assert process.stdout is not None
        if process.stdout.readline() != "go\n":
            process.kill()
            pytest.skip(f"cannot be made here: {process.communicate()[1].strip()[-200:]}")
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def look(pid: int, seconds: float = 60) -> tuple[ProcessRecord, list[str]]:
    """Sample until it is sampled or refused; return that, and the names of one stack."""
    news: ProcessRecord | None = None
    names: list[str] = []
    sampler = OwnSampler([pid])
    deadline = time.monotonic() + seconds
    try:
        for record in sampler.records():
            if isinstance(record, ProcessRecord) and record.status in ("sampled", "refused"):
                news = record
            if isinstance(record, Sample) and record.stack is not None:
                names = [place.function for place in record.stack]
            refused = news is not None and news.status == "refused"
            if refused or (news is not None and "inner" in names) or time.monotonic() > deadline:
                break
    finally:
        sampler.close()
    assert news is not None
    return news, names


# ---- no right


@as_root
def test_without_the_right_to_look_it_says_so_at_once(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    target = start([sys.executable, "-c", SPIN])
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            writer = Collected()
            writer.block(stream.HELLO, stream.HELLO_FIELDS.pack(stream.VERSION, 0))
            seen = SampledProcess(target.pid, 0, Names(writer), writer, born=False)
            seen.sweep(time.monotonic_ns())
            time.sleep(0.2)
            seen.sweep(time.monotonic_ns())
            seen.close()
            os.write(write, writer.take())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    records = decode(os.read(read, 1 << 16), [])
    os.close(read)
    news = [r for r in records if isinstance(r, ProcessRecord)]
    assert [(r.status, r.reason) for r in news] == [
        ("resolving", ""),
        ("refused", "no-right"),
        ("gone", ""),
    ]
    assert news[1].label == "refused: no-right"
    assert not any(isinstance(r, Sample) for r in records)


# ---- another namespace, another root


def test_a_program_in_another_pid_namespace(
    python: str, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Its threads know themselves by other numbers than we do."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare here")
    how = [unshare, "--pid", "--fork", "--kill-child"]
    if os.geteuid():
        how.append("--map-root-user")
    outer = start([*how, python, "-c", SPIN])
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    inner = int(children[0])
    status = Path(f"/proc/{inner}/status").read_text()
    assert next(line for line in status.splitlines() if line.startswith("NSpid")).endswith("\t1")
    news, names = look(inner)
    assert news.status == "sampled"
    assert names[-2:] == ["inner", "<module>"]


def new_root(python: str, root: Path) -> dict[str, str]:
    """Copy all that a small program needs to another root; return its environment."""
    text = (
        "import sys, encodings.ascii\nprint(sys.prefix)\nprint(sys.executable)\n"
        "print(*[m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)],"
        " sep='\\n')"
    )
    told = subprocess.run(
        [python, "-S", "-c", text], capture_output=True, text=True, env=clean_environment()
    ).stdout.splitlines()
    linked = subprocess.run(["ldd", python], capture_output=True, text=True).stdout.split()
    libraries = [word for word in linked if word.startswith("/")]
    # Of an interpreter that was laid out beside the system, its own loader beside the usual one.
    loaders = re.findall(rb"/[\w/.+-]+/ld-linux[\w.-]*\.so[\w.]*(?=\0)", Path(python).read_bytes())
    for name in [*told[1:], *libraries, *(loader.decode() for loader in loaders)]:
        if name and Path(name).is_file():
            to = root / name.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, to)
    folders = {str(Path(name).parent) for name in libraries}
    return {"PYTHONHOME": told[0], "LD_LIBRARY_PATH": os.pathsep.join(folders), "LANG": "C.UTF-8"}


@as_root
def test_a_program_in_another_root(
    python: str, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """None of its files lies where its paths say."""
    if shutil.which("ldd") is None:
        pytest.skip("it cannot be told what an interpreter is linked with")
    python = os.path.realpath(python)
    environment = new_root(python, tmp_path)
    target = start(
        [python, "-S", "-c", SPIN],
        env=environment,
        cwd="/",
        preexec_fn=lambda: os.chroot(tmp_path),
    )
    assert Path(f"/proc/{target.pid}/root").readlink() == tmp_path
    news, names = look(target.pid)
    assert news.status == "sampled"
    assert names == ["inner", "<module>"]


# ---- interpreters that say that they are others

COOKIE = b"xdebugpy"
PUBLISHING = [
    pytest.param(exe, marks=[] if minor == max(KNOWN) else [pytest.mark.live], id=f"3.{minor}")
    for minor, exe in KNOWN.items()
    if minor >= 13
]


def patched(python: str, folder: Path, at: int, value: int) -> tuple[str, dict[str, str]]:
    """Copy an interpreter, with another word at `at` behind its cookie; return it and how to run.

    Only who looks from outside reads these words.
    """
    python = os.path.realpath(python)
    linked = subprocess.run(["ldd", python], capture_output=True, text=True).stdout.split()
    library = next((word for word in linked if word.startswith("/") and "libpython" in word), None)
    source = Path(library or python)
    raw = bytearray(source.read_bytes())
    place = raw.index(COOKIE)
    while raw[place + 11] != 3:  # the cookie as such may lie in a table of strings too
        place = raw.index(COOKIE, place + 1)
    raw[place + at : place + at + 8] = value.to_bytes(8, "little")
    copy = folder / source.name
    copy.write_bytes(raw)
    copy.chmod(0o755)
    environment = clean_environment()
    if library:
        environment["LD_PRELOAD"] = str(copy)  # of the same name, so it is the one
        return python, environment
    prefix = [python, "-c", "import sys; print(sys.prefix)"]
    done = subprocess.run(prefix, capture_output=True, text=True, env=clean_environment())
    environment["PYTHONHOME"] = done.stdout.strip()
    return str(copy), environment


@pytest.mark.parametrize("publishing", PUBLISHING)
@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (8, 0x031000F0, "unknown-version"),
        (8, 0x030F00A3, "unknown-version"),
        (16, 1, "unknown-version"),
        (24 + 8 * 9, 1 << 40, "unknown-version"),
    ],
    ids=["3.16", "alpha", "free-threaded and not laid out so", "offset"],
)
def test_what_is_not_known_is_refused(
    publishing: str,
    at: int,
    value: int,
    reason: str,
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    executable, environment = patched(publishing, tmp_path, at, value)
    target = start([executable, "-S", "-c", SPIN], env=environment)
    news, names = look(target.pid)
    # 3.13 publishes nothing that a free-threaded one must have: it is found out by its objects.
    found_out = {reason, "check-failed"} if at == 16 else {reason}
    assert news.status == "refused"
    assert news.reason in found_out
    assert names == []


@pytest.mark.parametrize("publishing", PUBLISHING)
def test_a_layout_that_is_not_what_it_says_is_refused(
    publishing: str, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """A vendor's patch moved the names of code: nothing wrong is ever shown."""
    words = PUBLISHED[max(13, next(m for m, exe in KNOWN.items() if exe == publishing))].split()
    at = 24 + 8 * words.index("co.qualname")
    executable, environment = patched(publishing, tmp_path, at, 56)
    target = start([executable, "-S", "-c", SPIN], env=environment)
    news, names = look(target.pid)
    assert (news.status, news.reason) == ("refused", "check-failed")
    assert names == []
