"""A scenario in an interpreter of another environment sees what is installed there, and no more."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from perftui.probes.own import python as own_python
from perftui.probes.own.python import module_for_others

if TYPE_CHECKING:
    from pathlib import Path

TELLS = """
import importlib.util, json, sys

def tell():
    import perftui
    with perftui.phase("tell"):
        print(json.dumps({
            "path": sys.path,
            "home": perftui.__file__,
            "found": [n for n in ("psutil", "perftui.tui") if importlib.util.find_spec(n)],
        }))
"""


def test_packages_of_ours_are_not_found_there(tmp_path: Path) -> None:
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"])
    python = tmp_path / "bare" / "bin" / "python"
    script = tmp_path / "told.py"
    script.write_text(TELLS)
    argv = module_for_others(str(python), "perftui.scenarios.run.child", f"{script}:tell")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    home = own_python.__file__.partition("/perftui/probes/")[0]
    assert home not in told["path"]
    assert told["path"][0] == str(tmp_path)
    assert str(tmp_path / "bare") in told["path"][-1]
    assert told["home"].startswith(home)
    assert told["found"] == ["perftui.tui"]
