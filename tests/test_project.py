"""What the project says about itself, held against what is there."""

from __future__ import annotations

import argparse
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from perftui.probes.machine.releases import NO_RELEASE_FROM
from perftui.tui.parser import build_parser, module_of

ROOT = Path(__file__).resolve().parent.parent
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PINNED_BY_OTHERS = {"perftui"}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@cache
def tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree")
    return tuple(ROOT / name for name in listed.stdout.decode().split("\0") if name)


def requirements() -> list[str]:
    """Every requirement of the project and of its extras."""
    section = project()["project"]
    extras = section["optional-dependencies"].values()
    return [*section["dependencies"], *(each for extra in extras for each in extra)]


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None, requirement
    return normal(found.group())


def test_every_folder_with_code_is_installed() -> None:
    settings = project()["tool"]["setuptools"]
    roots = {package: ROOT / folder for package, folder in settings["package-dir"].items()}
    found = set()
    for package, root in roots.items():
        inner = {other for other in roots.values() if root in other.parents}
        for path in root.rglob("*.py"):
            if not inner.intersection(path.parents):
                found.add(".".join([package, *path.parent.relative_to(root).parts]))
    assert sorted(settings["packages"]) == sorted(found)


def test_everything_that_is_required_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text().split("\n")
    pinned = {name_of(pin) for pin in pins if pin}
    missing = {name_of(each) for each in requirements()} - pinned - PINNED_BY_OTHERS
    assert missing == set()
    assert all("==" in pin for pin in pins if pin)


def test_what_has_no_release_for_newer_pythons_is_not_required_there() -> None:
    marked = {
        name_of(each): tuple(int(part) for part in found.group(1).split("."))
        for each in requirements()
        if (found := re.search(r"python_version < '([\d.]+)'", each)) is not None
    }
    assert marked == NO_RELEASE_FROM


def test_no_file_names_a_package_registry_or_locks_versions() -> None:
    # In pieces: this file is looked through as well.
    domains = {
        "pypi": "org",
        "pythonhosted": "org",
        "npmjs": "org|com",
        "yarnpkg": "com",
        "crates": "io",
        "anaconda": "org|com",
        "debian": "org",
        "ubuntu": "com",
        "proxy.golang": "org",
    }
    hosts = "|".join(rf"\b{name}\.(?:{ends})\b" for name, ends in domains.items())
    locks = r"(?:.*[.-]lock(?:\.\w+)?|.*\.lockb|npm-shrinkwrap\.json|go\.sum)"
    assert re.search(hosts, "files.python" + "hosted.org")
    assert re.fullmatch(locks, "package-lock.json")
    assert re.fullmatch(locks, "uv.lock")
    faults = []
    for path in tracked():
        if not path.is_file():
            continue
        if re.fullmatch(locks, path.name):
            faults.append(f"{path.relative_to(ROOT)} locks versions")
        text = path.read_bytes().decode(errors="replace")
        faults += [f"{path.relative_to(ROOT)}: {host}" for host in re.findall(hosts, text)]
    assert faults == []


def command_lines() -> list[tuple[str, str]]:
    """Every command of a code block in the documentation: its program and its words."""
    found = []
    for path in TEXTS:
        block = False
        for line in path.read_text().splitlines():
            block = not block if line.startswith("```") else block
            said = line.strip().removeprefix("$ ")
            if (block or line.startswith("    ")) and re.match(r"(perftui|make)( |$)", said):
                found.append((path.name, said))
    return found


@cache
def options_of() -> dict[str, set[str]]:
    """The long options of every command."""
    parser = build_parser()
    chosen = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {
        name: {option for action in each._actions for option in action.option_strings}
        for name, each in chosen.choices.items()
    }


def test_the_commands_of_the_documentation_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    faults = []
    lines = command_lines()
    for where, line in lines:
        # Behind the command stands a comment, an explanation or another command.
        words = re.split(r"\s{2,}|\s[#|>]\s|\s&&\s", line)[0].split()
        if words[0] == "make":
            wrong = [word for word in words[1:2] if word not in targets]
        elif len(words) == 1:
            wrong = []
        elif words[1] not in options_of():
            wrong = words[1:2] if words[1] != "--version" else []
        else:
            splits = words[1] in ("run", "bench", "record")
            own = module_of(words[1]).split_words(words[2:])[0] if splits else words[2:]
            said = [word.strip("[]").partition("=")[0] for word in own]
            options = options_of()[words[1]]
            wrong = [word for word in said if word.startswith("--") and word not in options]
        faults += [f"{where}: {line!r}: there is no {word}" for word in wrong]
    assert faults == []
    assert len(lines) > 50, "the code blocks are no longer found"


def test_the_oldest_python_is_said_in_one_way() -> None:
    oldest = project()["project"]["requires-python"].removeprefix(">=")
    assert f"python3 ≥ {oldest}" in (ROOT / "README.md").read_text()
    assert f"python3 >= {oldest}" in (ROOT / "Makefile").read_text()
    assert project()["tool"]["mypy"]["python_version"] == oldest
    script = (ROOT / ".ci/environment.py").read_text()
    assert f"OLDEST = ({oldest.replace('.', ', ')})" in script


def test_tests_side_by_side_are_in_groups(request: pytest.FixtureRequest) -> None:
    """Those against the clock would run beside each other, and nothing would say so."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("only where `make test` runs them side by side")
    assert request.node.nodeid.endswith("@tests/test_project.py")
