"""What --package, --versions and --python mean."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.interpreters import find_interpreter
from perftui.scenarios.environments.releases import checked_name, in_order, released, versions_of

if TYPE_CHECKING:
    from pathlib import Path

HERE = find_interpreter(None)


def test_versions_stay_in_the_order_in_which_they_are_written(shelf: Path) -> None:
    assert versions_of("widget", "2.0, 1.0", HERE, offline=False) == ["2.0", "1.0"]
    assert versions_of("widget", "2.0rc1", HERE, offline=True) == ["2.0rc1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "--versions takes"),
        (",", "--versions takes"),
        ("last:0", "--versions takes"),
        ("last:", "--versions takes"),
        ("1.0,>=2", "not '>=2'"),
        ("1.0;rm", "not '1.0;rm'"),
        ("1.0,1.0", "names 1.0 twice"),
        ("last:2", "no environment with widget is kept"),
    ],
)
def test_nonsense_is_refused(shelf: Path, asked: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        versions_of("widget", asked, HERE, offline=True)


@pytest.mark.parametrize("name", ["-r", "widget==1", "a/b", "widget[x]", "", "widget "])
def test_a_package_is_a_name(name: str) -> None:
    with pytest.raises(ScenarioError, match="--package takes the name"):
        checked_name(name)


def test_numbers_are_ordered_as_numbers() -> None:
    right = ["9.0rc1", "9.0", "9.0.post1", "9.0.1", "9.1", "10.0"]
    assert sorted(right, key=in_order) == right


def test_an_index_that_cannot_be_asked_is_told(shelf: Path) -> None:
    with pytest.raises(ScenarioError, match="the index does not tell the versions of nosuch"):
        released("nosuch", HERE)


def test_the_interpreter_itself_is_found_not_the_environment() -> None:
    assert HERE.version == ".".join(map(str, sys.version_info[:3]))
    assert find_interpreter(sys.executable) == HERE
    assert find_interpreter(HERE.path) == HERE


@pytest.mark.parametrize("asked", ["3.77", "nosuchpython", "/nowhere/python", "/bin/true"])
def test_what_is_no_python_is_said(asked: str) -> None:
    with pytest.raises(ScenarioError, match="that can be asked for its version"):
        find_interpreter(asked)
