"""A shelf of environments of its own, and packages that are had without an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.wheelhouse import build, environment_variables

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The releases of `widget`."""
    return build(tmp_path_factory.mktemp("wheels"))


@pytest.fixture
def shelf(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of a test."""
    for name, value in environment_variables(wheels).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
