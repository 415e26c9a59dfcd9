"""A recording told file by file: what has come is what was written, wherever it is cut."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from perftui.probes.remote import frames
from perftui.probes.remote.mirror import RecordingKeeper, RecordingTeller

if TYPE_CHECKING:
    from pathlib import Path


def told(tmp_path: Path) -> bytes:
    """Return the stream of a folder that grows and in which a file takes the place of another."""
    folder = tmp_path / "told.perftui"
    folder.mkdir()
    out = tmp_path / "stream"
    fd = os.open(out, os.O_WRONLY | os.O_CREAT)
    mirror = RecordingTeller(folder, fd, lambda: None)
    mirror.start({"pid": 1})
    (folder / "meta.json").write_bytes(b"{1}")
    (folder / "stacks-000000.arrows").write_bytes(b"one")
    (folder / "writer.lock").write_bytes(b"none of the recording's")
    mirror._look()
    with (folder / "stacks-000000.arrows").open("ab") as file:
        file.write(b" two")
    mirror._look()
    (folder / "stacks-000000.parquet").write_bytes(b"sealed")
    (folder / "stacks-000000.arrows").unlink()
    (folder / "meta.json").write_bytes(b"{2}")
    mirror.stop()
    os.close(fd)
    return out.read_bytes()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_told_is_kept_and_at_any_cut_it_is_a_beginning_of_it(tmp_path: Path) -> None:
    stream = told(tmp_path)
    whole = RecordingKeeper(tmp_path / "whole.perftui")
    seen = []
    for at in range(0, len(stream), 7):
        whole.feed(stream[at : at + 7])
        seen.append(contents(whole.directory))
    assert whole.done
    assert seen[-1] == {"meta.json": b"{2}", "stacks-000000.parquet": b"sealed"}
    lived = [now["stacks-000000.arrows"] for now in seen if "stacks-000000.arrows" in now]
    assert lived[-1] == b"one two"
    assert all(b"one two".startswith(part) for part in lived)
    with_rows = [now for now in seen if len(now) > 1]
    assert all(any(name.startswith("stacks") for name in now) for now in with_rows)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "../evil-000000.arrows", "at": 0},
        {"name": "/etc/passwd", "at": 0},
        {"name": "stacks-000000.arrows", "at": 5},
        {"name": "stacks-000000.arrows", "at": "0"},
        {"name": "x.py", "at": 0},
        {"at": 0},
    ],
)
def test_a_stream_writes_nothing_but_a_recording(tmp_path: Path, said: dict[str, object]) -> None:
    receiver = RecordingKeeper(tmp_path / "r.perftui")
    with pytest.raises(frames.DamagedFrames):
        receiver._file(json.dumps(said).encode() + b"\nx")
    assert [path.name for path in tmp_path.iterdir()] == ["r.perftui"]


def test_another_version_and_another_language_are_refused(tmp_path: Path) -> None:
    for number, (hello, says) in enumerate(
        [
            ({"protocol": 9, "perftui": "9.9"}, "perftui 9.9, here is"),
            ({"protocol": frames.PROTOCOL, "speaks": "own"}, "record --stdio"),
        ]
    ):
        receiver = RecordingKeeper(tmp_path / f"{number}.perftui")
        with pytest.raises(frames.DamagedFrames, match=says):
            receiver.feed(frames.MAGIC + frames.said(frames.HELLO, hello))
