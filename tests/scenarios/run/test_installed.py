"""Scenarios of installed packages, found by their entry points."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.run.runner import catalogue, is_scenario, resolve

if TYPE_CHECKING:
    from pathlib import Path

MODULE = '''
import sys
from perftui.scenarios.define.definition import scenario

print("imported", file=sys.stderr)


@scenario(
    "ship-orders",
    summary="ship some orders",
    shows="nothing much",
    requires=("json",),
)
def ship(orders: int = 3) -> None:
    """Ship."""
    print(f"{orders} shipped")
'''
ENTRY_POINTS = """[perftui.scenarios]
ship-orders = shipping.flow.steps:ship
broken = shipping.not_there:ship
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "shipping" / "flow"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("raise SystemExit('the host imported me')\n")
    (package / "steps.py").write_text(MODULE)
    info = tmp_path / "shipping-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shipping\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("site")
def test_it_is_found_and_read_without_being_imported() -> None:
    scenario = resolve("ship-orders")
    assert scenario.summary == "ship some orders"
    assert scenario.shows == "nothing much"
    assert scenario.requires == ("json",)
    assert scenario.title(scenario.bind(["orders=5"])) == "ship-orders orders=5"
    assert is_scenario("ship-orders")
    assert not is_scenario("ship-order")
    assert "shipping" not in sys.modules


@pytest.mark.usefixtures("site")
def test_a_broken_one_does_not_hide_the_others() -> None:
    by_name = {scenario.reference: scenario for scenario in catalogue()}
    assert "cold-start" in by_name
    assert "ship-orders" in by_name
    summary = by_name["broken"].summary
    assert summary == "cannot be used: scenario broken: there is no source file of " + (
        "shipping.not_there"
    )
    with pytest.raises(ScenarioError, match="did you mean ship-orders"):
        resolve("ship-order")


def test_the_child_imports_and_runs_it(site: Path) -> None:
    for folder in (site / "shipping" / "flow", site / "shipping"):
        (folder / "__init__.py").write_text("")
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "perftui.scenarios.run.child", "ship-orders", "orders=7"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert (done.returncode, done.stdout) == (0, "7 shipped\n"), done.stderr
    assert done.stderr == "imported\n"
