from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# The synthetic session and its writer are those of the tests of recordings.

pytest.importorskip("pyarrow")

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.recording.read.reader import RecordingReader


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a recording of 32 s: two threads with stacks, two processes."""
    from support.recordings.made import make

    return make(tmp_path_factory.mktemp("recorded") / "a.perftui", 32)


@pytest.fixture(scope="session")
def reader(recorded: Path) -> RecordingReader:
    from perftui.probes.recording.read.reader import open_recording

    return open_recording(recorded)
