"""The host's side of a scenario: find it, check what was asked, and say how to start it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from perftui.probes.machine.releases import has_release, no_release
from perftui.probes.own.path import find_theirs
from perftui.probes.own.python import module_for_others
from perftui.probes.text.redact import title_of
from perftui.scenarios.catalogue.table import CATALOGUE, INSTEAD, PIP_NAMES, SERVER_PROGRAMS, load
from perftui.scenarios.define.definition import definition_of
from perftui.scenarios.define.parameters import (
    Parameter,
    ScenarioError,
    assignments,
    bind,
    nearest,
    parameters_of,
)
from perftui.scenarios.run.installed import installed_scenarios, read_installed
from perftui.scenarios.run.user_file import read_function, split_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Scenario",
    "ScenarioError",
    "catalogue",
    "install_advice",
    "installable",
    "missing_modules",
    "pip_command",
    "resolve",
]


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
            require(self.reference, self.requires)


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


def missing_modules(modules: Sequence[str], *, own: bool = True) -> tuple[str, ...]:
    """Those that this interpreter cannot import. Nothing is imported to find out.

    A module that only brings a server's program is not missing where the system has the program.

    Args:
        modules: Their names.
        own: For a scenario of ours, which imports from our places alone; else also from where
            only a person's own code is imported from.
    """
    missing = (module for module in modules if find_spec(module) is None)
    return tuple(
        module
        for module in missing
        if (own or not find_theirs(module))
        and not any(shutil.which(program) for program in SERVER_PROGRAMS.get(module, ()))
    )


def installable(modules: Sequence[str]) -> tuple[str, ...]:
    """Those whose package has a release for this Python."""
    return tuple(module for module in modules if has_release(module.replace("_", "-")))


def pip_command(modules: Sequence[str], python: str = sys.executable) -> str:
    """The command that installs the packages of these modules into this interpreter."""
    packages = " ".join(PIP_NAMES.get(module, module) for module in modules)
    if find_spec("pip") is None:
        return f"uv pip install --python {python} {packages}"
    return f"{python} -m pip install {packages}"


def install_advice(modules: Sequence[str]) -> str:
    """What to do about modules that are missing here: never to install what cannot be had."""
    can = installable(modules)
    advice = [f"run {pip_command(can)}"] if can else []
    advice += [
        f"{no_release(module.replace('_', '-'))}: {INSTEAD[module]}"
        for module in modules
        if module not in can
    ]
    return "; ".join(advice)


def require(reference: str, modules: Sequence[str]) -> None:
    """Check that modules can be imported here.

    Raises:
        ScenarioError: With the exact command that installs what is missing.
    """
    missing = missing_modules(modules, own=reference in CATALOGUE)
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ScenarioError(
            f"{reference} needs {' and '.join(missing)}, which {verb} not installed: "
            f"{install_advice(missing)}"
        )
