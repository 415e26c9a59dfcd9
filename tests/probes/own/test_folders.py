"""Where things are kept when there is no home, or none that can be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ASK = """
import json, os, platformdirs, pwd, sys, tempfile  # before nobody may read them
from perftui.probes.own import folders
from perftui.probes.recording.shelf import shelf
if sys.argv[1:]:
    os.setgroups([])
    os.setgid(int(sys.argv[1]))
    os.setuid(int(sys.argv[1]))
data, cache = shelf.folder(), folders.cache_folder()
again = shelf.folder()
mode = data.parents[3].stat().st_mode & 0o777 if folders.fallback_note() else None
print(json.dumps([str(data), str(cache), folders.fallback_note(), mode, again == data]))
"""
NO_SUCH_UID = "54321"
root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def ask(tmp: Path, *uid: str, **env: str) -> tuple[Path, Path, str | None, int | None]:
    done = subprocess.run(
        [sys.executable, "-c", ASK, *uid],
        env={"TMPDIR": str(tmp), "PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    assert found[4], "the same place each time"
    return Path(found[0]), Path(found[1]), found[2], found[3]


@pytest.fixture
def tmp(reached_by_all: Path) -> Path:
    folder = reached_by_all / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def private(tmp: Path, uid: int | None = None) -> Path:
    return tmp / f"perftui-{os.getuid() if uid is None else uid}"


def test_a_home_is_used_as_ever(tmp: Path, tmp_path: Path) -> None:
    data, cache, note, _ = ask(tmp, HOME=str(tmp_path))
    assert data == tmp_path / ".local/share/perftui/recordings"
    assert cache == tmp_path / ".cache/perftui"
    assert note is None
    assert not private(tmp).exists()


@pytest.mark.parametrize("home", ["/nonexistent", "/dev/null"])
def test_a_home_that_is_not_there_is_not_made(tmp: Path, home: str) -> None:
    data, cache, note, mode = ask(tmp, HOME=home)
    assert data == private(tmp) / ".local/share/perftui/recordings"
    assert cache == private(tmp) / ".cache/perftui"
    assert mode == 0o700
    assert note == (
        f"the home folder {home} is not there: recordings and generated data are kept in "
        f"{private(tmp)}"
    )
    assert not Path("/nonexistent").exists()


@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"HOME": "some/where"}])
def test_without_a_usable_home_the_passwd_entry_tells_it(tmp: Path, env: dict[str, str]) -> None:
    import pwd

    data, _, note, _ = ask(tmp, **env)
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert data.is_relative_to(home) or note is not None


@root
@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"HOME": "/root"}])
def test_somebody_without_a_passwd_entry(tmp: Path, env: dict[str, str]) -> None:
    data, cache, note, mode = ask(tmp, NO_SUCH_UID, **env)
    assert data.is_relative_to(private(tmp, int(NO_SUCH_UID)))
    assert cache.is_relative_to(private(tmp, int(NO_SUCH_UID)))
    assert note is not None
    assert mode == 0o700


@pytest.mark.parametrize("trap", ["link", "open to all", "file"])
def test_a_folder_that_somebody_prepared_is_not_used(tmp: Path, tmp_path: Path, trap: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if trap == "link":
        private(tmp).symlink_to(elsewhere)
    elif trap == "file":
        private(tmp).touch(mode=0o600)
    else:
        private(tmp).mkdir()
        private(tmp).chmod(0o777)
    data, _, note, mode = ask(tmp, HOME="/nonexistent")
    assert not data.is_relative_to(private(tmp))
    assert data.is_relative_to(tmp)
    assert mode == 0o700
    assert note is not None
    assert "is not private" in note
    assert not any(elsewhere.iterdir())


@root
def test_a_folder_of_somebody_else_is_not_used(tmp: Path) -> None:
    private(tmp).mkdir(mode=0o700)
    os.chown(private(tmp), int(NO_SUCH_UID), -1)
    data, _, _, _ = ask(tmp, HOME="/nonexistent")
    assert not data.is_relative_to(private(tmp))


def test_a_program_is_run_and_recorded_without_a_home(tmp: Path) -> None:
    env = {"TMPDIR": str(tmp), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    words = [sys.executable, "-m", "perftui"]
    done = subprocess.run(
        [*words, "run", "--headless", "-c", "pass"], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the home folder /nonexistent is not there") == 1
    assert "recorded: perftui open c-pass-" in done.stderr
    seen = subprocess.run(
        [*words, "summary", "~nobody-of-that-name"], env=env, capture_output=True, text=True
    )
    assert (seen.returncode, "there is no recording" in seen.stderr) == (2, True)
    last = subprocess.run([*words, "summary", "last"], env=env, capture_output=True, text=True)
    assert last.stdout.startswith("perftui: exit code 0"), last.stderr
