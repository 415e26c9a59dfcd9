"""A git revision to compare with: a checkout of its own, and an environment for it.

Both are kept in the cache folder by commit, so the next bench against it starts at once. The
checkout is a clone that shares the objects: nothing is written into the repository, and the
working directory is not touched. A project that can be installed is installed, with the versions
of everything else that the interpreter of the new side has; one that cannot is run from its folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.agent_link.loads_agent import is_python
from perftui.probes.own.folders import cache_folder
from perftui.probes.own.whole_file import write_text
from perftui.scenarios.bench.baseline.surroundings import git
from perftui.scenarios.data.locked import make_folder, remove_unused, size_bytes, use
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.installer import attended, find_installer
from perftui.scenarios.environments.interpreters import ask_interpreter
from perftui.scenarios.environments.kept import environment, is_kept
from perftui.scenarios.environments.wanted import WantedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.bench.subject import Subject
    from perftui.scenarios.environments.installer import Running
    from perftui.scenarios.environments.kept import Environment

_READY = ".git/perftui-ready"
"""Written last, beside what git itself keeps: its time is when the checkout was last used."""
_PROJECT = re.compile(r"^\s*\[(project|build-system|tool\.poetry)\]", re.MULTILINE)


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
    name: str, python: str, tell: Callable[[str], None], go_on: Callable[[], None]
) -> Revision:
    """Check out a revision, and install it if it can be.

    Args:
        name: As git knows it.
        python: The interpreter of the new side.
        tell: Is given a line for what takes a while.
        go_on: Called while it takes a while; raises what is to end it. Nothing half is left then.

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
    tree = make_folder(cache_folder() / "revisions") / f"{_short(str(root))}-{commit[:16]}"

    def make() -> None:
        tell(f"checking out {name} ({commit[:10]})")
        attended(partial(_check_out, name, commit, root, tree), go_on)
        write_text(str(tree / _READY), commit)

    use(tree, lambda: _ready(tree, commit), make)
    with suppress(OSError):
        os.utime(tree / _READY)  # last used now
    if not _installable(tree):
        return Revision(commit, root, tree, None)
    return Revision(commit, root, tree, _environment_of(name, commit, tree, python, tell, go_on))


def prune_revisions(unused_for_s: float) -> tuple[int, tuple[str, ...]]:
    """Remove the checkouts that nobody uses and nobody has used for a time.

    Returns:
        The bytes that their files held, and the names of those in use, which were kept.

    Raises:
        OSError: One cannot be removed.
    """
    root = cache_folder() / "revisions"
    before, now = size_bytes(root), time.time()

    def old(tree: Path) -> bool:
        try:
            return now - (tree / _READY).stat().st_mtime >= unused_for_s
        except OSError:  # not made to its end
            return True

    in_use = remove_unused(root, leftovers=lambda tree: [tree], wanted=old)
    return before - size_bytes(root), in_use


def _check_out(name: str, commit: str, root: Path, tree: Path, running: Running) -> None:
    failed = f"{name} cannot be checked out"
    there = ["git", "-C", str(tree), "checkout", "--quiet", "--detach", commit]
    clone = ["git", "clone", "--quiet", "--shared", "--no-checkout", str(root), str(tree)]
    running.said(clone, failed)
    running.said(there, failed)


def _environment_of(
    name: str,
    commit: str,
    tree: Path,
    python: str,
    tell: Callable[[str], None],
    go_on: Callable[[], None],
) -> str:
    """Return the interpreter of a kept environment with the revision in it."""
    asked = ask_interpreter(python)
    if asked is None:
        raise ScenarioError(f"{python} is no Python that can be asked for its version")
    installer = find_installer()

    def work(running: Running) -> Environment:
        pins = installer.frozen(python, running)
        wanted = WantedEnvironment(asked.path, asked.version, (str(tree),), tuple(pins), commit)
        if not is_kept(wanted):
            tell(f"installing {name} ({commit[:10]}) into an environment of its own")
        return environment(wanted, installer, running)

    try:
        return attended(work, go_on).python
    except ScenarioError as error:
        raise ScenarioError(f"{name} does not install: {error}") from None


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _installable(tree: Path) -> bool:
    if (tree / "setup.py").is_file():
        return True
    try:
        return bool(_PROJECT.search((tree / "pyproject.toml").read_text("utf-8", "replace")))
    except OSError:
        return False


def _ready(tree: Path, commit: str) -> bool:
    """Tell whether a checkout was made to its end, and is what was asked for."""
    try:
        return (tree / _READY).read_text("utf-8") == commit
    except (OSError, ValueError):
        return False


def python_of(subject: Subject) -> str:
    """Return the interpreter that a subject runs in, ours if that is not known."""
    first = subject.argv[0]
    return first if is_python(Path(first).name) else sys.executable
