"""Folders of the cache that are made once, used by several, and removed when nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.scenarios.data.locked import lock_of, remove_unused, use

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_made_once_and_stays_while_it_is_used(tmp_path: Path) -> None:
    folder, made = tmp_path / "folder", []

    def make() -> None:
        folder.mkdir()
        made.append(folder)

    for _ in range(2):
        use(folder, folder.is_dir, make)
    assert made == [folder]
    assert remove_unused(tmp_path, lambda each: [each], lambda _: True) == ("folder",)
    assert folder.is_dir()


def test_what_is_cut_off_while_it_is_made_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "left by a killed process").touch()

    def make() -> None:
        assert not folder.exists()
        folder.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use(folder, lambda: False, make)
    assert not folder.exists()
    assert lock_of(folder).exists(), "with it removed two processes could hold it at once"
