"""A first word that is no command: one line says what to type instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("etl.py", "--rows", "9"), "perftui run etl.py --rows 9"),
        (("nowhere.py",), "perftui run nowhere.py"),
        (("4242",), "perftui attach 4242"),
        (("atach", "1"), "did you mean attach?"),
        (("sh", "-c", "true"), "perftui run -- sh -c true"),
        (("cold-start",), "perftui run cold-start"),
        (("zzz",), "there are run, attach, "),
        (("python", "--password=hunter2secret"), "--password=***"),
    ],
)
def test_what_to_type_instead(
    words: tuple[str, ...],
    instead: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "etl.py").write_text("pass\n")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"perftui: {words[0]} is no command; ")
    assert instead in line
