"""A program whose folder has modules by the names of the standard library's: they are its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

OWN = ("json", "typing", "threading", "socket", "atexit_", "struct", "ctypes", "queue", "logging")
PROGRAM = """
import sys
for name in {names}:
    module = __import__(name)
    print(name, module.__file__, module.said)
print(sorted(m for m in sys.modules if not m.startswith("_perftui")))
try:
    import perftui
except ImportError:
    pass
else:
    with perftui.phase("p"), perftui.call("c"):
        perftui.count("n", 3)
    perftui.mark("m")
    assert [batch for batch in perftui.watch([1, 2])] == [1, 2]
print(sys.path, sorted(sys.path_importer_cache))
"""


def write_own(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in OWN:
        (folder / f"{name}.py").write_text(f"said = 'only for the program: {name}'\n")


@pytest.mark.parametrize("where", ["beside", "PYTHONPATH", "both"])
def test_they_are_what_it_imports(same: Run, python: str, tmp_path: Path, where: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(names=OWN))
    lib = tmp_path / "lib"
    env = {"PATH": os.environ["PATH"]}
    if where in ("beside", "both"):
        write_own(tmp_path)
    if where in ("PYTHONPATH", "both"):
        write_own(lib)
        env["PYTHONPATH"] = str(lib)
    recorded = same(python, "program.py", env=env)
    assert b"only for the program: json" in recorded.outcome.stdout
    assert {"json", "threading"} <= {line["module"] for line in recorded.of("import")}
    assert not recorded.of("error")


@pytest.mark.parametrize("name", ["os", "sys", "posix", "time", "io", "site"])
def test_broken_ones_by_the_names_of_what_is_always_there(
    same: Run, python: str, tmp_path: Path, name: str
) -> None:
    """Loaded before the folder is looked at: never run, with us or without."""
    (tmp_path / f"{name}.py").write_text("raise SystemExit('run after all')\n")
    (tmp_path / "program.py").write_text(f"import {name}\nprint({name}.__name__)\n")
    assert same(python, "program.py").outcome.stdout == f"{name}\n".encode()
