"""Files for a person: whole or not at all, never through a link that somebody else has laid."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from perftui.probes.own.whole_file import check_writable, is_device, whole_file, write_text
from perftui.tui.watch.json_file import write_json


def left_over(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".part"))


def as_nobody(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run lines that use this module as somebody whom permissions bind."""
    code = "\n".join(
        (
            "import os, sys",
            "from perftui.probes.own.whole_file import check_writable, write_text",
            "if os.geteuid() == 0:",
            "    os.setgroups([])",
            "    os.setgid(65534)",
            "    os.setuid(65534)",
            "words = sys.argv[1:]",
            code,
        )
    )
    argv = [sys.executable, "-I", "-c", code, *words]
    return subprocess.run(argv, capture_output=True, text=True)


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "new", "x")
        write_text(tmp_path / "secret", "x", mode=0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert left_over(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to lay somebody else's link")
def test_a_link_that_somebody_else_has_laid_in_a_shared_folder_is_not_followed(
    tmp_path: Path,
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    for name, owner in (("theirs", 65534), ("ours", 0)):
        (shared / name).symlink_to(victim)
        os.lchown(shared / name, owner, owner)
    (tmp_path / "chain").symlink_to(shared / "theirs")
    for path in (shared / "theirs", tmp_path / "chain"):
        for write in (lambda p: write_text(p, "x"), check_writable):
            with pytest.raises(PermissionError, match="somebody else"):
                write(path)
    assert victim.read_text() == "mine"
    write_text(shared / "ours", "x")  # a person's own link is a person's wish
    assert victim.read_text() == "x"
    shared.chmod(0o755)
    write_text(shared / "theirs", "y")  # nobody but the folder's owner can have let it be there
    assert victim.read_text() == "y"


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text("long " * 100)
    file.chmod(0o604)
    write_text(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o604


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("before")
    with pytest.raises(ValueError, match="half"), whole_file(file) as out:
        out.write(b"hal")
        raise ValueError("half")
    assert file.read_text() == "before"
    assert left_over(tmp_path) == []


def test_the_old_names_beside_are_not_written_through(tmp_path: Path) -> None:
    """Names that could be guessed, laid as links to a file of the person's."""
    treasure = tmp_path / "treasure"
    treasure.write_text("mine")
    out = tmp_path / "out.json"
    for name in (f"out.json.{os.getpid()}.part", "out.json.part", "out.json.tmp"):
        (tmp_path / name).symlink_to(treasure)
    write_json({"a": 1}, str(out))
    assert treasure.read_text() == "mine"
    assert not out.is_symlink() and out.read_text() == '{\n  "a": 1\n}\n'


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before")
    link = tmp_path / "link"
    link.symlink_to("real")
    write_text(link, "after")
    assert link.is_symlink() and (tmp_path / "real").read_text() == "after"
    to_nothing = tmp_path / "to nothing"
    to_nothing.symlink_to("made")
    write_text(to_nothing, "made by it")
    assert to_nothing.is_symlink() and (tmp_path / "made").read_text() == "made by it"


def test_a_link_to_itself_and_a_folder_are_errors_in_words(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for check in (check_writable, lambda path: write_text(path, "x")):
        with pytest.raises(OSError) as raised:
            check(tmp_path / "loop")
        assert raised.value.errno == errno.ELOOP
        with pytest.raises(IsADirectoryError):
            check(tmp_path)
        with pytest.raises(FileNotFoundError):
            check(tmp_path / "no" / "folder")
        with pytest.raises(FileNotFoundError):
            check("")


def test_not_replacing_is_refused_also_when_it_comes_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "out"
    with pytest.raises(FileExistsError), whole_file(file, replace=False) as out:
        out.write(b"ours")
        file.write_text("theirs")
    assert file.read_text() == "theirs"
    (tmp_path / "laid").symlink_to(tmp_path / "of somebody")
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "laid", "ours", replace=False)
    assert not (tmp_path / "of somebody").exists()
    with pytest.raises(FileExistsError):
        write_text(file, "ours", replace=False)
    assert left_over(tmp_path) == []


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert is_device(pipe)
    check_writable(pipe)  # without waiting for a reader
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_json({}, str(pipe))
    reader.join()
    assert got == ["{}\n"] and pipe.is_fifo()


def test_dev_null_and_a_full_device() -> None:
    check_writable("/dev/null")
    write_text("/dev/null", "x")
    assert is_device("/dev/null") and not Path("/dev/null").is_file()
    with pytest.raises(OSError) as raised:
        write_text("/dev/full", "x")
    assert raised.value.errno == errno.ENOSPC


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_standard_output_by_name(tmp_path: Path, name: str, into: str) -> None:
    """Also behind a redirection: what was printed before stays, what comes after comes after."""
    if name == "link":
        (tmp_path / "link").symlink_to("/dev/stdout")
        name = str(tmp_path / "link")
    code = (
        "import sys\nfrom perftui.probes.own.whole_file import write_text, check_writable\n"
        f"check_writable({name!r})\nprint('before')\nwrite_text({name!r}, 'x\\n')\nprint('after')\n"
    )
    argv = [sys.executable, "-I", "-c", code]
    if into == "pipe":
        said = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
    else:
        with (tmp_path / "out").open("wb") as file:
            subprocess.run(argv, stdout=file, check=True)
        said = (tmp_path / "out").read_bytes()
    assert said == b"before\nx\nafter\n"


def test_a_file_that_may_not_be_written_is_not_replaced(reached_by_all: Path) -> None:
    reached_by_all.chmod(0o777)
    file = reached_by_all / "locked"
    file.write_text("locked")
    file.chmod(0o444)
    done = as_nobody("write_text(words[0], 'x')", str(file))
    assert "PermissionError" in done.stderr and file.read_text() == "locked"
    done = as_nobody("check_writable(words[0])", str(file))
    assert "PermissionError" in done.stderr


def test_a_file_in_a_folder_that_takes_no_other_is_written_in_place(reached_by_all: Path) -> None:
    file = reached_by_all / "file"
    file.write_text("before, and longer")
    file.chmod(0o666)
    reached_by_all.chmod(0o555)
    done = as_nobody("check_writable(words[0])\nwrite_text(words[0], 'after')", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_text() == "after"
    done = as_nobody("check_writable(words[0])", str(reached_by_all / "new"))
    assert "PermissionError" in done.stderr
    reached_by_all.chmod(0o755)


def test_names_as_long_as_they_may_be(tmp_path: Path) -> None:
    name = "é" * 127
    write_text(tmp_path / name, "x")
    assert (tmp_path / name).read_text() == "x"


WRITES = re.compile(
    r"\.write_text\(|\.write_bytes\(|open\([^)]*[\"'](?:w|wb|x|xb|a|ab)[\"']|O_CREAT"
)
NO_FILE_OF_A_PERSON = {
    "probes/own/whole_file.py": "the one place",
    "probes/own/standard_streams.py": "a descriptor that was handed to us",
    "probes/agent/injected.py": "in a folder that was made to meet in",
    "probes/agent_link/injection/folder.py": "in a folder that was made to meet in",
    "probes/recording/format/claim.py": "in the folder of a recording",
    "probes/recording/format/meta.py": "in the folder of a recording",
    "probes/recording/remote/kept.py": "a lock in the folder of a recording: nothing is in it",
    "probes/recording/write/seal.py": "in the folder of a recording",
    "probes/remote/mirror.py": "in the folder of a recording",
    "probes/recording/write/live.py": "in the folder of a recording",
    "probes/recording/sql/query.py": "in a temporary folder of its own",
    "probes/export/write.py": "in a zip, or a folder made under a random name",
    "probes/inside/high_water.py": "/proc",
    "scenarios/catalogue/io_wait.py": "data of a scenario, in a scratch folder",
    "scenarios/data/csv_file.py": "data of a scenario, in a scratch folder",
    "scenarios/bench/revision.py": "a lock, in the cache",
    "scenarios/environments/installer.py": "in an environment of ours, in the cache",
    "scenarios/history/kept.py": "appends to what it keeps, under a lock",
    "tui/bench/in_pytest.py": "a lock, in the cache",
    "scenarios/data/locked.py": "locks, in the cache",
    "scenarios/say/figures.py": "appends to a file that another process of ours has made",
    "scenarios/servers/guard.py": "a server's log, in a scratch folder",
}


def test_every_file_for_a_person_is_written_here() -> None:
    tree = Path(__file__).resolve().parents[3]
    files = [
        file for house in ("tui", "probes", "scenarios") for file in (tree / house).rglob("*.py")
    ]
    assert len(files) > 200
    found = {str(file.relative_to(tree)) for file in files if WRITES.search(file.read_text())}
    assert found - set(NO_FILE_OF_A_PERSON) == set()
