"""What a matrix measures: one scenario, releases of a package, interpreters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from perftui.scenarios.bench.gate import Gate
from perftui.scenarios.bench.lab_run import LabOptions
from perftui.scenarios.bench.subject import Subject
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.define.requirements import PIP_NAMES
from perftui.scenarios.environments.integrity import normalized
from perftui.scenarios.environments.wanted import WantedEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.scenarios.environments.interpreters import Interpreter
    from perftui.scenarios.environments.kept import Environment
    from perftui.scenarios.run.runner import Scenario

DEFAULT_RUNS = 5
_OURS_THAT_SCENARIOS_USE = ("psutil",)
"""Scenarios of the catalogue that look at other processes import it."""


class Release(NamedTuple):
    """One release on one interpreter."""

    package: str
    version: str
    interpreter: Interpreter
    several_pythons: bool = False

    @property
    def name(self) -> str:
        """What a table calls it: "14.0.2", with the Python where there are several."""
        short = ".".join(self.interpreter.version.split(".")[:2])
        return f"{self.version} py{short}" if self.several_pythons else self.version


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """What to measure, and how often."""

    scenario: Scenario
    values: Mapping[str, object]
    own: bool
    """A scenario of the catalogue: what it requires is installed, too."""
    package: str
    cells: tuple[Release, ...]
    """In the order of the table: neighbours are compared."""
    beside: tuple[str, ...] = ()
    """Further requirements for every environment."""
    runs: int = DEFAULT_RUNS
    calls: int | None = None
    time_limit_s: float | None = None
    options: LabOptions = field(default_factory=LabOptions)
    gate: Gate = field(default_factory=Gate)

    @property
    def title(self) -> str:
        """What is run."""
        return self.scenario.title(self.values)

    def wanted(self, cell: Release) -> WantedEnvironment:
        """Return the environment of a cell."""
        first = f"{cell.package}=={cell.version}"
        named = {normalized(requirement_name(text)) for text in (first, *self.beside)}
        required = self.scenario.requires if self.own else ()
        needed = [PIP_NAMES.get(module, module).strip("'") for module in required]
        needed += _OURS_THAT_SCENARIOS_USE if self.own else ()
        rest = [text for text in needed if normalized(requirement_name(text)) not in named]
        return WantedEnvironment(
            cell.interpreter.path,
            cell.interpreter.version,
            (first, *self.beside, *dict.fromkeys(rest)),
        )

    def subject(self, cell: Release, environment: Environment) -> Subject:
        """Return what is run in the environment of a cell."""
        argv = self.scenario.command(environment.python, self.values)
        return Subject(f"{self.title} · {cell.package} {cell.name}", tuple(argv), kept=True)


def cells_of(
    package: str, by_interpreter: Sequence[tuple[Interpreter, Sequence[str]]]
) -> tuple[Release, ...]:
    """Return the cells: all versions of one interpreter after those of the one before.

    Raises:
        ScenarioError: There is nothing to compare.
    """
    several = len(by_interpreter) > 1
    cells = tuple(
        Release(package, version, interpreter, several)
        for interpreter, versions in by_interpreter
        for version in versions
    )
    if not cells:
        raise ScenarioError("there is no version to measure")
    return cells


def requirement_name(text: str) -> str:
    """Return the distribution that a requirement names: "psycopg" of "psycopg[binary]>=3"."""
    for at, character in enumerate(text):
        if character in "[<>=!~; @(":
            return text[:at]
    return text
