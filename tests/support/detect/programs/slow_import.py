"""A module that does its work when it is imported."""

import sys
import tempfile
import time
from pathlib import Path

import perftui

with tempfile.TemporaryDirectory() as folder:
    Path(folder, "heavy_inner.py").write_text(
        "import time\nend = time.monotonic() + 0.8\n"
        "while time.monotonic() < end: sum(range(5000))\n"
    )
    Path(folder, "heavy.py").write_text("import heavy_inner, time\ntime.sleep(0.7)\n")
    sys.path.insert(0, folder)
    time.sleep(1)
    perftui.mark("truth: slow_import")
    import heavy  # noqa: F401
time.sleep(float(sys.argv[1]))
