from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.recordings.made import make

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf import shelf
from perftui.probes.recording.shelf.pack import pack

DAY_NS = 86_400 * 1_000_000_000


def aged(path: Path, wall_ns: int, file_bytes: int | None = None, state: str = "closed") -> Path:
    """Make a recording that began at a time, and claims a size."""
    make(path, 2)
    meta = json.loads((path / "meta.json").read_text())
    meta["created_wall_ns"] = wall_ns
    meta["state"] = state
    if file_bytes is not None:
        meta["summary"]["file_bytes"] = file_bytes
    (path / "meta.json").write_text(json.dumps(meta))
    return path


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path / "shelf"))
    (tmp_path / "shelf").mkdir()
    return tmp_path / "shelf"


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFTUI_RECORDINGS", "/data/r")
    assert shelf.folder() == Path("/data/r")
    monkeypatch.delenv("PERFTUI_RECORDINGS")
    monkeypatch.setenv("XDG_DATA_HOME", "/data/xdg")
    assert shelf.folder() == Path("/data/xdg/perftui/recordings")
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert shelf.folder() == tmp_path / ".local/share/perftui/recordings"


@pytest.mark.parametrize(
    ("title", "begins"),
    [
        ("load.py --days 3", "load.py---days-3-"),
        ("/usr/bin/python3 -m app", "python3--m-app-"),
        ("../../etc/passwd", "passwd-"),
        ("ünï cödé", "ünï-cödé-"),
        ("\x1b[31m", "31m-"),
        ("...", "recording-"),
    ],
)
def test_names_say_what_and_when(base: Path, title: str, begins: str) -> None:
    path = shelf.new_directory(title, now=1_800_000_000)
    assert path.parent == base
    assert path.name.startswith(begins)
    assert path.name.endswith(".perftui")
    path.mkdir()
    assert shelf.new_directory(title, now=1_800_000_000) == path.with_name(
        path.name.replace(".perftui", "-2.perftui")
    )


def test_a_path_that_is_a_recordings_is_taken_as_it_is(tmp_path: Path) -> None:
    assert shelf.new_directory("t", tmp_path / "x.perftui") == tmp_path / "x.perftui"
    assert shelf.new_directory("t", tmp_path / "runs").parent == tmp_path / "runs"


def test_the_list_is_made_of_meta_alone(base: Path) -> None:
    old, new = aged(base / "old.perftui", 5 * DAY_NS), aged(base / "new.perftui", 9 * DAY_NS)
    for file in [*old.glob("*.parquet"), *new.glob("*.parquet")]:
        file.unlink()
    (base / "broken.perftui").mkdir()
    (base / "broken.perftui" / "meta.json").write_text("{")
    (base / "some folder").mkdir()
    (base / "empty.perftui").mkdir()
    found = {entry.name: entry for entry in shelf.entries()}
    assert list(found)[1:] == ["new", "old"] or list(found)[:2] == ["new", "old"]
    assert set(found) == {"old", "new", "broken"}
    entry = found["new"]
    assert (entry.title, entry.state, entry.duration_s) == ("load.py", "closed", 2.0)
    assert (entry.exit_code, entry.alerts, entry.problem) == (3, 0, None)
    assert entry.peak_rss_bytes is not None
    assert entry.file_bytes > 0
    assert found["broken"].state == "damaged"


def test_a_recording_is_found_by_path_name_beginning_or_as_the_last(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecordingError, match="no recording yet"):
        shelf.resolve("last")
    old, new = aged(base / "load-1.perftui", DAY_NS), aged(base / "other.perftui", 2 * DAY_NS)
    monkeypatch.chdir(base.parent)
    assert shelf.resolve("last") == new
    assert shelf.resolve("load-1") == old
    assert shelf.resolve("load-1.perftui") == old
    assert shelf.resolve("lo") == old
    assert shelf.resolve(str(new)) == new
    assert shelf.resolve("shelf/other.perftui") == Path("shelf/other.perftui")
    packed = pack(open_recording(old), base.parent / "mine.zip").path
    assert shelf.resolve("mine.zip") == Path(packed.name)
    aged(base / "load-2.perftui", DAY_NS)
    with pytest.raises(RecordingError, match="may be any of load-"):
        shelf.resolve("load")
    with pytest.raises(RecordingError, match="there is no recording 'nope'"):
        shelf.resolve("nope")


def test_what_a_recording_is_called_is_found_without_reading_the_whole_shelf(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = aged(base / "load-1.perftui", DAY_NS)
    aged(base / "load-1-again.perftui", DAY_NS)
    elsewhere = aged(base.parent / "load-1-ag.perftui", DAY_NS)
    shadowed = aged(base.parent / "load-1.perftui", DAY_NS)
    last = aged(base / "last.perftui", DAY_NS)

    def read_all(_where: Path | None = None) -> list[shelf.Entry]:
        raise AssertionError("hundreds of recordings may lie there")

    monkeypatch.setattr(shelf, "entries", read_all)
    monkeypatch.chdir(base)
    assert shelf.name_of(kept) == "load-1"
    assert shelf.name_of(elsewhere) == str(elsewhere), "the beginning of another one's name"
    assert shelf.name_of(shadowed) == str(shadowed)
    assert shelf.name_of(last) == "last.perftui", "`last` is the newest one"
    assert shelf.name_of(base.parent / "none.perftui") is None


def test_rename_and_delete(base: Path) -> None:
    path = aged(base / "a.perftui", DAY_NS)
    aged(base / "b.perftui", DAY_NS)
    renamed = shelf.rename(path, "first run".replace(" ", "-"))
    assert renamed == base / "first-run.perftui"
    for name in ("b", "", "../x", "a/b", ".hidden", "with blank"):
        with pytest.raises(RecordingError):
            shelf.rename(renamed, name)
    shelf.delete(renamed)
    assert sorted(path.name for path in base.iterdir()) == ["b.perftui"]


def test_nothing_is_deleted_that_is_no_recording(base: Path) -> None:
    folder = base / "photos.perftui"
    folder.mkdir()
    (folder / "photo.jpg").write_text("x")
    link = base / "link.perftui"
    link.symlink_to(aged(base / "real.perftui", DAY_NS))
    live = make(base / "live.perftui", 2, close=False)
    for path in (folder, link, live, base / "none.perftui", Path("/")):
        with pytest.raises(RecordingError):
            shelf.delete(path)
    assert (folder / "photo.jpg").exists()
    assert (base / "real.perftui" / "meta.json").exists()
    assert live.exists()


def test_the_oldest_go_first_when_the_folder_is_full(base: Path) -> None:
    for day in range(1, 6):
        aged(base / f"day{day}.perftui", day * DAY_NS, 1_000)
    live = make(base / "live.perftui", 2, close=False)
    entry = shelf.look(live)
    assert entry is not None
    size = entry.file_bytes  # of what is there: its own words are of its last sign of life
    deleted = shelf.enforce(max_bytes=3_000 + size)
    assert [entry.name for entry in deleted] == ["day1", "day2"]
    assert deleted[0].file_bytes == 1_000
    assert "held more than" in deleted[0].reason
    assert shelf.enforce(max_bytes=3_000 + size) == []
    deleted = shelf.enforce(None, max_age_s=86_400 * 1.5, now=5.2 * 86_400)
    assert [entry.name for entry in deleted] == ["day3"]
    assert shelf.enforce(max_bytes=0) and live.exists()
    assert [path.name for path in base.iterdir()] == ["live.perftui"]
