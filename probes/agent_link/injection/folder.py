"""The folder by which the agent in a running program and perftui meet."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from perftui.probes.agent_link.injection.able import NotInjectable, same_root

_AGENT = Path(__file__).resolve().parents[2] / "agent"
_PLACES = ("/tmp", "/var/tmp", "/dev/shm")
"""Of a program that sees other files than we do."""

_SCRIPT = """\
def _enter():
    import sys
    bootstrap = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]

    def load(file, name):
        place = {agent!r} + "/" + file + ".py"
        return bootstrap._load(external.spec_from_file_location(name, place))

    if "_perftui_agent" in sys.modules:
        raise RuntimeError("another perftui has its agent there")
    load("injected", "_perftui_agent_injected").enter({folder!r}, load)


try:
    _enter()
except Exception as _error:
    try:
        import posix
        _fd = posix.open({folder!r} + "/answer", posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC)
        posix.write(_fd, str(_error)[:300].encode("utf-8", "replace"))
        posix.close(_fd)
    except OSError:
        pass
"""


class Meeting:
    """What is laid out for the agent; `clear` takes it away.

    Raises:
        NotInjectable: there is no place that both sides see.
    """

    def __init__(self, pid: int) -> None:
        user, group = _who_runs(pid)
        shared = same_root(pid)
        root = "" if shared else f"/proc/{pid}/root"
        places = (tempfile.gettempdir(),) if shared else _PLACES
        self.path = _made(root, places, pid)
        """As we see it."""
        inside = str(self.path).removeprefix(root)
        """As the target does."""
        agent = _AGENT
        try:
            os.mkfifo(self.path / "life", 0o600)
            os.mkfifo(self.path / "records", 0o600)
            (self.path / "board").touch(0o600)
            if not shared or user != os.geteuid():
                agent = Path(inside) / "agent"
                unwanted = shutil.ignore_patterns("__pycache__")
                shutil.copytree(_AGENT, self.path / "agent", ignore=unwanted)
            script = _SCRIPT.format(agent=str(agent), folder=inside)
            (self.path / "script.py").write_text(script, "utf-8")
            if user != os.geteuid():
                for each in (self.path, *self.path.rglob("*")):
                    os.chown(each, user, group)
        except OSError as error:
            self.clear()
            raise NotInjectable(
                f"process {pid} cannot be met in {self.path.parent}: {error.strerror}"
            ) from error
        self.script = inside + "/script.py"
        """Its name for the target."""
        # It would complain, on its standard error, of a script that is not there.
        if not Path(f"/proc/{pid}/root{self.script}").exists():
            self.clear()
            raise NotInjectable(f"process {pid} does not see {self.path}, where it was to be met")

    def open(self, name: str) -> int:
        """Open one of the files; pipes never end for us, as we hold both ends."""
        return os.open(self.path / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def answer(self) -> str:
        """Return why the agent does not come, "" if it has not said so."""
        try:
            return (self.path / "answer").read_text("utf-8", "replace").strip()
        except OSError:
            return ""

    def clear(self) -> None:
        """Take it away."""
        shutil.rmtree(self.path, ignore_errors=True)


def _who_runs(pid: int) -> tuple[int, int]:
    """Return user and group by whose rights a process opens files.

    Raises:
        NotInjectable: it has ended.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return int(fields["Uid"].split()[3]), int(fields["Gid"].split()[3])
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise NotInjectable(f"process {pid} has ended") from error


def _made(root: str, places: tuple[str, ...], pid: int) -> Path:
    failed: OSError | None = None
    for place in places:
        try:
            return Path(tempfile.mkdtemp(prefix="perftui-", dir=root + place))
        except OSError as error:
            failed = error
    why = "" if failed is None else f": {failed.strerror}"
    raise NotInjectable(f"process {pid} cannot be met in {' or '.join(places)}{why}")
