"""Recordings in a bucket: sent, read, in part, without rights, and never with a secret in them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.bucket import KEY, NAME, SECRET
from support.recordings.made import make
from support.waiting import wait_for

from perftui.probes.own.folders import recordings_folder
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.remote import fetch
from perftui.probes.recording.remote import kept as kept_module
from perftui.probes.recording.remote import uploader as uploader_module
from perftui.probes.recording.remote.address import RemoteAddress
from perftui.probes.recording.remote.kept import CopyNote, LocalCopy, kept_of, waiting
from perftui.probes.recording.remote.sending import is_over, plan, send
from perftui.probes.recording.remote.store import RemoteStore
from perftui.probes.recording.remote.upload_apart import UploadProcess
from perftui.probes.recording.remote.uploader import Uploader, prepared
from perftui.probes.recording.shelf.remote_place import NoUpload, RemotePlace
from perftui.probes.recording.shelf.shelf import resolve
from perftui.probes.spine.log import SessionLog
from perftui.probes.summary import summarize
from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from support.bucket import Bucket


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Closed; sealed segments."""
    return make(tmp_path_factory.mktemp("made") / "a.perftui", 12)


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sealed segments and a live one; never closed."""
    path = make(tmp_path_factory.mktemp("made") / "b.perftui", 10, close=False)
    meta = json.loads((path / "meta.json").read_text())
    meta["recorder"]["boot_id"] = "of another machine"
    (path / "meta.json").write_text(json.dumps(meta))
    return path


def sent_in_part(source: Path, address: RemoteAddress) -> tuple[LocalCopy, CopyNote]:
    """Have a recording sent as while it is written."""
    kept = kept_of(address)
    prepared(address, address.name, kept)
    shutil.copytree(source, kept.folder / address.name)
    note = kept.note()
    assert note is not None
    return kept, send(RemoteStore(address), kept.folder / address.name, kept, note, last=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}


def perftui(*words: str) -> int:
    return main(list(words))


@pytest.mark.live
def test_a_recording_is_the_same_there(
    bucket: Bucket, made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert perftui("upload", str(made), f"{bucket.url}/same") == 0
    assert bucket.files("same/a.perftui") == contents(made)
    capfd.readouterr()
    address = f"{bucket.url}/same/a.perftui"
    assert perftui("summary", address, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told == json.loads(json.dumps(summarize(open_recording(made))))
    copy = resolve(address)
    assert copy.is_relative_to(recordings_folder())
    assert contents(copy) == contents(made)
    # Once more: nothing is fetched again, nor sent again.
    before = {path.name: path.stat().st_ino for path in copy.iterdir()}
    assert {path.name: path.stat().st_ino for path in resolve(address).iterdir()} == before
    capfd.readouterr()
    assert perftui("upload", str(made), address) == 0
    assert "1 files" in capfd.readouterr().err
    # Packed, as one file.
    packed = tmp_path / "a.perftui.zip"
    assert perftui("pack", address, "-o", str(packed)) == 0
    assert perftui("upload", str(packed), f"{bucket.url}/same") == 0
    assert perftui("query", f"{bucket.url}/same/a.perftui.zip", "SELECT 41 + 1") == 0
    assert "42" in capfd.readouterr().out
    # By a signed address, of whose signature nothing is kept.
    signed = bucket.client().generate_presigned_url(
        "get_object", {"Bucket": NAME, "Key": "same/a.perftui.zip"}
    )
    assert perftui("summary", signed, "--json") == 0
    assert json.loads(capfd.readouterr().out) == told
    notes = [note.read_text() for note in recordings_folder().glob("remote/*/note.json")]
    assert len(notes) == 3
    assert not any(KEY in note or "ignature" in note for note in notes)


def test_half_of_one_opens_up_to_where_it_is(
    bucket: Bucket,
    broken_off: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = RemoteAddress(f"{bucket.url}/half/b.perftui")
    kept, note = sent_in_part(broken_off, address)
    there = bucket.files("half/b.perftui")
    assert there
    assert not any(name.endswith(".arrows") for name in there)
    assert note.state == "uploading"
    # Here all of it is read, elsewhere what is there.
    assert resolve(address.url) == kept.folder / "b.perftui"
    shutil.rmtree(kept.folder)
    assert perftui("summary", address.url, "--json") == 0
    told = capfd.readouterr()
    assert 4 <= json.loads(told.out)["duration_s"] <= 10
    assert told.err == ""  # heard of just now: it is being recorded
    shutil.rmtree(kept.folder)
    monkeypatch.setattr(fetch, "SILENT_THERE_S", -3600.0)
    assert perftui("summary", address.url, "--json") == 0
    assert "b.perftui: interrupted, reason unknown" in capfd.readouterr().err


@pytest.mark.live
def test_many_of_a_bucket(
    bucket: Bucket, made: Path, broken_off: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, source in (("a-0000000a", made), ("b-0000000b", made), ("c", broken_off)):
        bucket.put(source, f"many/{name}.perftui")
    bucket.client().put_object(Bucket=NAME, Key="many/d.perftui/meta.json", Body=b"{")
    peaks = "SELECT recording, max(rss_bytes) > 0 AS ok FROM metrics GROUP BY ALL ORDER BY 1"
    assert perftui("query", f"{bucket.url}/many/", peaks, "--format", "csv") == 0
    told = capfd.readouterr()
    assert told.out.split() == ["recording,ok", "a-0000000a,True", "b-0000000b,True", "c,True"]
    assert [line for line in told.err.splitlines() if "left out: d.perftui" in line]
    copy = kept_of(RemoteAddress(f"{bucket.url}/many/a-0000000a.perftui")).folder
    tables = {path.name.partition("-")[0] for path in copy.rglob("*.parquet")}
    assert tables == {"metrics"}
    # Another table of the same ones; and what was closed is known by its name given once.
    frames = "SELECT count(DISTINCT recording) AS n FROM top_self"
    assert perftui("query", f"{bucket.url}/many/[ab]*", frames, "--format", "csv") == 0
    assert capfd.readouterr().out.split() == ["n", "2"]
    bucket.deny("s3:GetObject")
    try:
        listing = "SELECT recording, state FROM recordings ORDER BY 1"
        assert perftui("query", f"{bucket.url}/many/*.perftui", listing, "--format", "csv") == 0
    finally:
        bucket.allow()
    told = capfd.readouterr()
    assert told.out.split()[1:] == ["a-0000000a,closed", "b-0000000b,closed"]
    assert "left out: c.perftui" in told.err
    # Opened after that, all of it is there.
    assert perftui("summary", f"{bucket.url}/many/a-0000000a.perftui", "--json") == 0
    assert json.loads(capfd.readouterr().out) == json.loads(
        json.dumps(summarize(open_recording(made)))
    )


@pytest.mark.live
def test_what_was_merged_is_replaced_there(bucket: Bucket, made: Path) -> None:
    address = RemoteAddress(f"{bucket.url}/merged/a.perftui")
    kept, note = sent_in_part(made, address)
    directory = kept.folder / "a.perftui"
    from perftui.probes.recording.write.seal import merge

    merge(directory, 0, 1)
    todo = plan(directory, note.files, last=True)
    assert todo.gone
    note = send(RemoteStore(address), directory, kept, note, last=True)
    assert note.state == "copy"
    assert bucket.files("merged/a.perftui") == contents(directory)


@pytest.mark.live
def test_an_uploader_that_is_killed_loses_nothing(bucket: Bucket, made: Path) -> None:
    address = RemoteAddress(f"{bucket.url}/killed/a.perftui")
    kept = kept_of(address)
    prepared(address, address.name, kept)
    directory = kept.folder / address.name
    shutil.copytree(made, directory)
    process = UploadProcess()

    def kill(name: str, size: int) -> None:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)

    order = {"directory": str(directory), "kept": str(kept.folder), "last": True}
    outcome = process.run("send", address, heard=kill, **order)
    assert "ended" in outcome.problem or outcome.problem == ""
    assert contents(directory) == contents(made)
    if outcome.problem:
        assert [note.name for _, note in waiting()] == ["a.perftui"]
        assert perftui("upload") == 0
    assert bucket.files("killed/a.perftui") == contents(made)
    assert waiting() == []


@pytest.mark.live
def test_without_rights_it_is_said_before_anything_starts(
    bucket: Bucket, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "ran"
    program = ["--", "python3", "-c", f"open({str(mark)!r}, 'w')"]
    bucket.deny()
    try:
        assert perftui("run", "--headless", "--record", f"{bucket.url}/no", *program) == 2
    finally:
        bucket.allow()
    told = capfd.readouterr().err.splitlines()
    assert len(told) == 1
    assert "no rights" in told[0]
    assert not mark.exists()
    assert bucket.files("no") == {}
    with pytest.raises(NoUpload, match="bucket"):
        RemotePlace("x", "s3://there-is-no-such-bucket/x")
    assert waiting() == []


@pytest.mark.live
def test_one_that_is_there_is_not_written_over(bucket: Bucket, made: Path) -> None:
    address = f"{bucket.url}/twice/a.perftui"
    assert perftui("upload", str(made), address) == 0
    with pytest.raises(NoUpload, match="there is a recording already"):
        RemotePlace("x", address)
    place = RemotePlace("x", f"{bucket.url}/twice/b.perftui")
    with pytest.raises(NoUpload, match=r"already|waits"):
        RemotePlace("x", f"{bucket.url}/twice/b.perftui")
    place.give_up()
    assert list(bucket.files("twice/b.perftui")) == []
    assert waiting() == []


def test_bad_addresses_in_one_line(
    bucket: Bucket, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (
        ("summary", f"{bucket.url}/nothing/x.perftui"),
        ("summary", "s3://there-is-no-such-bucket/x.perftui"),
        ("open", f"{bucket.url}/nothing/x.perftui"),
        ("query", "memory://x", "SELECT 1"),
        ("summary", "nosuchprotocol://x/y.perftui"),
        ("run", "--headless", "--record", f"s3://{KEY}:{SECRET}@bucket/x", "--", "true"),
        ("upload", "nothing-of-that-name", f"{bucket.url}/x"),
    ):
        assert perftui(*words) == 2
        told = capfd.readouterr()
        assert len(told.err.splitlines()) == 1, told.err
        assert SECRET not in told.err
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert perftui("summary", f"{bucket.url}/x.perftui") == 2
    assert "perftui[s3]" in capfd.readouterr().err


def test_copies_keep_to_their_limit_and_what_waits_stays(
    bucket: Bucket, made: Path, broken_off: Path
) -> None:
    sent_in_part(broken_off, RemoteAddress(f"{bucket.url}/room/b.perftui"))
    for number in range(3):
        kept = kept_of(RemoteAddress(f"{bucket.url}/room/{number}.perftui"))
        kept.write(CopyNote("s3://x", "a.perftui", "copy", {}))
        shutil.copytree(made, kept.folder / "a.perftui")
        os.utime(kept.folder / "note.json", (number, number))
    in_use = kept_of(RemoteAddress(f"{bucket.url}/room/0.perftui"))
    in_use.use()
    os.utime(in_use.folder / ".used", (0, 0))
    kept_module.make_room(1)
    left = {note.name for _, note in kept_module.all_kept()}
    assert left == {"a.perftui", "b.perftui"}
    assert in_use.note() is not None
    assert len(kept_module.all_kept()) == 2


@pytest.mark.live
def test_no_secret_is_written_anywhere(bucket: Bucket, made: Path) -> None:
    address = RemoteAddress(f"{bucket.url}/clean/a.perftui")
    sent_in_part(made, address)
    assert perftui("upload") == 0
    for path in recordings_folder().rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert SECRET.encode() not in data
            assert KEY.encode() not in data
    for data in bucket.files("clean").values():
        assert SECRET.encode() not in data
        assert KEY.encode() not in data


@pytest.mark.live
def test_a_session_is_there_when_it_is_over(
    bucket: Bucket, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"{bucket.url}/live/run.perftui"
    out = tmp_path / "summary.json"
    words = [sys.executable, "-m", "perftui", "run", "--headless", "--json", str(out)]
    program = "sum(i * i for i in range(9_000_000)); print('done')"
    done = subprocess.run(
        [*words, "--record", address, "--", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
    assert json.loads(bucket.files("live/run.perftui")["meta.json"])["state"] == "closed"
    assert ".writing" not in bucket.files("live/run.perftui")
    assert waiting() == []
    assert perftui("list", "recordings", f"{bucket.url}/live", "--json") == 0
    (told,) = json.loads(capfd.readouterr().out)["recordings"]
    assert (told["name"], told["path"], told["state"]) == ("run", address, "closed")
    shutil.rmtree(recordings_folder())
    assert perftui("summary", address, "--json") == 0
    summary = json.loads(capfd.readouterr().out)
    before = json.loads(out.read_text())
    assert summary["peak_rss_bytes"] == before["peak_rss_bytes"]
    assert summary["target"]["exit_code"] == 0
    assert perftui("query", f"{bucket.url}/live/*", "SELECT count(*) > 0 FROM metrics") == 0
    assert "true" in capfd.readouterr().out


@pytest.mark.live
def test_a_session_that_is_killed_leaves_all_here(
    bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"{bucket.url}/dead/run.perftui"
    words = [sys.executable, "-m", "perftui", "run", "--headless", "--record", address, "--"]
    program = "import time\nwhile True: time.sleep(0.01)"
    session = subprocess.Popen(
        [*words, sys.executable, "-c", program], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        kept = kept_of(RemoteAddress(address))
        directory = kept.folder / "run.perftui"
        wait_for(lambda: (directory / "meta.json").exists(), "it never recorded")
        wait_for(lambda: any(directory.glob("metrics-*")), "it never recorded")
        session.kill()
        session.wait()
        # Its recorder writes what had reached it, and lets go.
        wait_for(lambda: is_over(directory), "its recorder never ended")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(session.pid, signal.SIGKILL)  # the program
        session.wait()
    assert [note.name for _, note in waiting()] == ["run.perftui"]
    capfd.readouterr()
    assert perftui("summary", address) == 0
    assert "not uploaded whole yet" in capfd.readouterr().err
    assert perftui("upload") == 0
    assert bucket.files("dead/run.perftui") == contents(directory)
    assert waiting() == []


@pytest.mark.live
def test_a_bucket_that_goes_away_costs_the_session_nothing(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(uploader_module, "PATIENCE_S", 0.5)
    place = RemotePlace("x", f"{bucket.url}/away/x.perftui")
    assert place.directory is not None
    assert place.claim is not None
    place.claim.end()
    shutil.rmtree(place.directory)
    make(place.directory, 10)
    uploader = Uploader(
        SessionLog(), place.directory, place.address, place.kept, lambda *words: said.append(words)
    )
    before = contents(place.directory)
    bucket.deny()
    try:
        uploader.start()
        wait_for(lambda: said, "nothing was said")
        uploader.stop()
    finally:
        bucket.allow()
    assert not uploader.whole
    assert contents(place.directory) == before
    assert "no rights" in said[0][1]
    assert "`perftui upload` sends it" in said[-1][1]
    assert str(place.directory) in said[-1][1]
    assert perftui("upload") == 0
    assert bucket.files("away/x.perftui") == before
