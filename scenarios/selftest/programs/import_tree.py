"""A module that takes 100 ms imports one that takes 200; both look at the clock."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import slow_parent  # type: ignore[import-not-found]

print(json.dumps({"parent_s": slow_parent.TOOK_S, "child_s": slow_parent.slow_child.TOOK_S}))
