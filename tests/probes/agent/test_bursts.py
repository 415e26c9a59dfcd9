"""In which function memory rises before Python 3.12: bursts of a profiler in C."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.pythons import interpreters

from perftui.probes.agent.growth import profiled

AGENT = Path(__file__).resolve().parents[3] / "probes" / "agent"
BEGINS = r"""
import importlib, importlib.util, json, os, random, sys, threading, types

def load(name):
    full = "_perftui_agent_growth_" + name
    spec = importlib.util.spec_from_file_location(full, sys.argv[1] + "/growth/%s.py" % name)
    sys.modules[full] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]

names = "kinds", "pace", "found", "census", "keepers", "rises", "thread_states", "profiled"
bursts = [load(name) for name in (*names, "bursts")][-1]
bursts.SHORTEST_S = bursts.LONGEST_S = 1000  # until it is ended
statm = os.open("/proc/self/statm", os.O_RDONLY)
agent = types.SimpleNamespace(statm_fd=statm, owns_statm=lambda: True)
measured = bursts.Bursts(agent, importlib.import_module)
kept = []

def said(**more):
    print(json.dumps({
        "missing": measured.missing,
        "rose": measured.rose_bytes,
        "rest": measured.rest_rss,
        "touched": sum(each.faults for each in measured.suspects) + measured.rest_faults,
        "faults": measured.faults,
        "notes": measured.notes(),
        "rows": {each.code.co_name: [each.calls, each.rss_bytes] for each in measured.suspects},
        **more,
    }))
"""
PROGRAM = (
    BEGINS
    + r"""
def take():
    kept.append(bytearray(b"x") * 4_000_000)

def takes_by_a_library():
    kept.append(random.choices(range(1000), k=400_000))  # in Python, 3.2 MB

def fails():
    kept.append(bytearray(b"x") * 4_000_000)
    raise KeyError

def made():
    kept.append(bytearray(b"x") * 4_000_000)
    yield 1
    kept.append(bytearray(b"x") * 4_000_000)

def leaf(n):
    return n

def calls_much():
    for n in range(20_000):
        leaf(n)

def hold():
    held.set()
    go.wait()
    kept.append(bytearray(b"x") * 4_000_000)

def work():
    hold()
    take()
    takes_by_a_library()
    try:
        fails()
    except KeyError:
        pass
    sum([1 for _ in made()])
    calls_much()
    done.set()
    over.wait()

def ends():
    held_too.set()
    done.wait()
    kept.append(bytearray(b"x") * 4_000_000)

def profiled():
    sys.setprofile(own)
    ready.set()
    done.wait()
    leaf(0)
    asked.append(sys.getprofile() is own)

def own(frame, event, arg):
    if frame.f_code.co_name == "leaf":
        met.append(event)

asked, met = [], []
held, held_too, ready, go, done, over = [threading.Event() for _ in range(6)]
threads = [threading.Thread(target=each) for each in (work, ends, profiled)]
for each in threads:
    each.start()
held.wait(), held_too.wait(), ready.wait()
missing = measured.begin()
go.set()
threads[1].join()
threads[2].join()
measured.end()
measured.end()
over.set()
threads[0].join()
measured.settle()
said(asked=asked, met=met)
"""
)


@cache
def before_monitoring() -> tuple[str, ...]:
    return tuple(each.executable for each in interpreters(free_threaded=False) if each.minor < 12)


def told(tmp_path: Path, python: str, code: str) -> dict[str, Any]:
    script = tmp_path / "program.py"
    script.write_text(code)
    argv = [python, "-X", "faulthandler", str(script), str(AGENT)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def pythons() -> tuple[str, ...]:
    if not before_monitoring():
        pytest.skip("no Python before 3.12")
    return before_monitoring()


def test_all_that_a_thread_gains_is_the_functions_that_took_it(tmp_path: Path) -> None:
    for python in pythons():
        found = told(tmp_path, python, PROGRAM)
        rows = found["rows"]
        assert not found["missing"], found["missing"]
        # In `hold` and `work` the thread was before; the library's is its caller's.
        few = {"hold", "take", "fails", "ends", "takes_by_a_library"}
        assert all(rows[name][1] > 2_900_000 for name in few), rows
        assert rows["made"][1] > 7_000_000
        assert "choices" not in rows
        calls = {name: rows[name][0] for name in ("work", "hold", "take", "fails", "leaf", "made")}
        assert calls == {"work": 0, "hold": 0, "take": 1, "fails": 1, "leaf": 20_000, "made": 2}
        assert sum(row[1] for row in rows.values()) + found["rest"] == found["rose"]
        assert found["touched"] == found["faults"]
        assert (found["asked"], found["met"]) == ([True], ["call", "return"])
        assert found["notes"] == ["1 of its threads left alone: profiled or traced already"]


@pytest.mark.parametrize(
    ("begins", "why"),
    [
        ("sys.addaudithook(lambda *_: None)", "the program has audit hooks"),
        ("sys.modules['greenlet'] = sys", "greenlets change stacks under a profile function"),
        (
            "sys.modules['_ctypes'] = None",
            "not to be had: import of _ctypes halted; None in sys.mod",
        ),
        ("sys.settrace(lambda *_: None)", "the program has a profiler or a tracer of its own"),
    ],
)
def test_where_it_may_go_wrong_nothing_is_done(tmp_path: Path, begins: str, why: str) -> None:
    code = f"{BEGINS}\n{begins}\nmeasured.begin()\nsys.settrace(None)\nsaid()"
    found = told(tmp_path, pythons()[-1], code)
    assert found["missing"].startswith(f"not measured at entry and exit: {why}")


def test_one_that_calls_much_is_measured_a_part_of_the_time(tmp_path: Path) -> None:
    code = BEGINS + (
        "import time\n"
        "bursts.SHORTEST_S, bursts.LONGEST_S = 0.02, 0.25\n"
        "def keep(n):\n"
        "    if not n % 100: kept.append(bytearray(b'x') * 10_000)\n"
        "def work():\n"
        "    n = 0\n"
        "    while not over:\n"
        "        n += 1\n"
        "        keep(n)\n"
        "over = False\n"
        "worker = threading.Thread(target=work)\n"
        "worker.start()\n"
        "began = time.monotonic()\n"
        "measured.begin()\n"
        "while measured.windows < 3 and time.monotonic() < began + 60:\n"
        "    time.sleep(measured.turn())\n"
        "over = True\n"
        "measured.end()\n"
        "took = time.monotonic() - began\n"
        "worker.join()\n"
        "measured.settle()\n"
        "said(windows=measured.windows, part=measured.measured_s / took)\n"
    )
    found = told(tmp_path, pythons()[-1], code)
    assert not found["missing"], found["missing"]
    assert found["windows"] >= 3
    assert found["part"] < 0.9
    assert found["rows"]["keep"][0] > 100
    assert sum(row[1] for row in found["rows"].values()) + found["rest"] == found["rose"]


def test_threads_of_ours_are_not_taken_for_the_programs(tmp_path: Path) -> None:
    code = BEGINS + (
        "import _thread, time\n"
        "sys.modules.pop('threading')\n"
        "ours = dict(_thread=_thread, go=_thread.allocate_lock(), rises=bursts.rises, found=[])\n"
        "ours['go'].acquire()\n"
        "source = 'def wait(): go.acquire(); go.release()\\n'\n"
        "source += 'def ask(): found.append(rises.tids_by_thread()); go.release()\\n'\n"
        "exec(compile(source, sys.argv[1] + '/beside.py', 'exec'), ours)\n"
        "_thread.start_new_thread(ours['wait'], ())\n"
        "_thread.start_new_thread(ours['ask'], ())\n"
        "while not ours['found']: time.sleep(0.01)\n"
        "said(found=[list(each.items()) for each in ours['found']], me=_thread.get_ident(),"
        " pid=os.getpid())\n"
    )
    found = told(tmp_path, pythons()[-1], code)
    assert found["found"] == [[[found["me"], found["pid"]]]]


def test_a_burst_that_is_dropped_leaves_a_forked_child_alone(tmp_path: Path) -> None:
    code = BEGINS + (
        "def child():\n"
        "    measured.drop()\n"
        "    os._exit(3 if sys.getprofile() is None else 4)\n"
        "def fork():\n"
        "    begun.wait()\n"
        "    before = sys.getprofile()\n"
        "    pid = os.fork()\n"
        "    if not pid: child()\n"
        "    codes.append((before is not None, os.waitpid(pid, 0)[1] >> 8))\n"
        "codes, begun = [], threading.Event()\n"
        "forks = threading.Thread(target=fork)\n"
        "forks.start()\n"
        "measured.begin()\n"
        "begun.set()\n"
        "forks.join()\n"
        "measured.end()\n"
        "measured.settle()\n"
        "said(codes=codes)\n"
    )
    assert told(tmp_path, pythons()[-1], code)["codes"] == [[True, 3]]


class Row(NamedTuple):
    """As of `_lsprof`."""

    code: Any
    callcount: int
    totaltime: float
    inlinetime: float
    calls: tuple[Row, ...] | None = None


def gained(pages: int, faults: int) -> float:
    return float((pages << profiled.FAULT_BITS) + faults)


def test_what_a_library_gains_is_its_callers() -> None:
    """`etl` and `serve` call `map_all`, which calls `parse` of the program's and `scan`."""
    stats = [
        Row("etl", 1, gained(30, 30), gained(-3, 1), (Row("map_all", 2, gained(33, 29), 0.0),)),
        Row("serve", 1, gained(11, 12), gained(1, 2), (Row("map_all", 1, gained(10, 10), 0.0),)),
        Row(
            "map_all",
            3,
            gained(43, 39),
            gained(3, 3),
            (Row("parse", 9, gained(20, 16), 0.0), Row("scan", 9, gained(20, 20), 0.0)),
        ),
        Row("parse", 9, gained(20, 16), gained(20, 16)),
        Row("scan", 9, gained(20, 20), gained(20, 20)),
    ]
    found = profiled.own_gains(stats, lambda code: code in ("etl", "serve", "parse"))
    assert found["parse"] == (9, 20, 16)
    pages = sum(row[1] for row in found.values())
    faults = sum(row[2] for row in found.values())
    assert (pages, faults) == (-3 + 1 + 3 + 20 + 20, 1 + 2 + 3 + 16 + 20)
    # By the faults below: 29 and 10 of 39.
    assert found["etl"] == (1, -3 + 18, 1 + 18)
    assert found["serve"] == (1, 1 + 5, 2 + 5)


def test_a_library_that_calls_nothing_of_the_programs_is_exactly_its_callers() -> None:
    stats = [
        Row("keep", 1, gained(9, 9), gained(0, 0), (Row("loads", 1, gained(9, 9), 0.0),)),
        Row("check", 1, gained(-2, 7), gained(0, 0), (Row("loads", 1, gained(-2, 7), 0.0),)),
        Row("loads", 2, gained(7, 16), gained(1, 1), (Row("scan", 2, gained(6, 15), 0.0),)),
        Row("scan", 2, gained(6, 15), gained(6, 15)),
    ]
    found = profiled.own_gains(stats, lambda code: code in ("keep", "check"))
    assert found == {"keep": (1, 9, 9), "check": (1, -2, 7)}
