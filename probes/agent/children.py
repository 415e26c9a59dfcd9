"""What the program starts is watched too: forked children, and Python programs.

A forked child has the agent already. A Python program that is started by `subprocess` or
`multiprocessing` (spawn, forkserver) gets the launcher's order in its environment and our
descriptors, in the one call that both go through, `_posixsubprocess.fork_exec`. Programs that
are not Python, and interpreters that would not look (-I, -E, -S), get nothing and see nothing.
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.runtime import Agent

SHUT_OUT = b"IES"
"""Options after which an interpreter does not read PYTHONPATH, or not our hook."""
WITH_VALUE = b"WXQ"
"""Options that take the rest of the word or the next one."""
SCRIPT_BYTES = 256


class Children:
    """Hands the agent on to what this process starts."""

    def __init__(self, agent: "Agent", order: "list[Any]", hook_folder: str) -> None:
        self._agent = agent
        self._fds = tuple(order[:3])
        # Not held at the gate, and its output stays buffered as it would be.
        self._words = [*order[:5], 0, order[6], 0, order[8]]
        self._board = tuple(order[9:11])
        self._captures = order[11:]
        self._hook = hook_folder.encode(sys.getfilesystemencoding(), "surrogateescape")

    def hook(self) -> None:
        """Once `_posixsubprocess` has been imported: see what is started."""
        module: "Any" = sys.modules["_posixsubprocess"]
        original = module.fork_exec
        module.fork_exec = self._watching(original)

    def hook_subprocess(self) -> None:
        """Once `subprocess` has been imported: have it start everything by `fork_exec`."""
        module: "Any" = sys.modules["subprocess"]
        # A documented switch. `posix_spawn` would close our descriptors; this one uses vfork.
        module._USE_POSIX_SPAWN = False
        # It may have been there before us. Not by getattr: that would load a lazy import.
        original = module.__dict__.get("_fork_exec")
        if _is_builtin(original):
            module._fork_exec = self._watching(original)

    def _watching(self, original: "Callable[..., Any]") -> "Callable[..., Any]":
        def fork_exec(*args: "Any") -> "Any":
            return original(*self._amended(args))

        fork_exec.__module__ = "_posixsubprocess"
        fork_exec.__qualname__ = "fork_exec"
        fork_exec.__doc__ = original.__doc__
        return fork_exec

    def _amended(self, args: "tuple[Any, ...]") -> "tuple[Any, ...]":
        """Return the arguments of `fork_exec`, with the order and our descriptors where it fits.

        They are: argv, executables to try, close_fds, descriptors to keep (sorted), cwd,
        environment (None is ours); what follows differs by version.
        """
        try:
            argv, executables, close_fds, keep, cwd, environment, *rest = args
            words = [posix.fspath(word) for word in argv]
            words = [word.encode() if isinstance(word, str) else word for word in words]
            if not self._still_ours() or not is_python(executables, words):
                return args
            pairs = _own_environment() if environment is None else list(environment)
            amended = self._environment(pairs)
            keep = tuple(sorted({*keep, *self._fds, *self._board_there()[:1]}))
            return (argv, executables, close_fds, keep, cwd, amended, *rest)
        except Exception as error:  # odd arguments are for the original to refuse
            if self._agent.foreign(error):
                raise
            return args

    def _still_ours(self) -> bool:
        """Tell whether our descriptors still are what they were: a closed one would be an error."""
        agent = self._agent
        record_fd, keep_fd = self._fds[:2]
        if not agent.wire.ours():
            return False
        try:
            record, keep = posix.fstat(record_fd), posix.fstat(keep_fd)
        except OSError:
            return False
        same_pipe = (record.st_dev, record.st_ino) == (keep.st_dev, keep.st_ino)
        return same_pipe and agent.owns_statm()

    def _board_there(self) -> "tuple[int, ...]":
        """Return descriptor and inode of the board, if it still is there."""
        try:
            if self._board[0] and posix.fstat(self._board[0]).st_ino == self._board[1]:
                return self._board
        except OSError:
            pass
        return ()

    def _environment(self, pairs: "list[bytes]") -> "list[bytes]":
        """Return an environment (NAME=value) in which an interpreter loads the agent."""
        words = [*self._words, *(self._board_there() or (0, 0)), *self._captures]
        order = ":".join(map(str, words)).encode()
        kept = [pair for pair in pairs if not pair.startswith((b"PERFTUI_AGENT", b"PYTHONPATH="))]
        path = [pair[11:] for pair in pairs if pair.startswith(b"PYTHONPATH=")]
        if path:
            kept.append(b"PERFTUI_AGENT_PYTHONPATH=" + path[-1])
        with_hook = self._hook + b":" + path[-1] if path and path[-1] else self._hook
        return [*kept, b"PYTHONPATH=" + with_hook, b"PERFTUI_AGENT=" + order]


def tell_before_os_exit(agent: "Agent") -> None:
    """Have what is held back leave before `os._exit`, by which forked children usually end."""
    os: "Any" = sys.modules["os"]
    original: "Any" = os._exit
    if not _is_builtin(original):
        return  # ours already, or the program's own

    def _exit(status: int) -> "Any":
        try:
            agent.bye()
        finally:
            original(status)

    _exit.__module__ = "posix"
    _exit.__doc__ = original.__doc__
    os._exit = _exit
    module: "Any" = posix
    module._exit = _exit


def is_python(executables: "Any", argv: "list[bytes]") -> bool:
    """Tell whether a command starts a Python 3 that will load the agent.

    Args:
        executables: The paths that will be tried, the first that exists is run.
        argv: The command.
    """
    for file in executables:
        path = file if isinstance(file, bytes) else file.encode()
        try:
            posix.stat(path)
        except OSError:
            continue
        options = argv[1:]
        if not _names_python(path):
            words = _first_line(path)
            if not words or not _names_python(words[0]):
                return False
            options = words[1:]
        return not _helper(options) and not _shuts_out(options)
    return False


def _names_python(path: bytes) -> bool:
    own = sys.executable
    if own and path == own.encode(sys.getfilesystemencoding(), "surrogateescape"):
        return True
    name = path.rpartition(b"/")[2]
    if not name.startswith(b"python"):
        return False
    version = name[6:]
    return version in (b"", b"3") or (version[:2] == b"3." and version[2:].rstrip(b"td").isdigit())


def _first_line(path: bytes) -> "list[bytes]":
    """Return the words of a script's first line after `#!`, without `/usr/bin/env` before NAME."""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return []
    try:
        begin = posix.read(fd, SCRIPT_BYTES)
    finally:
        posix.close(fd)
    if not begin.startswith(b"#!"):
        return []
    words = begin[2:].split(b"\n")[0].split()
    if words and words[0].endswith(b"/env"):
        words = [word for word in words[1:] if word != b"-S"]
    return words


def _shuts_out(options: "list[bytes]") -> bool:
    """Tell whether an interpreter's options keep it from loading the agent."""
    words = iter(options)
    for word in words:
        if word[:1] != b"-" or word in (b"-", b"--") or word[:2] == b"--":
            return False
        for at in range(1, len(word)):
            letter = word[at : at + 1]
            if letter in SHUT_OUT:
                return True
            if letter in b"cm":
                return False
            if letter in WITH_VALUE:
                if at == len(word) - 1:
                    next(words, None)
                break
    return False


def _helper(options: "list[bytes]") -> bool:
    """Tell whether it is the process of `multiprocessing` that only cleans up after others."""
    return any(b"multiprocessing.resource_tracker" in word for word in options)


def _own_environment() -> "list[bytes]":
    """Return this process's environment as a child would inherit it."""
    create = getattr(posix, "_create_environ", None)  # 3.14 on: what native code has set, too
    environ = sys.modules["os"].environb if create is None else create()
    return [key + b"=" + value for key, value in environ.items()]


def _is_builtin(function: object) -> bool:
    """Tell whether a function is the interpreter's own, neither ours nor put there by others."""
    return type(function) is type(len)
