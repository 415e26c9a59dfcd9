"""Memory that is given back on request: how much came back, and of which allocator."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.asked import Asked
from support.preloaded import library_of
from support.pythons import interpreters

from perftui.probes.agent import release

HOLES = """
import sys
kept = [bytes(3_000) for _ in range(40_000)]
some = kept[999::1000]  # what is below the last of them is kept by malloc
del kept
print("ready", flush=True)
sys.stdin.read()
print(sorted({"ctypes", "_ctypes"} & set(sys.modules)))
import ctypes
print(ctypes.sizeof(ctypes.c_int))
"""
TOLD = re.compile(r"released ([\d.]+) MB of ([\d.]+) MB: (.*)")


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask_for_it(program: Asked) -> tuple[str, float]:
    """Return what is told of it, and the MB that came back by the kernel's account."""
    assert program.channel.board is not None and program.process.stdout is not None
    assert program.process.stdout.readline() == b"ready\n"
    before = rss_mb(program.process.pid)
    program.channel.board.ask_for_release(program.process.pid)
    program.until(lambda: program.of("released"))
    gone = before - rss_mb(program.process.pid)
    return program.of("released")[0]["text"], gone


def released(program: Asked) -> tuple[float, float, str, float]:
    """Ask for it: MB that came back, of how many, by whom, and MB by the kernel's account."""
    text, gone = ask_for_it(program)
    told = TOLD.fullmatch(text)
    assert told is not None, text
    return float(told[1]), float(told[2]), told[3], gone


def test_malloc_gives_back_in_a_program_that_does_not_use_ctypes() -> None:
    """On the oldest and the newest Python; nothing of it is left there."""
    found = sorted(interpreters(free_threaded=False), key=lambda each: each.minor)
    for python in {found[0].executable, found[-1].executable}:
        program = Asked([python, "-c", HOLES], {"PATH": os.environ["PATH"]})
        came, of, whom, gone = released(program)
        assert program.end() == (0, b"[]\n4\n", b"")
        assert came > 80 and of > 100, whom
        assert gone == pytest.approx(came, abs=8), "its own code has become resident meanwhile"
        assert re.fullmatch(r"gc [\d.]+ MB, malloc [\d.]+ MB", whom)


@pytest.mark.parametrize("name", ["jemalloc", "mimalloc"])
def test_the_allocator_that_is_in_place_of_malloc_is_asked(name: str) -> None:
    library = library_of(name)
    if library is None:
        pytest.skip(f"{name} is not installed")
    env = {"PATH": os.environ["PATH"], "LD_PRELOAD": library}
    program = Asked([sys.executable, "-c", HOLES], env)
    came, _, whom, gone = released(program)
    assert program.end() == (0, b"[]\n4\n", b"")
    assert f"{name} " in whom
    if name == "jemalloc":
        assert came > 80, whom
        assert gone == pytest.approx(came, abs=8)
    else:
        assert "each thread gives back its own" in whom


def test_what_came_back_is_the_sum_of_what_each_gave_back() -> None:
    """The program takes more meanwhile: the whole of it has grown."""
    lines: list[str] = []
    sizes = iter([100, 160, 90, 200])
    agent = SimpleNamespace(
        rss=lambda: next(sizes) * 1_000_000, pid=1, quote=json.dumps, wire=SimpleNamespace()
    )
    agent.wire.send = lines.append
    with pytest.MonkeyPatch.context() as patch:
        for step in ("collect", "trim_arrow", "trim_malloc"):
            patch.setattr(release, step, lambda *_, name=step: iter([(name, "")]))
        release.release(agent, lambda _: None)  # type: ignore[arg-type]
    assert json.loads(lines[0] + "}")["text"] == (
        "released 70.0 MB of 100.0 MB: collect 0.0 MB, trim_arrow 70.0 MB, trim_malloc 0.0 MB"
    )


def test_where_nothing_comes_back_that_is_told() -> None:
    code = "import sys\nprint('ready', flush=True)\nsys.stdin.read()"
    program = Asked([sys.executable, "-c", code], {"PATH": os.environ["PATH"]})
    came, of, whom, gone = released(program)
    assert program.end() == (0, b"", b"")
    assert 0 <= came < 3 and abs(gone) < 5 and of > 5, whom


def test_where_its_figures_cannot_be_read_it_gives_back_all_the_same() -> None:
    """The program has closed what the agent reads them from."""
    close = "import os, sys\nos.close(sys.modules['_perftui_agent'].agent.statm_fd)\n"
    program = Asked([sys.executable, "-c", close + HOLES], {"PATH": os.environ["PATH"]})
    text, gone = ask_for_it(program)
    assert text == "released what it could, how much is not known: gc, malloc"
    assert program.end()[:2] == (0, b"[]\n4\n")
    assert gone > 80
