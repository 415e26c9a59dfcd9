"""Who makes memory grow, asked of real programs through the board."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from support.asked import Asked, until_it_is_asked
from support.pythons import interpreters

from perftui.probes.agent.growth import board
from perftui.probes.profile.memory.blame_words import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@cache
def qualified(python: str) -> bool:
    """Tell whether a Python's code knows its qualified name."""
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-I", "-c", code]).returncode == 0


LEAK = """
import sys, threading
CACHE = {}
class Row:
    def __init__(self, n):
        self.n = n
        self.data = bytearray(b"x") * 50_000
def enrich(n):
    CACHE[n] = Row(n)
def churn():
    return len(bytearray(b"x") * 3_000_000)
def work():
    n = 0
    while not over.wait(0.002):
        n += 1
        enrich(n)
        churn()
over = threading.Event()
worker = threading.Thread(target=work)
worker.start()
print("ready", flush=True)
sys.stdin.read()
over.set()
worker.join()
print("kept", len(CACHE) > 0)
"""


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., Asked]:
    def start(python: str, code: str) -> Asked:
        script = tmp_path / "leak.py"
        script.write_text(code)
        program = Asked([python, str(script)], {"PATH": os.environ["PATH"]})
        assert program.process.stdout is not None
        assert program.process.stdout.readline() == b"ready\n"
        return program

    return start


def ask_until_it_is_met(
    program: Asked, function: str, suspects: tuple[tuple[str, str, int], ...] = ()
) -> None:
    """Ask again where a thread gets so little of a CPU that no burst meets it."""
    for _ in range(10):
        program.lines.clear()
        program.ask(suspects=suspects)
        program.until(program.told())
        if function in {line["function"] for line in program.of("rise")}:
            return


def test_a_leak_has_its_keeper_and_its_function(
    asked: Callable[..., Asked], python: str, tmp_path: Path
) -> None:
    program = asked(python, LEAK)
    script = str(tmp_path / "leak.py")
    made = "Row.__init__" if qualified(python) else "__init__"
    suspects = ((script, "enrich", 9), (script, "churn", 11), (script, "work", 13))
    ask_until_it_is_met(program, made, suspects)
    code, stdout, stderr = program.end()
    assert (code, stdout, stderr) == (0, b"kept True\n", b"")
    assert not program.of("error")
    keeper = program.of("keeper")[0]
    assert (keeper["what"], keeper["type"], keeper["of"]) == ("__main__.CACHE", "dict", "Row")
    assert 50_000 * keeper["entries"] < keeper["bytes"] < 55_000 * keeper["entries"]
    assert "enrich" in [line.split("\t")[0] for line in keeper["fills"].split("\n")]
    (look,) = [look for look in program.of("growth_look") if look["by"] == "entry and exit"]
    rises = {rise["function"]: rise for rise in program.of("rise")}
    assert sum(rise["rss"] for rise in rises.values()) == look["rose"]
    # `enrich` makes the rows; what it has taken of a hole that `churn` left is churn's rise.
    grown = rises[made]["touched"] + rises["churn"]["touched"]
    assert grown > 0.9 * sum(rise["touched"] for rise in rises.values())
    assert rises["enrich"]["calls"] > 0
    assert rises[made]["calls"] > 0, "nobody suspected it, but `enrich` calls it"


def test_a_forked_child_is_not_measured_and_ends_as_it_would(asked: Callable[..., Asked]) -> None:
    measures_in_child(asked, interpreters(free_threaded=False)[-1].executable)


def test_nor_is_it_profiled(asked: Callable[..., Asked]) -> None:
    before_monitoring = [each for each in interpreters(free_threaded=False) if each.minor < 12]
    if not before_monitoring:
        pytest.skip("no Python before 3.12")
    measures_in_child(asked, before_monitoring[-1].executable)


def measures_in_child(asked: Callable[..., Asked], python: str) -> None:
    code = LEAK.replace(
        'print("ready", flush=True)\n',
        "import os\n"
        "def child():\n"
        "    if sys.getprofile(): os._exit(8)\n"
        "    tools = getattr(sys, 'monitoring', None)\n"
        "    names = [tools.get_tool(n) for n in range(6)] if tools else []\n"
        "    os._exit(7 if 'perftui' in names else 3)\n"
        'print("ready", flush=True)\n'
        "codes = set()\n"
        "for _ in range(30):\n"
        "    over.wait(0.05)\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        child()\n"
        "    codes.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "print(codes)\n",
    )
    program = asked(python, code.replace("import sys", "import warnings, sys"))
    made = "Row.__init__" if qualified(python) else "__init__"
    ask_until_it_is_met(program, made)  # nobody is named: what runs is suspected, and what it calls
    code_, stdout, _ = program.end()
    assert (code_, stdout.split(b"\n")[0]) == (0, b"{3}")
    assert program.of("keeper")[0]["what"] == "__main__.CACHE"
    assert made in {line["function"] for line in program.of("rise")}
    assert {line["pid"] for line in program.of("keeper")} == {program.process.pid}


def test_one_that_ends_meanwhile_still_tells(asked: Callable[..., Asked]) -> None:
    heard = "most = len(CACHE) + 50\nwhile len(CACHE) < most: over.wait(0.01)"
    code = LEAK.replace("sys.stdin.read()", until_it_is_asked("_inquiry") + heard)
    program = asked(sys.executable, code)
    assert program.channel.board is not None
    program.channel.board.ask_for_growth(
        program.process.pid, seconds=10_000, budget_s=20.0, most_objects=10**6, suspects=()
    )
    program.until(program.told())
    assert program.end()[0] == 0


def test_memory_is_given_back_also_by_what_became_of_the_program(
    asked: Callable[..., Asked],
) -> None:
    """A kept process begins anew by exec: it hears what is ordered then, and nothing twice."""
    code = (
        "import os, sys\n"
        "print('ready', flush=True)\n"
        "if sys.stdin.readline() == 'again\\n':\n"
        "    agent = sys.modules['_perftui_agent'].agent\n"
        "    os.execve(sys.executable, sys.orig_argv, agent.environment_for_exec(os.environ))\n"
    )
    program = asked(sys.executable, code)
    board, pid = program.channel.board, program.process.pid
    assert board is not None and program.process.stdin is not None
    board.ask_for_release(pid)
    program.until(lambda: program.of("released"))
    program.process.stdin.write(b"again\n")
    program.process.stdin.flush()
    program.until(lambda: len(program.of("hello")) == 2)
    assert program.process.stdout is not None
    assert program.process.stdout.readline() == b"ready\n"
    board.ask_for_release(pid)
    program.until(lambda: len(program.of("released")) == 2)
    assert all(line["text"].startswith("released ") for line in program.of("released"))
    assert program.end()[0] == 0
    assert len(program.of("released")) == 2


@pytest.mark.parametrize(
    "code",
    [
        "import os, warnings\nwarnings.simplefilter('error')\npid = os.fork()\n"
        "if not pid:\n    os._exit(4)\nprint(os.waitpid(pid, 0)[1])",
        "import atexit, threading\natexit.register(print, threading.active_count())",
        "import os; print('kept', flush=True); os._exit(3)",
        "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'import os, sys; "
        "print(os.environ, sys.path)'], capture_output=True).stdout)",
        "import sys; print(sorted(m for m in sys.modules if not m.startswith('_perftui')))",
        "import os\nfor n in range(3, 300):\n    try: os.close(n)\n    except OSError: pass\n"
        "import subprocess, sys; print(subprocess.run([sys.executable, '-c', '1']).returncode)",
    ],
)
def test_a_program_that_hears_orders_does_what_it_did(tmp_path: Path, code: str) -> None:
    env = {"PATH": os.environ["PATH"]}
    argv = [sys.executable, "-c", code]
    before = subprocess.run(argv, env=env, capture_output=True)
    program = Asked(argv, env)
    assert program.end() == (before.returncode, before.stdout, before.stderr)


def test_in_a_forked_child_we_begin_after_who_follows_the_program_into_it(tmp_path: Path) -> None:
    """memray does by a hook; what a thread of ours allocates before it tears the parent's file."""
    (tmp_path / "memray").mkdir()
    (tmp_path / "memray" / "__init__.py").write_text("")
    (tmp_path / "memray" / "_memray.py").write_text(
        "import os\n"
        "def follow():\n    global met\n    met = len(os.listdir('/proc/self/task'))\n"
        "os.register_at_fork(after_in_child=follow)\n"
    )
    code = (
        "import os, warnings, memray._memray as it\nwarnings.simplefilter('ignore')\n"
        "met = set()\n"
        "for _ in range(3):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n        os._exit(it.met)\n"
        "    met.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "print(met)\n"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    assert Asked([sys.executable, "-c", code], env).end() == (0, b"{1}\n", b"")


def test_what_no_name_leads_to_is_said_and_nobody_is_blamed(asked: Callable[..., Asked]) -> None:
    code = LEAK.replace("import sys, threading", "import gc, sys, threading\ngc.disable()").replace(
        "    CACHE[n] = Row(n)\n", "    row = Row(n)\n    row.itself = row\n"
    )
    # On a full machine it does little in a second, and below 2 MB nobody asks whose it is.
    code = code.replace('b"x") * 50_000', 'b"x") * 500_000').replace("0.002", "0.02")
    program = asked(sys.executable, code.replace("len(CACHE) > 0", "True"))
    program.ask()
    program.until(lambda: [look for look in program.of("growth_look") if look["by"] == "census"])
    assert program.end()[0] == 0
    (look,) = [look for look in program.of("growth_look") if look["by"] == "census"]
    assert look["note"].startswith(UNNAMED)
    assert look["note"].endswith("garbage (its collection is off)")
    assert not program.of("keeper")


def test_no_census_is_taken_where_objects_are_laid_out_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PyPy has no thresholds to hold back, and no referents that would tell who keeps what."""
    assert board.why_not() == ""
    other = SimpleNamespace(implementation=SimpleNamespace(name="pypy"))
    monkeypatch.setattr(board, "sys", other)
    assert board.why_not() == "its Python is not CPython"
