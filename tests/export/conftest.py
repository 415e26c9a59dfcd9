from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The synthetic session and its writer are those of the tests of recordings.
sys.path.insert(0, str(Path(__file__).parents[1] / "recording"))
sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("pyarrow")
