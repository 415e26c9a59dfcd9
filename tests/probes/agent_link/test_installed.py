"""From what a program imported to names and versions of distributions."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from perftui.probes.agent_link.installed import InstalledNames, distributions_of
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.spine.records import Installed
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path


def install(site: Path, name: str, version: str, **files: str) -> None:
    """Make the metadata folder of a distribution."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file.replace("__", ".")).write_text(text)


def test_names_are_found_by_folder_by_list_and_by_record(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install(site, "big_Data", "1.0")
    install(site, "PyYAML", "6.0.2", top_level__txt="_yaml\nyaml\n")
    install(site, "other_dist", "3", RECORD="sixish.py,,\nother_dist-3.dist-info/RECORD,,\n")
    install(site, "never_imported", "9", RECORD="nothing/__init__.py,,\n")
    modules = {"big_data", "yaml", "sixish", "of_nobody"}
    assert distributions_of({str(site): modules}) == [
        ("PyYAML", "6.0.2"),
        ("big-Data", "1.0"),
        ("other-dist", "3"),
    ]


def test_what_is_installed_for_editing_is_found_by_its_source(tmp_path: Path) -> None:
    site, source = tmp_path / "site-packages", tmp_path / "my project" / "src"
    editable = {"url": f"file://{tmp_path}/my%20project", "dir_info": {"editable": True}}
    install(site, "mine", "0.1.dev3", direct_url__json=json.dumps(editable))
    install(site, "odd", "1", direct_url__json="[]")
    assert distributions_of({str(source): {"mymodule"}, str(site): set()}) == [("mine", "0.1.dev3")]


def test_every_distribution_is_told_once(tmp_path: Path) -> None:
    install(tmp_path, "one", "1")
    names = InstalledNames()
    names.take(7, str(tmp_path), ["one"])
    names.take(8, str(tmp_path), ["one"])
    assert names.end(5, 7) == [Installed(5, 7, "one", "1")]
    assert names.end(6, 8) == [] == names.end(6, 9)


def test_a_run_says_what_it_imported(tmp_path: Path) -> None:
    """Of a folder on PYTHONPATH, lazily broken modules and all."""
    site = tmp_path / "site-packages"
    install(site, "thing", "2.5")
    install(site, "unused", "1.1")
    (site / "thing").mkdir()
    (site / "thing" / "__init__.py").write_text("import thing.part")
    (site / "thing" / "part.py").write_text("")
    (tmp_path / "prog.py").write_text(
        f"import sys; sys.path.insert(0, {str(site)!r}); import thing\n"
        "class Odd:\n"
        "    def __getattribute__(self, name): raise SystemExit('asked')\n"
        "sys.modules['odd'] = Odd(); sys.modules['none'] = None\n"
    )
    recording = tmp_path / "run.perftui"
    words = ["-m", "perftui", "run", "--headless", "--no-stacks", "--record", str(recording)]
    done = subprocess.run(
        [sys.executable, *words, "prog.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert "thing 2.5" in done.stderr
    installed = summarize(open_recording(recording))["installed"]
    assert installed["thing"] == "2.5"
    assert "unused" not in installed
