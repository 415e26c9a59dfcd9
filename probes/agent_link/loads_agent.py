"""Whether a program will load the agent, as far as can be known before it is started.

The agent goes into a program by its environment, and takes itself out of it again when it has
loaded. In a program that never loads it the variables would stay, for all to see: `env` would
print them. So they are left out where nothing will read them: an interpreter that was told to
ignore its environment, and a program that neither is Python nor may start one. A shell, a build
tool or the like may: there they stay, for the sake of the Python programs below it.
"""

from __future__ import annotations

import mmap
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PYTHON = re.compile(r"(?:python|pypy)(?:3(?:\.\d+)?)?[td]{0,2}")
_PYTHON_2 = re.compile(r"(?:python|pypy)2(?:\.\d+)?")
_SCRIPT = re.compile(r".+\.pyw?z?")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHELLS = _names("sh bash dash ash zsh ksh mksh fish csh tcsh nu pwsh busybox")
_STARTERS = _names(
    "make gmake ninja just task npm npx yarn pnpm cargo go uv uvx poetry pipenv pdm rye pixi hatch "
    "tox nox conda mamba micromamba direnv mise asdf pyenv mpirun mpiexec srun parallel xargs find "
    "watch entr tmux screen script expect foreman"
)
"""Programs that are there to start others, which their words need not name."""
_WRAPPERS = _names(
    "nice ionice nohup timeout taskset chrt setsid stdbuf time numactl prlimit setarch unshare "
    "nsenter sudo doas su runuser setpriv chroot strace ltrace perf valgrind gdb rr heaptrack "
    "catchsegv xvfb-run dbus-run-session systemd-run systemd-inhibit flock faketime tini dumb-init "
    "memusage bwrap firejail"
)
"""Programs that become the one that their words name, or start it."""
_ENV_OPTIONS_WITH_VALUE = ("-u", "--unset", "-C", "--chdir")
_TAKE_VALUE = {"W", "X"}
_MARKS = (b"PYTHONPATH", b"libpython3")
"""What stands in a binary that reads the variable itself, or that has Python built into it."""
_HEAD_BYTES = 512
_LOOKED_AT_BYTES = 1 << 26
_LONGEST_CHAIN = 6


def loads_agent(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Tell whether a program, or one that it may start, will read the agent's variables.

    Args:
        argv: The program, a path or a name on the PATH, and its words.
        env: The environment that it is started with, for its PATH.
    """
    return _loads(list(argv), env.get("PATH", os.defpath), 0)


def refusing_option(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Return the option that keeps the agent out of a Python: "-I"; "" if there is none.

    Args:
        argv: As of `loads_agent`: an interpreter, or a script that names one.
        env: The environment that it is started with, for its PATH.
    """
    words = list(argv)
    for _ in range(_LONGEST_CHAIN):
        found = shutil.which(words[0], path=env.get("PATH", os.defpath))
        real = Path(os.path.realpath(found)).name if found else ""
        if is_python(Path(words[0]).name) or is_python(real):
            return _refusing(words[1:])
        shebang = None if found is None else shebang_of(found)
        if shebang is None or found is None:
            break
        words = [*shebang, found, *words[1:]]
    return ""


def _loads(argv: list[str], search: str, depth: int) -> bool:
    if depth > _LONGEST_CHAIN:
        return True  # somebody's riddle: as if it were a shell
    name = Path(argv[0]).name
    if is_python(name):
        return _python_loads(name, argv[1:])
    if name in _SHELLS or name in _STARTERS:
        return True
    found = shutil.which(argv[0], path=search)
    if found is None:
        return False  # it cannot be started
    if name == "env":
        return _env_loads(argv[1:], search, depth)
    shebang = shebang_of(found)
    if shebang is not None:
        return _loads([*shebang, found, *argv[1:]], search, depth + 1)
    real = Path(os.path.realpath(found)).name
    if is_python(real):
        return _python_loads(real, argv[1:])
    if real in _SHELLS:
        return True
    if name in _WRAPPERS:
        return any(_loads(rest, search, depth + 1) for rest in _programs(argv[1:], search))
    return any(_names_python(word) for word in argv[1:]) or _holds_python(found)


def is_python(name: str) -> bool:
    """Tell whether a program has the name of an interpreter."""
    return bool(_PYTHON.fullmatch(name) or _PYTHON_2.fullmatch(name))


def _python_loads(name: str, words: list[str]) -> bool:
    return not _PYTHON_2.fullmatch(name) and not _refusing(words)


def _refusing(words: list[str]) -> str:
    """Read the interpreter's own options: -I and -E ignore PYTHONPATH, -S loads no hook."""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--check-hash-based-pycs":
            at += 2
            continue
        if not word.startswith("-") or word in ("-", "--"):
            return ""
        if word.startswith("--"):
            at += 1
            continue
        for index, letter in enumerate(word[1:], start=1):
            if letter in "IES":
                return f"-{letter}"
            if letter in "cm":
                return ""
            if letter in _TAKE_VALUE:
                at += index == len(word) - 1  # the value is the next word
                break
        at += 1
    return ""


def _env_loads(words: list[str], search: str, depth: int) -> bool:
    """Read what `env` is to start; alone it prints the environment."""
    at = 0
    while at < len(words):
        word = words[at]
        if word in ("-", "-i", "--ignore-environment"):
            return False  # what we would put there is taken away again
        if word in _ENV_OPTIONS_WITH_VALUE:
            at += 2
        elif word in ("-S", "--split-string") or word.startswith(("-S", "--split-string=")):
            text = word.removeprefix("--split-string").removeprefix("-S").removeprefix("=")
            rest = words[at + 1 :]
            if not text and rest:
                text, rest = rest[0], rest[1:]
            try:
                parts = shlex.split(text)
            except ValueError:
                return False
            return _env_loads([*parts, *rest], search, depth + 1)
        elif word.startswith("-") or "=" in word:
            at += 1
        else:
            return _loads(words[at:], search, depth + 1)
    return False


def shebang_of(file: str) -> list[str] | None:
    """Return the interpreter of a script and its argument, as the kernel reads them."""
    try:
        with Path(file).open("rb") as script:
            head = script.read(_HEAD_BYTES)
    except OSError:
        return None
    if not head.startswith(b"#!"):
        return None
    line = os.fsdecode(head[2:].split(b"\n", 1)[0]).strip()
    return line.split(None, 1) or None


def _programs(words: list[str], search: str) -> Iterator[list[str]]:
    """Yield the rests of a wrapper's words that begin with something that can be started."""
    for at, word in enumerate(words):
        if not word.startswith("-") and (_names_python(word) or shutil.which(word, path=search)):
            yield words[at:]


def _names_python(word: str) -> bool:
    name = Path(word).name
    return bool(_PYTHON.fullmatch(name) or _SCRIPT.fullmatch(name))


def _holds_python(file: str) -> bool:
    """Tell whether a binary has Python in it, or hands its environment on to it by name."""
    try:
        with Path(file).open("rb") as binary:
            size = min(os.fstat(binary.fileno()).st_size, _LOOKED_AT_BYTES)
            with mmap.mmap(binary.fileno(), size, access=mmap.ACCESS_READ) as content:
                return any(content.find(mark) >= 0 for mark in _MARKS)
    except (OSError, ValueError):
        return True  # not readable: only its owner knows
