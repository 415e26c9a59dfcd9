"""Who makes an environment and installs into it: uv where it is there, else venv and pip.

Both are asked as a person would ask them, so that their own settings (indexes, proxies, links to
look in) hold. Nothing is downloaded but packages: an interpreter that is not there is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from importlib.util import find_spec
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from perftui.probes.own.python import module_elsewhere, own_module
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_T = TypeVar("_T")
CONSTRAINTS = "perftui-constraints.txt"
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==\S+")
_LAST_LINES = 4
_LONGEST_LINE = 300
_STEP_S = 0.1
_END_LIMIT_S = 10.0
_FULL = ("no space left", "disk quota exceeded")


class Installer(NamedTuple):
    """One of the two."""

    name: str
    """"uv" or "pip"."""
    uv: str | None
    """Its path, None for pip."""

    def make(self, python: str, folder: Path, running: Running) -> float:
        """Make an empty environment; returns the seconds that it took.

        Raises:
            ScenarioError: With the installer's own last lines.
        """
        if self.uv is not None:
            argv = [self.uv, "venv", "--quiet", "--no-project", "--python", python, str(folder)]
        elif find_spec("pip") is not None:
            # Ours installs from outside, so the environment needs none: 2.5 s less.
            argv = module_elsewhere(python, "venv", "--without-pip", str(folder))
        else:
            argv = module_elsewhere(python, "venv", str(folder))
        return running.to_its_end(argv, f"cannot make an environment with {python}")

    def install(
        self,
        packages: Sequence[str],
        folder: Path,
        running: Running,
        *,
        constraints: Sequence[str] = (),
        offline: bool = False,
    ) -> float:
        """Install into an environment; returns the seconds that it took.

        What is installed is compiled, too: else the first import would be told as slow as
        compiling is.

        Raises:
            ScenarioError: With the installer's own last lines.
        """
        if not packages:
            return 0.0
        python = str(python_of(folder))
        if self.uv is not None:
            argv = [self.uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
            argv += ["--offline"] if offline else []
        else:
            asked = ["install", "--quiet", "--disable-pip-version-check", "--no-input"]
            asked += ["--no-index"] if offline else []
            if find_spec("pip") is not None:
                argv = own_module("pip", "--python", python, *asked)
            else:
                argv = module_elsewhere(python, "pip", *asked)
        if constraints:
            file = folder / CONSTRAINTS
            file.write_text("".join(f"{each}\n" for each in constraints))
            argv += ["--constraint", str(file)]
        return running.to_its_end([*argv, *packages], f"cannot install {' '.join(packages)}")

    def frozen(self, python: str, running: Running) -> list[str]:
        """Return what an interpreter has installed, as NAME==VERSION; [] where nobody can tell."""
        if self.uv is not None:
            argv = [self.uv, "pip", "freeze", "--quiet", "--python", python]
        elif find_spec("pip") is not None:
            argv = own_module("pip", "--python", python, "freeze")
        else:
            argv = module_elsewhere(python, "pip", "freeze")
        try:
            said = running.said(argv, f"the packages of {python} cannot be listed")
        except ScenarioError:
            return []
        return sorted(line for line in said.splitlines() if _PINNED.fullmatch(line))


class Running:
    """The installers' processes of one command, so that all can be ended when it is."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._over = False

    def to_its_end(self, argv: Sequence[str], what_fails: str) -> float:
        """Run a command to its end; returns the seconds. See `said`."""
        started = perf_counter()
        self.said(argv, what_fails)
        return perf_counter() - started

    def said(self, argv: Sequence[str], what_fails: str) -> str:
        """Run a command to its end; returns what it has said.

        Args:
            argv: The command.
            what_fails: The beginning of the sentence if it does.

        Raises:
            ScenarioError: It could not be started, failed, or `end` was called.
        """
        with self._lock:
            if self._over:
                raise ScenarioError(f"{what_fails}: interrupted")
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    env=_environment(),
                    start_new_session=True,  # a Ctrl-C is ours to act upon
                )
            except OSError as error:
                raise ScenarioError(f"{what_fails}: {argv[0]}: {error.strerror}") from None
            self._processes.add(process)
        try:
            said, _ = process.communicate()
        finally:
            with self._lock:
                self._processes.discard(process)
        if process.returncode != 0:
            if self._over:
                raise ScenarioError(f"{what_fails}: interrupted")
            raise ScenarioError(f"{what_fails}: {_last_words(said, process.returncode)}")
        return said

    def end(self) -> None:
        """End all, and start no more."""
        with self._lock:
            self._over = True
            processes = list(self._processes)
        for process in processes:
            _signal(process, signal.SIGTERM)
        for process in processes:
            try:
                process.wait(_END_LIMIT_S)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)


def attended(work: Callable[[Running], _T], go_on: Callable[[], None]) -> _T:
    """Do something that runs installers on a thread: one job of `all_attended`."""
    return all_attended([work], go_on)[0]


def all_attended(
    jobs: Sequence[Callable[[Running], _T]],
    go_on: Callable[[], None],
    tell: Callable[[_T], None] = lambda result: None,
    at_a_time: int = 1,
) -> list[_T]:
    """Do what runs installers on threads, and look meanwhile whether it is to go on.

    Args:
        jobs: Each gets the processes to run them with.
        go_on: Called again and again; raises whatever is to end it all. The installers are ended
            before that is passed on: what is not whole is gone.
        tell: Given each result as it is there.
        at_a_time: So many jobs.

    Returns:
        The results, in the order of the jobs.

    Raises:
        ScenarioError: What a job raises.
    """
    running = Running()
    with ThreadPoolExecutor(min(at_a_time, len(jobs)), "perftui-environment") as pool:
        try:
            orders = [pool.submit(job, running) for job in jobs]
            waiting = set(orders)
            while waiting:
                done, waiting = wait(waiting, _STEP_S, FIRST_COMPLETED)
                for order in sorted(done, key=orders.index):
                    tell(order.result())
                go_on()
        except BaseException:
            running.end()
            pool.shutdown(cancel_futures=True)
            raise
    return [order.result() for order in orders]


def find_installer(asked: str = "auto") -> Installer:
    """Return the installer to use: "uv", "pip", or "auto" for uv where it is there.

    Raises:
        ScenarioError: uv was asked for and is not there.
    """
    uv = shutil.which("uv") if asked in ("auto", "uv") else None
    if asked == "uv" and uv is None:
        raise ScenarioError("there is no uv on PATH: install it, or say --installer pip")
    return Installer("pip" if uv is None else "uv", uv)


def python_of(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    return folder / "bin" / "python"


def site_packages_of(folder: Path) -> Path:
    """Return the folder of an environment's packages.

    Raises:
        OSError: It has none.
    """
    for found in sorted((folder / "lib").glob("python3*/site-packages")):
        return found
    raise FileNotFoundError(f"{folder} has no site-packages")


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to an installer and what it has started."""
    with suppress(OSError):
        os.killpg(process.pid, number)


def _environment() -> dict[str, str]:
    """What the installers get: ours without what would lead them elsewhere."""
    environment = dict(os.environ)
    # Of the environment that perftui runs in; uv and pip would put packages there.
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["NO_COLOR"] = "1"
    return environment


def _last_words(said: str, code: int) -> str:
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    full = next((line for line in lines if any(word in line.lower() for word in _FULL)), None)
    if full is not None:
        return f"the disk is full ({full[:_LONGEST_LINE]})"
    told = " · ".join(line[:_LONGEST_LINE] for line in lines[-_LAST_LINES:])
    return told or f"it ended with exit code {code}"
