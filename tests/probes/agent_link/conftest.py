"""Real interpreters, as for the agent itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.pythons import on_every_python

if TYPE_CHECKING:
    import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_every_python(metafunc)
