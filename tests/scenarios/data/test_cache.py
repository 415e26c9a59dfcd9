from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.scenarios.data import cache
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GENERATE = """
import sys, time
from pathlib import Path
from perftui.scenarios.data.cache import dataset

def generate(folder):
    (folder / "a").write_bytes(b"x" * 1000)
    Path(sys.argv[1]).write_text("generating")
    time.sleep(float(sys.argv[2]))
    (folder / "b").write_bytes(b"y" * 1000)

folder = dataset("d", 2000, generate)
print(sorted(file.name for file in folder.iterdir()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def release_locks() -> None:
    """Each test begins as a new process does: reading no dataset."""
    for lock in cache._held:
        lock.close()
    cache._held.clear()


def write(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "file").write_text(text) and None


def start(tmp_path: Path, name: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", GENERATE, str(tmp_path / name), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_dataset_is_generated_once(folder: Path) -> None:
    assert (cache.dataset("d", 10, write("first")) / "file").read_text() == "first"
    assert (cache.dataset("d", 10, write("second")) / "file").read_text() == "first"
    assert cache.cache_use() == (folder, 5, ("d",))


def test_a_killed_generation_leaves_nothing_valid(folder: Path, tmp_path: Path) -> None:
    child = start(tmp_path, "flag", 60)
    wait_for((tmp_path / "flag").exists)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not (folder / "data" / "d").exists()
    assert cache.cache_use().datasets == ()
    assert (cache.dataset("d", 10, write("whole")) / "file").read_text() == "whole"
    assert sorted(entry.name for entry in (folder / "data").iterdir()) == ["d", "d.lock"]


def test_a_failed_generation_leaves_nothing(folder: Path) -> None:
    def fail(partial: Path) -> None:
        (partial / "file").write_text("half")
        raise RuntimeError("no more data")

    with pytest.raises(RuntimeError):
        cache.dataset("d", 10, fail)
    assert [entry.name for entry in (folder / "data").iterdir()] == ["d.lock"]


def test_two_processes_generate_once(folder: Path, tmp_path: Path) -> None:
    first = start(tmp_path, "one", 0.5)
    wait_for((tmp_path / "one").exists)
    second = start(tmp_path, "two", 0)
    for child in (first, second):
        assert child.communicate("")[0] == "['a', 'b']\n"
    assert not (tmp_path / "two").exists()


def test_a_disk_that_is_too_small_is_one_clear_line(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="the data need 1000 PB") as error:
        cache.dataset("d", 10**18, write("never"))
    assert "PERFTUI_CACHE" in str(error.value)
    assert not (folder / "data" / "d").exists()


def test_a_cache_that_cannot_be_made_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ScenarioError, match="cannot make the cache folder"):
        cache.dataset("d", 1, write("never"))
    assert cache.cache_use().bytes == 0


def test_clearing_keeps_what_a_running_scenario_reads(folder: Path, tmp_path: Path) -> None:
    cache.dataset("idle", 10, write("abc"))
    release_all = cache._held.pop()
    release_all.close()
    child = start(tmp_path, "flag", 0)
    assert child.stdout is not None
    assert child.stdout.readline() == "['a', 'b']\n"
    assert cache.clear_cache() == (3, ("d",))
    assert cache.cache_use().datasets == ("d",)
    child.communicate("")
    assert cache.clear_cache() == (2000, ())
    assert cache.cache_use().bytes == 0


def test_scratch_folders_go_with_the_block_and_the_dead(folder: Path) -> None:
    with cache.scratch("x") as own:
        (own / "file").write_text("abc")
        assert own.parent == folder / "scratch"
    assert not own.exists()

    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_die_in_scratch)
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert len(list((folder / "scratch").iterdir())) == 2, "folder and lock"
    with cache.scratch("x") as own:
        assert [entry for entry in (folder / "scratch").iterdir() if entry.is_dir()] == [own]
        with cache.scratch("x") as second:
            assert own.exists()
            assert second.exists()
    assert list((folder / "scratch").iterdir()) == []


def _die_in_scratch() -> None:
    with cache.scratch("dead"):
        os.kill(os.getpid(), signal.SIGKILL)
