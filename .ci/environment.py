"""Lay out a virtual environment that has pip, also where Python comes without ensurepip.

    PYTHON environment.py FOLDER

Distributions split Python up: Debian's python3 has `venv` but neither ensurepip nor pip until
python3-venv or python3-pip is installed. What is there is used; what is missing is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

OLDEST = (3, 11)


def main(folder: Path) -> int:
    """Return the exit code: 0 when FOLDER/bin/python and its pip work."""
    if sys.version_info < OLDEST:
        oldest, have = (".".join(map(str, version)) for version in (OLDEST, sys.version_info[:3]))
        print(
            f"perftui needs Python {oldest} or newer, {sys.executable} is {have}: "
            "make PYTHON=python3.12",
            file=sys.stderr,
        )
        return 2
    python = folder / "bin/python"
    venv = [sys.executable, "-m", "venv", "--clear"]
    if succeeds([*venv, folder]) and has_pip(python):
        return 0
    # --clear: what the failed attempt left would be taken for a whole environment.
    if succeeds([*venv, "--without-pip", folder]):
        for command, environment in ways_to_pip(python):
            if succeeds(command, environment) and has_pip(python):
                return 0
    shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{sys.executable} can make no virtual environment with pip: it has no ensurepip and no "
        "pip that work.\nDebian, Ubuntu: apt-get install python3-venv. Elsewhere: install pip or "
        "uv for it.\nOr choose another: make PYTHON=python3.12",
        file=sys.stderr,
    )
    return 2


def ways_to_pip(python: Path) -> list[tuple[list[str | Path], dict[str, str]]]:
    """Commands that may install pip for `python`, each with what its environment needs."""
    ways: list[tuple[list[str | Path], dict[str, str]]] = [
        ([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"], {})
    ]
    # Distributions that take ensurepip out keep its wheel in one of these.
    of_distribution = sysconfig.get_config_var("WHEEL_PKG_DIR")
    for folder in (of_distribution, f"{sys.base_prefix}/share/python-wheels"):
        wheels = sorted(Path(folder).glob("pip-*.whl"), reverse=True) if folder else []
        ways += [
            ([python, "-m", "pip", "install", "--quiet", "pip"], {"PYTHONPATH": str(wheel)})
            for wheel in wheels
        ]
    uv = shutil.which("uv")
    if uv is not None:
        ways.append(([uv, "pip", "install", "--quiet", "--python", python, "pip"], {}))
    return ways


def has_pip(python: Path) -> bool:
    """Whether pip starts there: an old one on a new Python may not."""
    return succeeds([python, "-m", "pip", "--version"])


def succeeds(command: list[str | Path], environment: dict[str, str] | None = None) -> bool:
    """Run a command without its words."""
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return ended.returncode == 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: PYTHON environment.py FOLDER")
    sys.exit(main(Path(sys.argv[1])))
