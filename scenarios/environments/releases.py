"""Which versions of a package there are: "1.2.0,1.3.1" as written, "last:3" as the index tells.

The index is asked by pip, which knows how it is reached from here. Only final releases count:
whoever wants a pre-release names it.
"""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from typing import TYPE_CHECKING

from perftui.probes.own.python import module_elsewhere, own_module
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.integrity import normalized
from perftui.scenarios.environments.kept import kept_environments

if TYPE_CHECKING:
    from perftui.scenarios.environments.interpreters import Interpreter

_LAST = re.compile(r"last:([1-9]\d*)")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]*")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_FINAL = re.compile(r"\d+(\.\d+)*(\.post\d+)?")
_AVAILABLE = re.compile(r"^Available versions: (.+)$", re.MULTILINE)
_LIMIT_S = 60.0


def checked_name(package: str) -> str:
    """Return a distribution's name.

    Raises:
        ScenarioError: It is none: an option, a path, or with extras or a version.
    """
    if _NAME.fullmatch(package) is None:
        raise ScenarioError(
            f"--package takes the name of a distribution, as pip installs it, not {package!r}"
        )
    return package


def versions_of(package: str, asked: str, interpreter: Interpreter, *, offline: bool) -> list[str]:
    """Return the versions that are meant, in the order as written, or oldest first for last:N.

    Args:
        package: The distribution.
        asked: "13.0.0,14.0.2" or "last:3".
        interpreter: Only releases for this Python are meant.
        offline: Do not ask the index: "last" are those of the kept environments.

    Raises:
        ScenarioError: Nothing or nonsense was written, one twice, or the index does not tell.
    """
    last = _LAST.fullmatch(asked.strip())
    if last is None:
        versions = [word.strip() for word in asked.split(",") if word.strip()]
        wrong = next((word for word in versions if _VERSION.fullmatch(word) is None), None)
        if wrong is not None or not versions or asked.startswith("last"):
            raise ScenarioError(f"--versions takes V1,V2,... or last:N, not {wrong or asked!r}")
        twice = next((word for word in versions if versions.count(word) > 1), None)
        if twice is not None:
            raise ScenarioError(f"--versions names {twice} twice")
        return versions
    n = int(last[1])
    if offline:
        known = kept_versions(package, interpreter)
        if not known:
            raise ScenarioError(
                f"no environment with {package} is kept for Python {interpreter.version}: without "
                "--offline the index is asked"
            )
        return known[-n:]
    return released(package, interpreter)[-n:]


def released(package: str, interpreter: Interpreter) -> list[str]:
    """Return the final releases of a distribution for a Python, oldest first.

    Raises:
        ScenarioError: The index cannot be asked or has none.
    """
    short = ".".join(interpreter.version.split(".")[:2])
    asked = ["index", "versions", "--disable-pip-version-check", "--python-version", short]
    asked += ["--only-binary", ":all:", package]
    ours = find_spec("pip") is not None
    argv = own_module("pip", *asked) if ours else module_elsewhere(interpreter.path, "pip", *asked)
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise ScenarioError(f"the versions of {package} cannot be asked for: {error}") from None
    found = _AVAILABLE.search(said.stdout)
    if found is None:
        lines = [line for line in said.stderr.splitlines() if line.startswith("ERROR")]
        told = lines[-1].removeprefix("ERROR: ") if lines else "pip tells nothing"
        raise ScenarioError(
            f"the index does not tell the versions of {package} ({told}): name them, or say "
            "--offline for those that are kept"
        )
    newest_first = [word.strip() for word in found[1].split(",")]
    finals = [word for word in newest_first if _FINAL.fullmatch(word)]
    return finals[::-1] or newest_first[::-1]


def kept_versions(package: str, interpreter: Interpreter) -> list[str]:
    """Return those asked for in the kept environments of this Python, oldest first."""
    found = set()
    for kept in kept_environments():
        if kept.version != interpreter.version or not kept.packages:
            continue
        name, _, version = kept.packages[0].partition("==")
        if version and normalized(name) == normalized(package):
            found.add(version)
    return sorted(found, key=in_order)


def in_order(version: str) -> tuple[tuple[int, int | str], ...]:
    """Return a key that sorts versions: by number, a pre-release before, a post-release after."""
    key: list[tuple[int, int | str]] = []
    for part in re.findall(r"\d+|[A-Za-z]+", version):
        if part.isdigit():
            key.append((3, int(part)))
        else:
            key.append((2 if part.lower() == "post" else 0, part))
    return (*key, (1, 0))
