"""Environments are made once, checked before they are used again, and left usable or gone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments import kept
from perftui.scenarios.environments.installer import Installer, Running, find_installer
from perftui.scenarios.environments.interpreters import find_interpreter
from perftui.scenarios.environments.kept import environment, kept_environments, prune
from perftui.scenarios.environments.wanted import WantedEnvironment

if TYPE_CHECKING:
    from pathlib import Path

WIDGET = find_interpreter(None)
PIP = Installer("pip", None)


def wanted(*packages: str) -> WantedEnvironment:
    return WantedEnvironment(WIDGET.path, WIDGET.version, packages)


def made(*packages: str, installer: Installer | None = None) -> kept.Environment:
    return environment(wanted(*packages), installer or find_installer(), Running())


def imported_version(python: str) -> str:
    code = "import widget; print(widget.VERSION)"
    return subprocess.check_output([python, "-c", code], text=True).strip()


@pytest.mark.parametrize("name", ["uv", "pip"])
def test_it_is_made_and_then_kept(shelf: Path, name: str) -> None:
    if name == "uv" and shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    installer = find_installer(name)
    first = made("widget==1.1", installer=installer)
    assert not first.kept
    assert first.installer == name
    assert first.venv_s is not None
    assert first.install_s is not None
    assert first.versions == {"widget": "1.1"}
    assert imported_version(first.python) == "1.1"
    assert first.folder.is_relative_to(shelf)
    again = made("widget==1.1", installer=installer)
    assert again.kept
    assert (again.venv_s, again.install_s, again.made_anew) == (None, None, None)
    assert again.folder == first.folder


def test_what_was_imported_is_compiled(shelf: Path) -> None:
    folder = made("widget==1.0").folder
    assert list(folder.rglob("widget/__pycache__/*.pyc"))


def test_damage_is_found_and_mended(shelf: Path) -> None:
    first = made("widget==1.0")
    (source,) = first.folder.rglob("widget/__init__.py")
    source.unlink()
    second = made("widget==1.0")
    assert second.made_anew == "widget/__init__.py is missing"
    (source,) = second.folder.rglob("widget/__init__.py")
    text = source.read_text() + "# by hand\n"
    source.unlink()  # it may be the very file of the installer's cache
    source.write_text(text)
    third = made("widget==1.0")
    assert third.made_anew is not None
    assert third.made_anew.startswith("widget/__init__.py has ")
    (info,) = third.folder.rglob("widget-1.0.dist-info")
    info.rename(info.with_name("widget-1.1.dist-info"))
    fourth = made("widget==1.0")
    assert fourth.made_anew == "something else is installed in it now: widget"
    (fourth.folder / "perftui.json").write_text("{")
    assert made("widget==1.0").made_anew == "it was not finished"
    assert imported_version(first.python) == "1.0"


def test_one_that_is_damaged_as_soon_as_it_is_made_is_not_made_for_ever(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "damage", lambda site_packages: "widget/__init__.py is missing")
    with pytest.raises(ScenarioError, match="not whole right after it was made"):
        made("widget==1.0")


def test_a_version_that_does_not_exist_is_told_in_the_installers_words(shelf: Path) -> None:
    with pytest.raises(ScenarioError, match=r"cannot install widget==9\.9: .*9\.9"):
        made("widget==9.9")
    assert not [entry for entry in (shelf / "environments").iterdir() if entry.is_dir()]
    assert kept_environments() == []


def test_interrupted_it_leaves_nothing_half_done(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    marker = tmp_path / "installing"
    (slow / "uv").write_text(
        f"#!{sys.executable}\nimport pathlib, subprocess, sys, time\n"
        "if sys.argv[1] == 'venv':\n"
        "    sys.exit(subprocess.call([sys.executable, '-m', 'venv', '--without-pip', "
        "sys.argv[-1]]))\n"
        f"pathlib.Path({str(marker)!r}).touch()\ntime.sleep(600)\n"
    )
    (slow / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(slow), prepend=":")
    running = Running()
    said: list[str] = []

    def make() -> None:
        try:
            environment(wanted("widget==1.0"), find_installer("uv"), running)
        except ScenarioError as error:
            said.append(str(error))

    thread = threading.Thread(target=make)
    thread.start()
    wait_for(marker.exists)
    running.end()
    thread.join(60)
    assert said == ["cannot install widget==1.0: interrupted"]
    assert not [entry for entry in (shelf / "environments").iterdir() if entry.is_dir()]
    with pytest.raises(ScenarioError, match="interrupted"):
        environment(wanted("widget==1.0"), PIP, running)


def test_a_disk_that_is_full_is_said(shelf: Path, tmp_path: Path) -> None:
    full = tmp_path / "uv"
    full.write_text(
        "#!/bin/sh\necho one; echo 'error: No space left on device (os error 28)'\nexit 2\n"
    )
    full.chmod(0o755)
    with pytest.raises(ScenarioError, match="the disk is full"):
        environment(wanted("widget==1.0"), Installer("uv", str(full)), Running())


def test_pruning_spares_what_is_in_use(shelf: Path) -> None:
    used = made("widget==1.0")
    removed, in_use = prune()
    assert in_use == (used.folder.name,)
    assert removed == 0
    kept._held.pop(used.folder).close()
    assert [each.packages for each in kept_environments()] == [("widget==1.0",)]
    assert prune(unused_for_s=3600) == (0, ())
    removed, in_use = prune()
    assert in_use == ()
    assert removed > 0
    assert kept_environments() == []
    assert not used.folder.exists()


def test_what_differs_has_another_folder() -> None:
    keys = {
        wanted("widget==1.0").key(),
        wanted("widget==1.1").key(),
        wanted("widget==1.0", "gadget").key(),
        wanted("widget==1.0")._replace(version="3.99.0").key(),
        wanted("widget==1.0")._replace(python="/elsewhere/python").key(),
        wanted().key(),
        wanted("/a/folder/../with=odd;names").key(),
    }
    assert len(keys) == 7
    assert all("/" not in key and not key.startswith((".", "-")) for key in keys)
