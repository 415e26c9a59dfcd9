"""Runs one of our modules as a process: `python [-I] start.py MODULE [WORD]...`.

Started by its path, as `own.python` does, it needs no sys.path to be found; it takes the places
that are not ours out of it before the first import, and becomes the module as `-m` would.
"""

import sys


def _start() -> None:
    bootstrap = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]
    path = __file__.rpartition("/")[0] + "/path.py"
    spec = external.spec_from_file_location("perftui.probes.own.path", path)
    bootstrap._load(spec).take_out()
    import runpy

    module = sys.argv.pop(1)
    runpy._run_module_as_main(module)  # type: ignore[attr-defined]


_start()
