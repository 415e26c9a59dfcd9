"""Imports that are put off appear when they really load; those that cannot be seen are said."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.pythons import ask, interpreters

from .conftest import plain_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]


def lazy_python() -> str:
    for each in interpreters():
        if each.minor >= 15:
            return each.executable
    pytest.skip("no Python with lazy imports (3.15) here")


EXPLICIT = """
lazy import decimal
lazy from json import dumps, JSONEncoder
lazy from xml.etree import ElementTree
lazy import unused_and_missing
lazy import missing_and_used
import threading, time, perftui
perftui.mark("top")
def convert():
    with perftui.phase("convert"):
        with perftui.call("parse"): return decimal.Decimal("1.5")
convert(); perftui.mark("again"); convert()
thread = threading.Thread(target=lambda: dumps({})); thread.start(); thread.join()
ElementTree.Element("a")
try: missing_and_used
except ImportError: print("missing")
"""


def test_explicit_lazy_imports(watched: Run, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(EXPLICIT)
    recorded = watched(lazy_python(), "program.py")
    assert recorded.outcome == (0, b"missing\n", b"")
    assert not recorded.of("error")
    begun = {line["module"]: line for line in recorded.of("import")}
    ended = {line["id"]: line for line in recorded.of("import_end")}
    ok = {name: ended[line["id"]]["ok"] for name, line in begun.items()}
    wanted = ("decimal", "json", "xml.etree.ElementTree", "missing_and_used")
    assert [ok[name] for name in wanted] == [True, True, True, False]
    assert "unused_and_missing" not in begun
    assert not {"json.dumps", "json.JSONEncoder"} & set(begun), "names are no modules"
    [phase, _], [phase_end, _] = recorded.of("phase"), recorded.of("phase_end")
    assert phase["t"] < begun["decimal"]["t"] < phase_end["t"]
    assert recorded.of("call")[0]["dur_ns"] >= ended[begun["decimal"]["id"]]["total_ns"]
    assert begun["decimal"]["tid"] == phase["tid"] != begun["json"]["tid"]
    assert place(begun["decimal"]) == ("convert", "program.py", 11, True)
    assert place(begun["json"]) == ("<lambda>", "program.py", 13, True)
    assert place(begun["threading"]) == ("<module>", "program.py", 7, False)


def place(line: dict[str, Any]) -> tuple[str, str, int, bool]:
    """Where an import was caused, and whether it was put off before."""
    name = line["file"].rpartition("/")[2]
    return line["function"], name, line["line"], line["lazy"]


@pytest.mark.parametrize("how", ["normal", "all"])
def test_modules_are_those_of_importtime(watched: Run, tmp_path: Path, how: str) -> None:
    python = lazy_python()
    (tmp_path / "program.py").write_text(
        "import decimal, xml.dom.minidom as dom, email.message, json.decoder, asyncio\n"
        "print(decimal.Decimal(1), dom.Node, json.decoder.JSONDecoder, asyncio.sleep)\n"
        "try:\n    import no_such_module\nexcept ImportError: pass\n"
    )
    command = [python, "-X", f"lazy_imports={how}"]
    recorded = watched(*command, "program.py")
    assert recorded.outcome.exit_code == 0
    told = subprocess.run(
        [*command, "-X", "importtime", "program.py"],
        cwd=tmp_path,
        env=plain_environment(),
        capture_output=True,
        text=True,
    )
    pattern = r"(?m)^import time:\s+\d+ \|\s+\d+ \| +(\S+)"
    theirs = re.findall(pattern, told.stderr)
    theirs = set(theirs[theirs.index("site") + 1 :])
    ours = {line["module"] for line in recorded.of("import")}
    assert "decimal" in ours
    assert ("email.message" in ours) is (how != "all"), "it is not used"
    assert ours == theirs - {"sitecustomize", "usercustomize"}


LAZY_LOADER = """
import importlib.util, sys, threading, perftui
def lazy(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
slow, unused, broken, plain = map(lazy, ("slow", "unused", "broken", "plain"))
def handle(): print(slow.value)
with perftui.phase("use"):
    handle()
print(slow.value)
try: broken.value
except ZeroDivisionError: print("broken")
try: plain.nothing
except AttributeError: print("nothing")
"""


def test_modules_behind_a_lazy_loader(same: Run, python: str, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time, below, slow; time.sleep(0.05); value = 7\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    for name in ("below", "unused", "plain"):
        (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "program.py").write_text(LAZY_LOADER)
    recorded = same(python, "program.py", env=plain_environment(PYTHONPATH=inert(tmp_path)))
    assert not recorded.of("error")
    begun = {line["module"]: line for line in recorded.of("import")}
    ended = {line["id"]: line for line in recorded.of("import_end")}
    assert "unused" not in begun
    slow = begun["slow"]
    assert begun["below"]["parent"] == slow["id"] and slow["parent"] is None
    assert ended[slow["id"]]["total_ns"] > 50_000_000
    [phase], [phase_end] = recorded.of("phase"), recorded.of("phase_end")
    assert phase["t"] < slow["t"] < phase_end["t"]
    names = ("slow", "broken", "plain")
    assert [ended[begun[name]["id"]]["ok"] for name in names] == [True, False, True]
    assert sum(line["module"] == "slow" for line in recorded.of("import")) == 1
    assert place(slow) == ("handle", "program.py", 11, True)
    assert place(begun["broken"]) == ("<module>", "program.py", 15, True)
    assert begun["below"]["file"] is None, "its parent says it"


def inert(folder: Path) -> str:
    """A folder with our `perftui` for the run without the agent."""
    from perftui.probes.agent import api

    lib = folder / "lib"
    lib.mkdir()
    (lib / "perftui.py").symlink_to(str(api.__file__))
    return str(lib)


def test_packages_that_import_in_getattr(watched: Run, python: str, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import importlib\n"
        "def __getattr__(name):\n    return importlib.import_module('package.' + name)\n"
    )
    (package / "part.py").write_text("x = 3\n")
    code = (
        "import package, perftui\ndef use():\n    return package.part.x\n"
        "with perftui.phase('use'): print(use())"
    )
    recorded = watched(python, "-c", code)
    assert recorded.outcome == (0, b"3\n", b"")
    [part] = [line for line in recorded.of("import") if line["module"] == "package.part"]
    assert recorded.of("phase")[0]["t"] < part["t"] < recorded.of("phase_end")[0]["t"]
    assert place(part) == ("use", "<string>", 3, False), "who asked, not who imports for others"


AUDITED = """
import sys
heard = []
def hook(event, args):
    if event.startswith(("sys._get", "object.__getattr__", "open", "os.")): heard.append(event)
sys.addaudithook(hook)
def late(): import colorsys
late()
print(heard.count("open") > 0, [event for event in heard if event != "open"])
def refuse(event, args):
    if event.startswith("sys._get") or event == "object.__getattr__": raise RuntimeError("no")
sys.addaudithook(refuse)
def later(): import stat, wave
later()
"""


def test_a_program_that_hears_or_forbids_what_is_asked_of_the_interpreter(
    same: Run, python: str, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(AUDITED)
    recorded = same(python, "program.py")
    assert not recorded.of("error")
    [late] = [line for line in recorded.of("import") if line["module"] == "colorsys"]
    assert place(late) == ("late", "program.py", 7, False)
    [wave] = [line for line in recorded.of("import") if line["module"] == "wave"]
    assert place(wave)[:2] == ("later", "program.py")


UNKNOWN = """
import sys
bootstrap = sys.modules["_frozen_importlib"]
def _find_and_load(name, import_, **options):
    found = sys.modules.get(name)
    return found if found else bootstrap._find_and_load_unlocked(name, import_, **options)
bootstrap._find_and_load = _find_and_load
"""
USES = UNKNOWN.replace(
    "    found =", "    bootstrap._ModuleLockManager, bootstrap._get_module_lock\n    found ="
)


@pytest.mark.parametrize("kind", ["unknown", "used and not seen"])
def test_imports_that_cannot_be_hooked(
    watched: Run, python: str, tmp_path: Path, kind: str
) -> None:
    """A later Python, or one that somebody changed before us: it is said, and all else works."""
    asked = "import sys, sysconfig; print(sys._base_executable)"
    base = subprocess.run([python, "-c", asked], capture_output=True, text=True).stdout.strip()
    told = ask(python)
    assert told is not None
    site = tmp_path / "user" / "lib" / f"python3.{told.minor}" / "site-packages"
    site.mkdir(parents=True)
    (site / "changes_importlib.py").write_text(UNKNOWN if kind == "unknown" else USES)
    (site / "changes.pth").write_text("import changes_importlib\n")
    env = plain_environment(PYTHONUSERBASE=str(tmp_path / "user"))
    code = "import perftui, wave\nwith perftui.phase('p'): perftui.count('n')\nprint('here')"
    recorded = watched(base, "-c", code, env=env)
    assert recorded.outcome == (0, b"here\n", b"")
    [notice] = recorded.of("notice")
    assert notice["text"].startswith("imports cannot be timed on this Python: ")
    assert not recorded.of("import") and not recorded.of("error")
    assert [line["name"] for line in recorded.of("phase")] == ["p"]


def test_perftui_of_the_program_goes_first(watched: Run, tmp_path: Path) -> None:
    (tmp_path / "perftui.py").write_text("mine = 5\n")
    recorded = watched(sys.executable, "-c", "import perftui; print(perftui.mine)")
    assert recorded.outcome == (0, b"5\n", b"")
