from __future__ import annotations

import json
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.recordings.made import make
from support.recordings.synthetic import T0, S

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf.pack import contents_line, pack
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

END = 1 << 62


def interrupted(path: Path, seconds: int = 10) -> Path:
    recording = make(path, seconds, close=False)
    meta = json.loads((recording / "meta.json").read_text())
    meta["recorder"]["start"] = "0.00"
    (recording / "meta.json").write_text(json.dumps(meta))
    return recording


def test_a_packed_recording_answers_the_same(tmp_path: Path) -> None:
    reader = open_recording(make(tmp_path / "a.perftui", 20))
    packed = pack(reader)
    assert packed.path == tmp_path / "a.perftui.zip"
    assert stat.S_IMODE(packed.path.stat().st_mode) == 0o600
    assert packed.file_bytes == packed.path.stat().st_size
    again = open_recording(packed.path)
    assert (again.state, again.salvage) == ("closed", None)
    assert summarize(again) == summarize(reader)
    assert again.call_tree(T0 + S, T0 + 7 * S) == reader.call_tree(T0 + S, T0 + 7 * S)
    with zipfile.ZipFile(packed.path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert all("/" not in name for name in archive.namelist())


def test_an_interrupted_recording_is_sealed_into_the_zip_only(tmp_path: Path) -> None:
    recording = interrupted(tmp_path / "a.perftui")
    before = sorted(file.name for file in recording.iterdir())
    assert any(name.endswith(".arrows") for name in before)
    reader = open_recording(recording)
    again = open_recording(pack(reader, tmp_path / "out.zip").path)
    assert sorted(file.name for file in recording.iterdir()) == before
    assert again.state == "interrupted"
    assert again.call_tree(0, END) == reader.call_tree(0, END)
    assert again.events(0, END) == reader.events(0, END)
    assert again.status() == reader.status()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.perftui", "out.zip"]


def test_what_cannot_be_packed(tmp_path: Path) -> None:
    live = open_recording(make(tmp_path / "live.perftui", 3, close=False))
    with pytest.raises(RecordingError, match="still being recorded"):
        pack(live)
    reader = open_recording(make(tmp_path / "a.perftui", 3))
    packed = pack(reader)
    with pytest.raises(RecordingError, match="is there already"):
        pack(reader)
    with pytest.raises(RecordingError, match="packed already"):
        pack(open_recording(packed.path))
    with pytest.raises(RecordingError, match="cannot write"):
        pack(reader, tmp_path / "no" / "such" / "folder.zip")


def test_one_line_says_what_will_be_shared(tmp_path: Path) -> None:
    line = contents_line(open_recording(make(tmp_path / "a.perftui", 10)))
    assert line == (
        "10.0 s of 'load.py': its command line (secrets redacted), file and function names, "
        "10 lines of its output, the host's name, no environment"
    )
