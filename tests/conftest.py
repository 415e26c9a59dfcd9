"""What every test may rely on."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if importlib.util.find_spec("perftui") is None:
    # Not installed: give the three folders their installed name.
    spec = importlib.util.spec_from_file_location(
        "perftui", ROOT / "tui/_root/__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["perftui"] = module
    spec.loader.exec_module(module)
