"""Places that other users reach."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def reached_by_all() -> Iterator[Path]:
    """A folder into which everybody may look; those of pytest are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="perftui-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
