"""A git revision to compare with: a checkout of its own, and an environment for it.

Both are kept in the cache folder by commit, so the next bench against it starts at once. The
checkout is a clone that shares the objects: nothing is written into the repository, and the
working directory is not touched. A project that can be installed is installed, with the versions
of everything else that the interpreter of the new side has; one that cannot is run from its folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.agent_link.loads_agent import is_python
from perftui.probes.own.folders import cache_folder
from perftui.scenarios.bench.baseline.surroundings import git
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perftui.scenarios.bench.subject import Subject

_READY = "ready.json"
_STEP_S = 0.1
_LAST_LINES = 8
_PROJECT = re.compile(r"^\s*\[(project|build-system|tool\.poetry)\]", re.MULTILINE)
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==\S+")


class Revision(NamedTuple):
    """A commit that can be run."""

    commit: str
    root: Path
    """Of the repository that it is from."""
    tree: Path
    """The checkout."""
    python: str | None
    """Of the environment that it is installed in; None: there is nothing to install."""

    def subject(self, new: Subject) -> Subject:
        """Return what is run of it: the same words, in the same place of its own tree."""
        from dataclasses import replace

        argv = [self._there(word) for word in new.argv]
        if self.python is not None and is_python(Path(argv[0]).name):
            argv[0] = self.python
        folder = Path(new.folder or Path.cwd()).resolve()
        inside = folder.relative_to(self.root) if folder.is_relative_to(self.root) else Path()
        return replace(
            new, argv=tuple(argv), folder=str(self.tree / inside), environ=self._environ()
        )

    def _environ(self) -> dict[str, str]:
        """Return our environment, with the places of its own tree in PYTHONPATH, and none of ours
        that would be found before."""
        environ = dict(os.environ)
        places = environ.get("PYTHONPATH")
        if places:
            ours = [str(Path(place).absolute()) for place in places.split(":") if place]
            environ["PYTHONPATH"] = ":".join(map(self._there, ours))
        if self.python is not None:
            environ.pop("VIRTUAL_ENV", None)
        return environ

    def _there(self, word: str) -> str:
        path = Path(word)
        # The interpreter of an environment inside the repository stays what it is.
        if path.is_absolute() and path.is_relative_to(self.root):
            there = self.tree / path.relative_to(self.root)
            return str(there) if there.exists() else word
        return word


def revision(
    name: str, python: str, tell: Callable[[str], None], go_on: Callable[[], None], *, kept: bool
) -> Revision:
    """Check out a revision, and install it if it can be.

    Args:
        name: As git knows it.
        python: The interpreter of the new side.
        tell: Is given a line for what takes a while.
        go_on: Called while it takes a while; raises what is to end it. Nothing half is left then.
        kept: A function is run by perftui itself, which the environment must have then.

    Raises:
        ScenarioError: there is no such revision, or it does not install.
    """
    top = git("rev-parse", "--show-toplevel")
    if top is None:
        raise ScenarioError(f"--against {name}: is no file, and here is no git repository")
    commit = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        raise ScenarioError(f"--against {name}: is neither a file nor a revision of {top}")
    root = Path(top).resolve()
    place = cache_folder() / "revisions" / _short(str(root)) / commit[:16]
    with _held(place):
        tree = place / "tree"
        if not _ready(tree, commit):
            tell(f"checking out {name} ({commit[:10]})")
            with _whole(tree):
                _run(["git", "clone", "--quiet", "--shared", "--no-checkout", str(root), str(tree)],
                     f"{name} cannot be checked out", go_on)  # fmt: skip
                _run(["git", "-C", str(tree), "checkout", "--quiet", "--detach", commit],
                     f"{name} cannot be checked out", go_on)  # fmt: skip
                _make_ready(tree, commit)
        if not _installable(tree):
            return Revision(commit, root, tree, None)
        pins = _pins(python, go_on)
        asked = _short(json.dumps([python, _version(python), pins, kept]))
        env = place / f"env-{asked}"
        if not _ready(env, asked):
            tell(f"installing {name} ({commit[:10]}) into an environment of its own")
            with _whole(env):
                _install(env, tree, python, pins, name, go_on)
                if kept:
                    _give_perftui(env)
                _make_ready(env, asked)
        return Revision(commit, root, tree, str(env / "bin" / "python"))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _installable(tree: Path) -> bool:
    if (tree / "setup.py").is_file():
        return True
    try:
        return bool(_PROJECT.search((tree / "pyproject.toml").read_text("utf-8", "replace")))
    except OSError:
        return False


def _ready(folder: Path, what: str) -> bool:
    """Tell whether a folder was made to its end, and is what was asked for."""
    try:
        said = json.loads(_marker(folder).read_bytes())
    except (OSError, ValueError):
        return False
    made_python = folder / "bin" / "python"
    return said == {"is": what} and folder.is_dir() and (
        not folder.name.startswith("env-") or made_python.exists()
    )  # fmt: skip


def _make_ready(folder: Path, what: str) -> None:
    from perftui.probes.own.whole_file import write_text

    write_text(str(_marker(folder)), json.dumps({"is": what}))


def _marker(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{_READY}")


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    """Make a folder anew; whatever cuts that off, nothing of it stays."""
    _marker(folder).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Keep others from making the same at the same time."""
    import fcntl

    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(
    env: Path,
    tree: Path,
    python: str,
    pins: Sequence[str],
    name: str,
    go_on: Callable[[], None],
) -> None:
    constraints = env.with_name(f"{env.name}.constraints.txt")
    constraints.write_text("\n".join(pins) + "\n")
    uv = shutil.which("uv")
    failed = f"{name} does not install"
    if uv:
        _run([uv, "venv", "--quiet", "--python", python, str(env)], failed, go_on)
        install = [uv, "pip", "install", "--quiet", "--python", str(env / "bin" / "python")]
    else:
        _run([python, "-m", "venv", str(env)], failed, go_on)
        install = [str(env / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        install.append("--disable-pip-version-check")
    _run([*install, "--constraint", str(constraints), str(tree)], failed, go_on)


def _pins(python: str, go_on: Callable[[], None]) -> list[str]:
    """Return what the new side's interpreter has, as NAME==VERSION: the rest of the base is to be
    the same."""
    uv = shutil.which("uv")
    words = (
        [uv, "pip", "freeze", "--quiet", "--python", python]
        if uv
        else [python, "-m", "pip", "--disable-pip-version-check", "freeze"]
    )
    try:
        said = _run(words, "the installed versions cannot be listed", go_on)
    except ScenarioError:
        return []  # no pip there: the base gets what its own metadata ask for
    return sorted(line for line in said.splitlines() if _PINNED.fullmatch(line.strip()))


def _version(python: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            [python, "-I", "-S", "-c", "import sys; print(sys.version)"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return done.stdout.strip()
    return ""


def _give_perftui(env: Path) -> None:
    """Let an environment import perftui, and nothing else of ours."""
    import perftui

    alone = env / "perftui-alone"
    alone.mkdir()
    (alone / "perftui").symlink_to(Path(perftui.__file__).parent)
    site = next((env / "lib").glob("python3*/site-packages"))
    (site / "perftui-alone.pth").write_text(f"{alone}\n")


def _run(words: Sequence[str], failed: str, go_on: Callable[[], None]) -> str:
    """Run a helper to its end and return what it says.

    Raises:
        ScenarioError: it fails; with its last lines.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=env,
            start_new_session=True,  # a Ctrl-C is ours to act upon
        )
    except OSError as error:
        raise ScenarioError(f"{failed}: {words[0]}: {error.strerror}") from None
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                out, err = process.communicate(timeout=_STEP_S)
                break
            go_on()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait()
        raise
    if process.returncode:
        lines = [line for line in (err or out).splitlines() if line.strip()][-_LAST_LINES:]
        told = "".join(f"\n  {line}" for line in lines)
        raise ScenarioError(f"{failed} (exit code {process.returncode}):{told}")
    return out


def python_of(subject: Subject) -> str:
    """Return the interpreter that a subject runs in, ours if that is not known."""
    first = subject.argv[0]
    return first if is_python(Path(first).name) else sys.executable
