"""Who writes a recording holds it: nobody deletes it meanwhile, whoever asks from wherever."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.recordings.made import make
from support.recordings.synthetic import T0, TARGET
from support.waiting import wait_for

from perftui.probes.recording.format import liveness
from perftui.probes.recording.format.claim import CLAIM, Claim, Taken
from perftui.probes.recording.read.container import open_container
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.recording.shelf import shelf
from perftui.probes.recording.shelf.place import RecordingPlace
from perftui.probes.recording.write.writer import Recording
from perftui.probes.spine.calltree import CallTree
from perftui.tui.session.recorded import open_session

if TYPE_CHECKING:
    from pathlib import Path

WATCHED = "import time; time.sleep(600)"


def age(recording: Path, seconds: float) -> None:
    """Let the last sign of life of a recording be that old."""
    then = time.time() - seconds
    for name in (CLAIM, "meta.json"):
        if (recording / name).exists():
            os.utime(recording / name, (then, then))


def change_recorder(recording: Path, **change: object) -> None:
    path = recording / "meta.json"
    meta = json.loads(path.read_text())
    meta["recorder"].update(change)
    path.write_text(json.dumps(meta))


def refuses_to_unshare() -> str:
    """Return why a PID namespace of our own cannot be had, "" if it can."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "there is no unshare(1)"
    tried = subprocess.run(
        ["unshare", "-pf", "--mount-proc", "true"], capture_output=True, text=True, check=False
    )
    return tried.stderr.strip() if tried.returncode else ""


@pytest.mark.live
def test_a_recorder_in_another_pid_namespace_is_alive(tmp_path: Path) -> None:
    reason = refuses_to_unshare()
    if reason:
        pytest.skip(f"no PID namespace of our own: {reason}")
    path = tmp_path / "away.perftui"
    command = [sys.executable, "-m", "perftui", "run", "--headless", "--no-stacks"]
    command += ["--record", str(path), "--", sys.executable, "-c", WATCHED]
    unshare = ["unshare", "-pf", "--kill-child", "--mount-proc"]
    away = subprocess.Popen([*unshare, *command], stderr=subprocess.DEVNULL)
    try:
        wait_for((path / "meta.json").exists)
        wait_for(lambda: any(path.glob("*.arrows")))  # what holds nothing need not go
        age(path, 7 * 86_400)
        entry = shelf.look(path)
        assert entry is not None
        assert (entry.state, open_recording(path).state) == ("recording", "recording")
        assert shelf.enforce(max_bytes=0, max_age_s=0.0, where=tmp_path) == []
        with pytest.raises(shelf.RecordingError, match="still being recorded"):
            shelf.delete(path)
        listed = subprocess.run(
            [sys.executable, "-m", "perftui", "list", "recordings", "--json"],
            env={**os.environ, "PERFTUI_RECORDINGS": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"recording"' in listed.stdout
    finally:
        away.kill()
        away.wait()
    wait_for(lambda: open_recording(path).state == "interrupted")
    age(path, 1.0)
    assert shelf.enforce(max_bytes=0, where=tmp_path) == [], "it was written to just now"
    age(path, liveness.OVER_S + 60)
    assert [gone.name for gone in shelf.enforce(max_bytes=0, where=tmp_path)] == ["away"]


def test_what_is_closed_while_it_is_looked_at_is_not_called_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "now.perftui"
    recording = Recording(path, CallTree(), TARGET, T0)
    reader = open_recording(path)
    before = reader.meta
    assert reader.state == "recording"
    before["recorder"]["pid"] = 1 << 22  # the recorder is a process that ends then
    recording.close()
    # Its words are from before, its lock is gone: it was being written when they were read.
    assert liveness.state_of(path, before) == "recording"
    reader.refresh()
    assert reader.state == "closed"


def test_who_follows_sees_a_recording_closed_wherever_it_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perftui.tui.session.recorded.FOLLOW_EVERY_S", 0.01)
    monkeypatch.setattr("perftui.probes.recording.read.reader._STATE_HOLDS_S", 0.0)
    recording = Recording(tmp_path / "now.perftui", CallTree(), TARGET, T0)
    read_again = RecordingReader.refresh

    def closed_right_after(reader: RecordingReader) -> bool:
        changed = read_again(reader)
        reader.meta["recorder"]["pid"] = 1 << 22  # the recorder is a process that ends then
        recording.close()
        return changed

    monkeypatch.setattr(RecordingReader, "refresh", closed_right_after)
    session = open_session(open_container(tmp_path / "now.perftui"), "follow")
    wait_for(lambda: session.recording_state != "recording")
    assert session.recording_state == "closed"
    session.close()


def test_a_writer_on_another_machine_is_known_by_its_heartbeat(tmp_path: Path) -> None:
    path = make(tmp_path / "far.perftui", 3, close=False)
    change_recorder(path, pid=1 << 22, boot_id="that of another machine")
    assert open_recording(path).state == "recording"
    age(path, liveness.SILENT_S + 60)
    assert open_recording(path).state == "interrupted"
    assert shelf.enforce(max_bytes=0, where=tmp_path) == [], "it may only be away"
    age(path, liveness.OVER_ELSEWHERE_S + 60)
    assert [gone.name for gone in shelf.enforce(max_bytes=0, where=tmp_path)] == ["far"]


def test_a_clock_that_is_wrong_does_not_end_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "far.perftui", 3, close=False)
    change_recorder(path, pid=1 << 22, boot_id="that of another machine")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert open_recording(path).state == "recording"
    assert not any(file.name.startswith(".now-") for file in path.iterdir())


def test_a_recording_from_before_the_lock_is_judged_by_its_process(tmp_path: Path) -> None:
    path = make(tmp_path / "old.perftui", 3, close=False)
    meta = json.loads((path / "meta.json").read_text())
    del meta["recorder"]["locked"]
    (path / "meta.json").write_text(json.dumps(meta))
    (path / CLAIM).unlink()
    assert open_recording(path).state == "recording"
    meta["recorder"]["pid"] = 1 << 22
    (path / "meta.json").write_text(json.dumps(meta))
    assert open_recording(path).state == "interrupted"
    assert shelf.enforce(max_bytes=0, where=tmp_path) == [], "written to just now, by somebody"
    age(path, liveness.OVER_ELSEWHERE_S + 60)
    assert len(shelf.enforce(max_bytes=0, where=tmp_path)) == 1


def test_a_recorder_that_knew_no_start_of_its_own_is_not_alive_for_ever(tmp_path: Path) -> None:
    """Its /proc was closed to it; and there is no process of its number any more."""
    path = make(tmp_path / "x.perftui", 3, close=False)
    change_recorder(path, pid=(1 << 22) + 1, start=None)
    age(path, liveness.SILENT_S + 60)
    assert open_recording(path).state == "interrupted"


def test_a_closed_one_leaves_no_claim_and_may_go_at_once(tmp_path: Path) -> None:
    path = make(tmp_path / "done.perftui", 3)
    assert not (path / CLAIM).exists()
    assert len(shelf.enforce(max_bytes=0, where=tmp_path)) == 1


def test_of_two_on_one_path_the_second_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.perftui"
    first = RecordingPlace("x", path)
    with pytest.raises(Taken, match=f"another session is being recorded at {path}"):
        RecordingPlace("x", path)
    first.give_up()
    assert not path.exists()
    assert RecordingPlace("x", path).problem == ""


def test_a_claim_whose_maker_was_killed_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "x.perftui"
    claim = Claim.take(path)
    claim.let_go()
    with pytest.raises(Taken):
        Claim.take(path)
    age(path, 3600)
    assert Claim.take(path).locked


def test_of_two_in_one_folder_each_has_a_name(tmp_path: Path) -> None:
    places = [RecordingPlace("same", tmp_path) for _ in range(3)]
    assert len({place.directory for place in places}) == 3
    assert not any(place.problem for place in places)


@pytest.mark.live
def test_two_sessions_on_one_record_path(tmp_path: Path) -> None:
    path = tmp_path / "x.perftui"
    command = [sys.executable, "-m", "perftui", "run", "--headless", "--no-stacks"]
    command += ["--record", str(path), "--", sys.executable, "-c"]
    touched = tmp_path / "touched"
    first = subprocess.Popen(
        [*command, f"input(); open({str(touched)!r}, 'w')"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: (path / CLAIM).exists())
    second = subprocess.run(
        [*command, f"open({str(tmp_path / 'second')!r}, 'w')"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    first.communicate("\n", timeout=60)
    assert second.returncode == 2
    assert second.stderr == f"perftui: another session is being recorded at {path}\n"
    assert not (tmp_path / "second").exists(), "what is not recorded as asked is not started"
    assert first.returncode == 0
    assert touched.exists()
    assert open_recording(path).state == "closed"


def test_nobody_else_lists_a_shelf_that_perftui_made(tmp_path: Path) -> None:
    """Names of recordings are command lines."""
    place = RecordingPlace("secret project", tmp_path / "data" / "recordings")
    assert place.directory is not None
    for folder in (place.directory, place.directory.parent):
        assert folder.stat().st_mode & 0o077 == 0, folder
    place.give_up()
