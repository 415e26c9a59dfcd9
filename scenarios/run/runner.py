"""The host's side of a scenario: find it, check what was asked, and say how to start it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perftui.probes.own.python import module_for_others
from perftui.probes.text.redact import title_of
from perftui.scenarios.catalogue.table import CATALOGUE, load
from perftui.scenarios.define.definition import definition_of
from perftui.scenarios.define.parameters import (
    Parameter,
    ScenarioError,
    assignments,
    bind,
    nearest,
    parameters_of,
)
from perftui.scenarios.define.requirements import require
from perftui.scenarios.run.installed import installed_scenarios, read_installed
from perftui.scenarios.run.user_file import read_function, split_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Scenario", "ScenarioError", "catalogue", "resolve"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that can be run, as the host knows it."""

    reference: str
    """As a person writes it: "duckdb-query", or "load.py:nightly"."""
    summary: str
    shows: str
    requires: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    uses: tuple[str, ...] = ()
    """Modules that only some values of the parameters need."""

    def bind(self, texts: Iterable[str] = ()) -> dict[str, object]:
        """Read `NAME=VALUE` texts; defaults are filled in.

        Raises:
            ScenarioError: An unknown name or a bad value.
        """
        return bind(self.parameters, texts)

    def assignments(self, values: Mapping[str, object]) -> list[str]:
        """Write these values as NAME=VALUE texts."""
        return assignments(self.parameters, values)

    def command(self, python: str, values: Mapping[str, object]) -> list[str]:
        """The argv of the child that runs the scenario with these values."""
        texts = assignments(self.parameters, values)
        return module_for_others(python, "perftui.scenarios.run.child", self.reference, *texts)

    def title(self, values: Mapping[str, object]) -> str:
        """What the header says: name and parameters."""
        return title_of([self.reference, *assignments(self.parameters, values)])

    def check_requirements(self, python: str = sys.executable) -> None:
        """Say what is missing before anything is started.

        Only this interpreter can be asked cheaply; another one is checked by its own child.

        Raises:
            ScenarioError: With the exact command that installs what is missing.
        """
        if python == sys.executable:
            require(self.reference, self.requires, own=self.reference in CATALOGUE)


def resolve(reference: str) -> Scenario:
    """Find a scenario of the catalogue, or a function in a file.

    Raises:
        ScenarioError: There is none; the sentence names the nearest.
    """
    in_file = split_reference(reference)
    if in_file is not None:
        definition, parameters = read_function(*in_file)
        return Scenario(
            reference,
            definition.summary,
            definition.shows,
            definition.requires,
            parameters,
            definition.uses,
        )
    if reference not in CATALOGUE:
        return _resolve_installed(reference)
    function = load(reference)
    definition = definition_of(function)
    return Scenario(
        definition.name,
        definition.summary,
        definition.shows,
        definition.requires,
        parameters_of(function),
        definition.uses,
    )


def _resolve_installed(name: str) -> Scenario:
    installed = installed_scenarios()
    if name not in installed:
        raise ScenarioError(
            f"there is no scenario {name!r}{nearest(name, [*CATALOGUE, *installed])}; "
            "`perftui list` shows all, FILE.py:FUNCTION runs your own"
        )
    definition, parameters = read_installed(installed[name])
    return Scenario(
        name,
        definition.summary,
        definition.shows,
        definition.requires,
        parameters,
        definition.uses,
    )


def is_scenario(name: str) -> bool:
    """Whether the catalogue or an installed package has a scenario of this name."""
    return name in CATALOGUE or name in installed_scenarios()


def catalogue() -> tuple[Scenario, ...]:
    """Every scenario of the catalogue, in its order, then those of installed packages."""
    found = [resolve(name) for name in CATALOGUE]
    for name in installed_scenarios():
        if name in CATALOGUE:
            continue
        try:
            found.append(_resolve_installed(name))
        except ScenarioError as error:
            # One broken package must not hide the others.
            found.append(Scenario(name, f"cannot be used: {error}", "", (), ()))
    return tuple(found)
