"""`perftui export` as a person types it, and what it says when it cannot."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.export.parsed import PARSERS

from perftui.probes.export import estimate as estimates
from perftui.probes.export.formats import FORMATS, exporter_of
from perftui.probes.export.material.slice import whole
from perftui.probes.export.tables.table import choices
from perftui.probes.export.write import Order
from perftui.probes.recording.read.reader import open_recording
from perftui.tui.cli import main
from perftui.tui.commands import export
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from perftui.probes.recording.read.reader import RecordingReader

pytest.importorskip("duckdb")
NAMES = [exporter.name for exporter in FORMATS]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    export.add_parser(parser.add_subparsers())
    args = parser.parse_args(["export", *(str(word) for word in words)])
    code: int = args.run(args)
    return code


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(exporter.name, marks=pytest.mark.live if exporter.kind == "tables" else ())
        for exporter in FORMATS
    ],
)
def test_a_format_is_written_where_one_stands(
    recorded: Path, here: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(recorded, "--format", name, "--from", "3", "--to", "4") == 0
    said = capfd.readouterr()
    exporter = exporter_of(name)
    (path,) = here.iterdir()
    assert said.out.startswith(path.name)
    assert f"open it with {exporter.opened_by}" in said.err
    if exporter.kind == "tables":
        assert path.name == f"a-{name}"
        assert {f.name for f in path.iterdir()} == {c.name + exporter.suffix for c in choices()}
    else:
        assert path.name == f"a{exporter.suffix}"


def test_the_list_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    text = capsys.readouterr().out
    for exporter in FORMATS:
        assert exporter.name in text
        assert exporter.good_for in text
        assert exporter.opened_by in text


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("x.pb.gz", "pprof"),
        ("x.speedscope.json", "speedscope"),
        ("x.trace.json", "chrome-trace"),
    ],
)
def test_the_file_name_says_the_format(recorded: Path, here: Path, file: str, name: str) -> None:
    assert run(recorded, "-o", file, "--to", "1") == 0
    assert list(PARSERS[name]((here / file).read_bytes()))


def test_stdout_holds_the_export_and_nothing_else(recorded: Path) -> None:
    command = [sys.executable, "-m", "perftui", "export", recorded, "-o", "-", "--to", "2"]
    told = subprocess.run([*command, "--format", "pprof"], capture_output=True, check=True)
    assert list(PARSERS["pprof"](told.stdout))
    assert told.stderr == b""


@pytest.mark.live
def test_many_tables_are_a_zip_on_stdout(recorded: Path) -> None:
    command = [sys.executable, "-m", "perftui", "export", recorded, "-o", "-", "--to", "2"]
    told = subprocess.run([*command, "--format", "csv"], capture_output=True, check=True)
    zipped = recorded.parent / "told.zip"
    zipped.write_bytes(told.stdout)
    with zipfile.ZipFile(zipped) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(choices())


def refused(*words: str | Path) -> str:
    """Return the one line that says why not."""
    with pytest.raises(UserError) as error:
        run(*words)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_cannot_be_is_said_in_one_line(recorded: Path, here: Path) -> None:
    listed = ", ".join(NAMES)
    assert f"there are {listed}" in refused(recorded, "--format", "nope")
    assert f"--format is missing: {listed}" in refused(recorded)
    assert "needs a RECORDING" in refused()
    part = ("--from", "9", "--to", "9")
    assert "nothing lies from 9 s to 9 s" in refused(recorded, "--format", "pprof", *part)
    assert "there is no table 'x'" in refused(recorded, "--format", "csv", "--table", "x")
    table = ("--format", "pprof", "--table", "metrics")
    assert "--table is for csv, json, parquet and arrow" in refused(recorded, *table)
    assert "cannot write no/such/x: No such file" in refused(
        recorded, "--format", "pprof", "-o", "no/such/x"
    )
    (here / "folder").mkdir()
    assert "is there already" in refused(recorded, "--format", "pprof", "-o", "folder")
    assert "folder is a folder" in refused(recorded, "--format", "pprof", "-o", "folder", "--force")
    assert sorted(item.name for item in here.iterdir()) == ["folder"]


@pytest.mark.parametrize("name", ["speedscope", "pprof", "collapsed"])
def test_a_part_without_stacks_is_said(recorded: Path, here: Path, name: str) -> None:
    message = refused(recorded, "--format", name, "--process", "4001")
    assert message.startswith("there are no stacks of what was chosen")
    assert not list(here.iterdir())


def test_a_process_without_stacks_has_tracks_in_firefox(recorded: Path, here: Path) -> None:
    assert run(recorded, "--format", "firefox", "--process", "4001") == 0
    profile = json.loads((here / "a.firefox.json").read_text())
    (thread,) = profile["threads"]
    assert (thread["processName"], thread["name"]) == ("python 4001", "(no stacks)")
    assert {counter["name"] for counter in profile["counters"]} == {"RSS", "processCPU"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_said(recorded: Path, here: Path) -> None:
    here.chmod(0o500)
    assert "Permission denied" in refused(recorded, "--format", "pprof")


def test_nothing_is_replaced_without_a_word(recorded: Path, here: Path) -> None:
    words = (recorded, "--format", "collapsed", "-o", "x.txt")
    (here / "x.txt").write_text("mine")
    assert refused(*words) == "x.txt is there already: --force replaces it"
    assert (here / "x.txt").read_text() == "mine"
    assert run(*words, "--force") == 0
    assert (here / "x.txt").read_text() != "mine"


@pytest.mark.live
@pytest.mark.parametrize(("answer", "replaced"), [(b"y\n", True), (b"\n", False)])
def test_on_a_terminal_it_asks(recorded: Path, here: Path, answer: bytes, replaced: bool) -> None:
    (here / "x.txt").write_text("mine")
    command = [sys.executable, "-m", "perftui", "export", recorded, "--format", "collapsed"]
    ours, theirs = os.openpty()
    try:
        child = subprocess.Popen(
            [*command, "-o", "x.txt"], stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs
        )
        told = b""
        while b"replace it? [y/N] " not in told:
            told += os.read(ours, 1024)
        os.write(ours, answer)
        assert child.wait(timeout=60) == (0 if replaced else 2)
    finally:
        os.close(theirs)
        os.close(ours)
    assert ((here / "x.txt").read_text() != "mine") is replaced


def test_nothing_takes_the_place_of_what_is_no_file(recorded: Path, here: Path) -> None:
    """As root, /dev/null would be a plain file now."""
    (here / "null").symlink_to("/dev/null")
    for name in ("pprof", "parquet"):
        assert run(recorded, "--format", name, "-o", "null", "--to", "1", "--force") == 0
    assert (here / "null").is_symlink()
    assert (here / "null").is_char_device()
    (here / "file").write_text("mine")
    (here / "link").symlink_to("file")
    assert run(recorded, "--format", "pprof", "-o", "link", "--to", "1", "--force") == 0
    assert (here / "link").is_symlink()
    assert (here / "file").read_bytes().startswith(b"\x1f\x8b")


@pytest.mark.live
def test_a_folder_with_other_files_is_not_replaced_by_force(recorded: Path, here: Path) -> None:
    words = (recorded, "--format", "parquet", "-o", "out", "--to", "1")
    assert run(*words) == 0
    assert run(*words, "--force") == 0
    (here / "out" / "notes.txt").write_text("mine")
    assert "out holds other files" in refused(*words, "--force")
    assert (here / "out" / "notes.txt").read_text() == "mine"


def test_a_full_disk_leaves_what_was_there(
    recorded: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    from perftui.probes.export.stacks import collapsed

    (here / "x.txt").write_text("mine")
    monkeypatch.setattr(collapsed, "write", full)
    words = (recorded, "--format", "collapsed", "-o", "x.txt", "--force")
    assert refused(*words) == "cannot write x.txt: No space left on device"
    assert (here / "x.txt").read_text() == "mine"
    assert [item.name for item in here.iterdir()] == ["x.txt"]


def test_a_huge_export_says_its_size_first(
    recorded: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "_TRIED_ROWS", 100)
    monkeypatch.setattr(estimates, "HUGE_BYTES", 10_000)
    words = (recorded, "--format", "firefox")
    message = refused(*words)
    assert message.startswith("that would be about ")
    assert message.endswith("choose less with --from and --to, or say --force")
    assert not list(here.iterdir())
    assert run(*words, "--force") == 0
    # Sums stay small however long the range is.
    assert run(recorded, "--format", "pprof") == 0


@pytest.mark.parametrize("name", ["firefox", "speedscope", "chrome-trace", "json", "csv"])
def test_the_estimate_is_about_right(
    reader: RecordingReader, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.probes.export.write import write_file

    monkeypatch.setattr(estimates, "_TRIED_ROWS", 100)
    order = Order(exporter_of(name), whole(reader), "stacks" if name == "json" else None)
    told = estimates.estimate(reader, order)
    assert told is not None
    out = reader.path.parent / f"estimate-{name}"
    written = write_file(reader, order, out, force=True)
    assert 0.6 < told / written.file_bytes < 1.6


@pytest.mark.live
def test_a_packed_and_an_unfinished_recording_are_exported_alike(
    recorded: Path, here: Path
) -> None:
    from perftui.probes.recording.shelf.pack import pack

    packed = pack(open_recording(recorded), here / "b.perftui.zip").path
    unfinished = here / "c.perftui"
    shutil.copytree(recorded, unfinished)
    meta = json.loads((unfinished / "meta.json").read_text())
    (unfinished / "meta.json").write_text(json.dumps({**meta, "state": "recording"}))
    sizes = set()
    for source in (recorded, packed, unfinished):
        out = here / f"{source.name}.txt"
        assert run(source, "--format", "collapsed", "-o", out) == 0
        sizes.add(out.read_bytes())
    assert len(sizes) == 1


def test_help_costs_no_heavy_import() -> None:
    code = (
        "import sys\nfrom perftui.tui.cli import main\n"
        "try: main(['export', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'pyarrow', 'duckdb', 'textual', 'psutil', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_command_is_part_of_the_line(
    recorded: Path, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(recorded), "--format", "nope"]) == 2
    assert capfd.readouterr().err.startswith("perftui: there is no format 'nope'; there are ")
    words = ["--format", "csv", "--table", "metrics", "--from", "-1"]
    assert main(["export", str(recorded), *words]) == 0
    assert Path("a-metrics.csv").is_file()
