"""Scripts that an installer wrote are told from scripts of the program's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.profile.folding import fold_sums
from perftui.probes.profile.memory.growth import is_own
from perftui.probes.profile.sums import MergedSums, MergedTree
from perftui.probes.profile.whose import whose
from perftui.probes.spine.calltree import ROOT, CallTree, Frame
from perftui.probes.spine.reader import ThreadTree, Weights

if TYPE_CHECKING:
    from pathlib import Path

PIP = """#!/v/bin/python
# -*- coding: utf-8 -*-
import re
import sys
from gunicorn.app.wsgiapp import run
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(run())
"""
NEW_PIP = PIP.replace("import re\n", "").replace(
    "    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])",
    "    if sys.argv[0].endswith('.exe'):\n        sys.argv[0] = sys.argv[0][:-4]",
)
UV = """#!/v/bin/python
import sys
from _pytest.config import _console_main
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(_console_main())
"""
LONG_PATH = (
    "#!/bin/sh\n'''exec' /very/long/bin/python \"$0\" \"$@\"\n' '''\n" + PIP.split("\n", 1)[1]
)
SETUPTOOLS = """#!/usr/bin/python3
# EASY-INSTALL-ENTRY-SCRIPT: 'gunicorn==20.1.0','console_scripts','gunicorn'
import re
import sys
try:
    from importlib.metadata import distribution
except ImportError:
    from pkg_resources import load_entry_point
def importlib_load_entry_point(spec, group, name): ...
globals().setdefault('load_entry_point', importlib_load_entry_point)
if __name__ == '__main__':
    sys.exit(load_entry_point('gunicorn==20.1.0', 'console_scripts', 'gunicorn')())
"""
OLD_SETUPTOOLS = """#!/usr/bin/python3
__requires__ = 'gunicorn==20.1.0'
import re
import sys
from pkg_resources import load_entry_point

if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
    sys.exit(load_entry_point('gunicorn==20.1.0', 'console_scripts', 'gunicorn')())
"""
CONDA = "#!/opt/conda/bin/python\nimport sys\n\nfrom conda.cli import main\nsys.exit(main())\n"
OF_THE_LIBRARY = "#!/v/bin/python3\nimport pydoc\nif __name__ == '__main__':\n    pydoc.cli()\n"

WORKS = PIP.replace("    sys.exit", "    warm_up(10)\n    sys.exit")
HAS_FUNCTIONS = "import sys\nfrom app import run\ndef main():\n    return run()\nsys.exit(main())\n"
GOES_ON = PIP + "print('done')\n"
EMPTY = "#!/v/bin/python\n"


@pytest.mark.parametrize(
    "text", [PIP, NEW_PIP, UV, LONG_PATH, SETUPTOOLS, OLD_SETUPTOOLS, CONDA, OF_THE_LIBRARY]
)
def test_what_installers_write(tmp_path: Path, text: str) -> None:
    assert kind_of(tmp_path / "bin" / "gunicorn", text) == "entry"
    assert kind_of(tmp_path / "Scripts" / "gunicorn-script.py", text) == "entry"
    # The same elsewhere was written by somebody.
    assert kind_of(tmp_path / "src" / "gunicorn", text) == "py"
    # Functions of such a file are not what starts the package.
    tree = CallTree()
    file = str(tmp_path / "bin" / "gunicorn")
    assert tree_frame(tree, "run", file).kind == "py"


@pytest.mark.parametrize("text", [WORKS, HAS_FUNCTIONS, GOES_ON, EMPTY, PIP + "#" * 9000])
def test_a_script_that_does_something_is_the_programs(tmp_path: Path, text: str) -> None:
    assert kind_of(tmp_path / "bin" / "tool", text) == "py"


def test_what_cannot_be_read_is_the_programs(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "bin" / "gone", None) == "py"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "folder").mkdir()
    assert kind_of(tmp_path / "bin" / "folder", None) == "py"
    assert kind_of(tmp_path / "bin" / "nul\0", None) == "py"


def test_it_folds_with_what_it_starts(tmp_path: Path) -> None:
    file = tmp_path / "bin" / "gunicorn"
    kind_of(file, PIP)
    tree = CallTree()
    site = "/v/lib/python3.12/site-packages/gunicorn/"
    frames = [
        tree.frame_id("<module>", str(file), 8),
        tree.frame_id("run", site + "app/wsgiapp.py", 67),
        tree.frame_id("Worker.run", site + "workers/sync.py", 127),
        tree.frame_id("view", "/srv/shop/views.py", 5),
    ]
    node = tree.intern(frames)
    cells = {node: Weights(1000, 1000, 1, 0)}
    sums = MergedSums(MergedTree(tree), [ThreadTree(1, 1, "MainThread", 1000, 1000, 0, cells, "")])
    assert whose(sums.merged.frame(1)) == "installed"
    assert not is_own(tree.frame(1))
    folded = fold_sums(sums)
    shown = [sums.merged.frame(node).function for node in folded.total if node != ROOT]
    assert shown == ["view"]


def tree_frame(tree: CallTree, function: str, file: str) -> Frame:
    return tree.frame(tree.node_id(ROOT, tree.frame_id(function, file, 1)))


def kind_of(file: Path, text: str | None) -> str:
    """Return what the code of a script is, once it is met running."""
    if text is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tree_frame(CallTree(), "<module>", str(file)).kind
