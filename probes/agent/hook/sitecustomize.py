"""Loaded by `site` because the launcher put this folder first on PYTHONPATH.

Undoes that, starts the agent, and hands on to the program's own `sitecustomize` if it has one.
Nothing that goes wrong with the agent may be seen by the program, so failures end here.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _restore(folder: str) -> "str | None":
    """Give the program the environment and path that it was started with; return our order."""
    order = os.environ.pop("PERFTUI_AGENT", None)
    pythonpath = os.environ.pop("PERFTUI_AGENT_PYTHONPATH", None)
    if order is not None:
        if pythonpath is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = pythonpath
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    return order


def _begin() -> None:
    folder = os.path.dirname(__file__)
    order = _restore(folder)
    agent_folder = os.path.dirname(folder)
    bootstrap: "Any" = sys.modules["_frozen_importlib"]
    external: "Any" = sys.modules["_frozen_importlib_external"]

    def spec_of(file: str, name: str) -> "Any":
        return external.spec_from_file_location(name, agent_folder + "/" + file + ".py")

    def load(file: str, name: str) -> "Any":
        return bootstrap._load(spec_of(file, name))

    if order is None:
        # A subinterpreter of a program that is watched: what it says is not heard, but it may.
        load("provider", "_perftui_agent_provider").stand_behind(spec_of)
    else:
        load("start", "_perftui_agent_start").start(order, load, spec_of)


try:
    _begin()
except Exception:  # the program must not notice; `start` has said what it could over the pipe
    for _name in [_name for _name in sys.modules if _name.startswith("_perftui_agent")]:
        del sys.modules[_name]

# From here on it must look as if we had never been: `import sitecustomize` finds the program's
# own, or raises the ModuleNotFoundError named "sitecustomize" that `site` expects.
del sys.modules[__name__]
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402, F401
