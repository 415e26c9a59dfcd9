from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.bucket import Bucket


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    from support.bucket import Bucket

    bucket = Bucket()
    yield bucket
    bucket.stop()


@pytest.fixture
def bucket(server: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    server.lead_there(monkeypatch)
    server.clear()
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path / "shelf"))
    return server
