"""Collections of cycles are timed, and a program cannot tell by what it does."""

from __future__ import annotations

import gc
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from support.asked import Asked

from perftui.probes.agent.collector import Collector

from .conftest import plain_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Run = Callable[..., Any]

COLLECTS = """
import gc, os, sys, time
gc.disable(); gc.collect()
took = [0]
def clock(phase, info):
    took[0] += (1 if phase == "stop" else -1) * time.monotonic_ns()
gc.callbacks.append(clock)
keep = [[n] for n in range(200_000)]
for _ in range(3): gc.collect()
for _ in range(4): gc.collect(0)
keep.append(keep); del keep; collected = gc.collect(1)
print(gc.callbacks[-1] is clock, took[0])
sys.stdout.flush()
pid = os.fork()
if not pid:
    gc.collect()
    os._exit(0)
os.waitpid(pid, 0)
"""


def test_each_generation_is_counted_and_timed(watched: Run, python: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(COLLECTS)
    recorded = watched(python, "program.py", hears_orders=True)
    assert not recorded.of("error"), recorded.of("error")
    assert recorded.outcome.exit_code == 0, recorded.outcome.stderr
    last_is_its_own, took_ns = recorded.outcome.stdout.split()
    assert last_is_its_own == b"True"
    main = recorded.of("hello")[0]["pid"]
    lines = [line for line in recorded.of("gc") if line["pid"] == main]
    counts = dict.fromkeys(range(3), 0)
    for line in lines:
        counts[line["generation"]] += line["n"]
        assert line["timed"] == line["n"] and line["longest"] <= line["pause"]
        assert line["t0"] < line["t"] <= line["t0"] + 60 * 10**9
    # Before it was disabled the start may have had some; newer ones name generations otherwise.
    assert sum(counts.values()) >= 9 and counts[2] >= 4
    # What the program's own clock says lies within ours, which begins earlier and ends later.
    ours_ns = sum(line["pause"] for line in lines)
    assert ours_ns >= 0.5 * int(took_ns)
    of_child = [line for line in recorded.of("gc") if line["pid"] != main]
    assert [sum(line[name] for line in of_child) for name in ("n", "timed")] == [1, 1]


def test_handlers_of_signals_raise_where_they_did(watched: Run, python: str) -> None:
    """A signal that comes during a collection must not be handled in a callback of ours: what its
    handler raises would be printed there, and lost."""
    code = (
        "import gc, signal\n"
        "def handler(*_): raise TimeoutError('time is over')\n"
        "signal.signal(signal.SIGALRM, handler)\n"
        "keep = [[n] for n in range(100_000)]\n"
        "for n in range(20):\n"
        "    try:\n"
        "        signal.setitimer(signal.ITIMER_REAL, 0.0005)\n"
        "        while True: gc.collect()\n"
        "    except TimeoutError: pass\n"
        "print('all came')\n"
    )
    recorded = watched(python, "-c", code, hears_orders=True)
    assert recorded.outcome == (0, b"all came\n", b"")
    assert recorded.of("gc")


def test_of_very_many_a_part_is_timed_and_all_are_counted(watched: Run) -> None:
    code = (
        "import gc, time\n"
        "gc.disable(); before = [s['collections'] for s in gc.get_stats()]\n"
        "end = time.monotonic() + 2\n"
        "while time.monotonic() < end: gc.collect(0)\n"
        "gc.collect()\n"
        "print(sum(s['collections'] for s in gc.get_stats()) - sum(before))\n"
    )
    recorded = watched(sys.executable, "-c", code, hears_orders=True)
    lines = recorded.of("gc")
    n, timed = (sum(line[name] for line in lines) for name in ("n", "timed"))
    assert n >= int(recorded.outcome.stdout) > timed > 0
    assert all(line["pause"] <= line["t"] - line["t0"] for line in lines)


def test_a_program_that_empties_the_list_of_callbacks_is_told() -> None:
    code = "import gc, sys\ngc.callbacks.clear()\nfor line in sys.stdin: gc.collect()\n"
    program = Asked([sys.executable, "-c", code], plain_environment())
    program.until(lambda: program.of("notice"))
    assert program.end() == (0, b"", b"")
    [notice] = program.of("notice")
    assert "emptied gc.callbacks" in notice["text"]


def test_our_thread_and_the_end_of_the_program_do_not_tell_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both take from the same lists: one of them found them empty, and all it had was lost."""
    lines: list[str] = []
    agent = SimpleNamespace(before_bye=[], pid=1, emit=lambda _t, line: lines.append(line))
    collector = Collector(cast("Any", agent), register_at_fork=lambda **_: None)
    try:
        taking: list[int] = []
        most: list[int] = []
        taken = collector._timed

        def slowly() -> list[tuple[int, int, int]]:
            taking.append(1)
            most.append(len(taking))
            first.set()
            second.wait(0.2)  # the other one comes meanwhile, or cannot
            taking.pop()
            return taken()

        first, second = threading.Event(), threading.Event()
        monkeypatch.setattr(collector, "_timed", slowly)
        ours = threading.Thread(target=collector.turn)
        ours.start()
        assert first.wait(60)
        collector._last()
        ours.join()
        assert most == [1, 1]
        # A turn of the thread that has not heard of the end yet begins nothing anew.
        collector.turn()
        assert not [each for each in gc.callbacks if each in collector._callbacks]
    finally:
        collector._switch(False, 0)
