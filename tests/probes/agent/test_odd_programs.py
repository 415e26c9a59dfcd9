"""Programs that meddle with what the agent stands on: they do what they did, and imports arrive."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.asked import Asked
from support.pythons import ask

from .conftest import plain_environment, run_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

MEDDLES = {
    "wraps __import__": """
import builtins
before = builtins.__import__
def wrapped(name, *args, **more):
    if name == "colorsys": print("asked for", name)
    return before(name, *args, **more)
builtins.__import__ = wrapped
import colorsys
""",
    "replaces _find_and_load": """
import importlib._bootstrap as bootstrap
before = bootstrap._find_and_load
bootstrap._find_and_load = lambda name, import_: (print("loads", name), before(name, import_))[1]
import colorsys
""",
    "takes modules out and imports them again": """
import sys, importlib.util, threading, subprocess
for name in ("importlib.util", "importlib", "threading", "subprocess", "_posixsubprocess"):
    sys.modules.pop(name, None)
import importlib.util, threading, subprocess, colorsys
print(subprocess.run([sys.executable, "-c", "print(5)"], stdout=-1).stdout)
importlib.reload(importlib); importlib.invalidate_caches()
""",
    "has a None and an object in sys.modules": """
import sys
sys.modules["wave"] = None
sys.modules["perftui.nothing"] = 5
try: import wave
except ImportError as error: print(type(error).__name__, error)
import colorsys
""",
    "imports in an audit hook": """
import sys
def hook(event, args):
    if event == "import" and args[0] == "colorsys":
        import wave
sys.addaudithook(hook)
import colorsys
print("wave" in sys.modules)
""",
    "refuses all that is audited": """
import colorsys, sys
refused = []
def hook(event, args):
    refused.append(event)
    if event != "builtins.id": raise RuntimeError(event)
print("begins", flush=True)
sys.addaudithook(hook)
for n in range(200_000): [n]
""",
    "forbids coroutines to be made": """
import sys
sys.set_coroutine_origin_tracking_depth(3)
def late(): import colorsys
late()
async def f(): pass
made = f()
print(sys.get_coroutine_origin_tracking_depth(), [line for _, line, _ in made.cr_origin])
made.close()
""",
    "counts what is collected": """
import colorsys, gc
print(gc.get_threshold(), gc.isenabled(), gc.freeze(), gc.get_freeze_count() > 0)
gc.disable(); gc.unfreeze(); gc.collect()
print(gc.collect(), gc.garbage, gc.is_finalized(5))
gc.set_debug(0); gc.enable()
""",
}


@pytest.mark.parametrize("name", MEDDLES)
def test_it_does_what_it_did(watched: Run, python: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "program.py").write_text(MEDDLES[name])
    before = run_plain([python, "program.py"], plain_environment(), tmp_path)
    recorded = watched(python, "program.py", hears_orders=True)
    assert recorded.outcome == before
    assert "colorsys" in {line["module"] for line in recorded.of("import")}
    if name == "refuses all that is audited":
        assert [line["k"] for line in recorded.lines][-1] == "bye", "and it is told what failed"
    else:
        assert not recorded.of("error")


INTERPRETERS = """
import sys, threading
if sys.version_info >= (3, 14):
    import concurrent.interpreters as interpreters
    run = interpreters.create().exec
elif sys.version_info >= (3, 13):
    import _interpreters
    run = lambda code: _interpreters.exec(_interpreters.create(), code)
else:
    import _xxsubinterpreters
    run = lambda code: _xxsubinterpreters.run_string(_xxsubinterpreters.create(), code)
run("import sys\\ndef inside(): sys.stdin.read()\\nprint('ready', flush=True)\\ninside()")
print("end")
"""


def test_frames_of_other_interpreters_are_not_made(python: str, tmp_path: Path) -> None:
    """Who makes memory grow is asked while the program is in another interpreter: that frees its
    frames with an allocator that is not ours. Python 3.12 and 3.13 aborted."""
    (tmp_path / "program.py").write_text(INTERPRETERS)
    program = Asked([python, str(tmp_path / "program.py")], plain_environment())
    assert program.process.stdout is not None
    assert program.process.stdout.readline() == b"ready\n"
    program.ask()
    program.until(lambda: program.of("growth_look"))
    own_allocators = ask(python).minor >= 12
    assert bool(program.of("notice")) is own_allocators
    assert all("other interpreters" in line["text"] for line in program.of("notice"))
    assert program.end()[:2] == (0, b"end\n"), "3.14 warns of an interpreter that is left"


def test_a_program_in_a_zip_without_frozen_modules_and_with_a_seed(
    watched: Run, python: str, tmp_path: Path
) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "__main__.py").write_text("import part\npart.late()\nprint(hash('x'))\n")
    (folder / "part.py").write_text("def late():\n    import colorsys, perftui\n    return 1\n")
    subprocess.run([sys.executable, "-m", "zipapp", str(folder)], check=True)
    argv = [python, "-X", "frozen_modules=off", "app.pyz"]
    recorded = watched(*argv, env=plain_environment(PYTHONHASHSEED="7"), hears_orders=True)
    assert recorded.outcome.exit_code == 0, recorded.outcome.stderr
    code = "print(hash('x'))"
    same_seed = run_plain([python, "-c", code], plain_environment(PYTHONHASHSEED="7"), tmp_path)
    assert recorded.outcome.stdout == same_seed.stdout
    [late] = [line for line in recorded.of("import") if line["module"] == "colorsys"]
    assert (late["function"], late["line"]) == ("late", 2)
    assert late["file"].endswith("app.pyz/part.py")


@pytest.mark.skipif(shutil.which("pypy3") is None, reason="no PyPy here")
def test_pypy_is_seen_from_inside(watched: Run) -> None:
    """It has no callbacks around its collections, and the rest of the agent is there."""
    code = "import colorsys, time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    recorded = watched("pypy3", "-c", code, hears_orders=True, sampler_hz=100)
    assert recorded.outcome.exit_code == 0, recorded.outcome.stderr
    assert not recorded.of("error")
    assert "colorsys" in {line["module"] for line in recorded.of("import")}
    assert recorded.of("stack")
