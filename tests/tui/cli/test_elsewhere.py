"""`attach ssh://…`, `docker://…`, `k8s://…` and `run --on`, as a shell sees them.

The sshd is a real one, on loopback, with keys of its own. docker and kubectl are stand-ins that do
no more than enter the namespaces (and the root) of a process and execute a command there: what is
tried is our side of them, and a far end in a PID namespace, and on another C library.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.pythons import TOLD
from support.waiting import PATIENCE_S, has_ended, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

PERFTUI = [sys.executable, "-m", "perftui"]
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
BUSY = """\
import time
kept = []
def crunch():
    for _ in range(200): sum(range(1000))
def hoard():
    if len(kept) < 60: kept.append(bytearray(1 << 20))
while True:
    crunch()
    hoard()
    time.sleep(0.001)
"""
DOCKER = """\
#!/bin/sh
# A stand-in: `exec -i NAME COMMAND...` enters the namespaces and the root of the process in NAME.
[ "$1 $2" = "exec -i" ] || { echo "stand-in: exec -i alone" >&2; exit 125; }
name=$3; shift 3
kill -0 "$name" 2>/dev/null || { echo "Error: No such container: $name" >&2; exit 1; }
exec nsenter -t "$name" -p -m -r -- "$@"
"""
KUBECTL = """\
#!/bin/sh
# A stand-in: `exec -i -n NAMESPACE POD [-c NAME] -- COMMAND...` executes the command here.
[ "$1 $2 $3" = "exec -i -n" ] || { echo "stand-in: exec -i -n alone" >&2; exit 125; }
[ "$5" = web-0 ] || { echo "Error from server (NotFound): pods \\"$5\\" not found" >&2; exit 1; }
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""


class There:
    """A machine that is reached by ssh: this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = found.getsockname()[1]
        for key in ("host", "id"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True)
        (folder / "authorized_keys").write_bytes((folder / "id.pub").read_bytes())
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile {folder}/pid\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        )
        (folder / "config").write_text(
            f"Host *\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {folder}/known\n  StrictHostKeyChecking accept-new\n"
        )
        bin_ = folder / "bin"
        bin_.mkdir()
        # The person's ssh, with a configuration of its own instead of theirs.
        ssh = f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n'
        for name, text in (("ssh", ssh), ("docker", DOCKER), ("kubectl", KUBECTL)):
            (bin_ / name).write_text(text)
            (bin_ / name).chmod(0o755)
        self.environ = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
        assert SSHD is not None
        Path("/run/sshd").mkdir(exist_ok=True)
        self._sshd = subprocess.Popen(
            [SSHD, "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")]
        )
        wait_for(self._listens, "sshd does not listen")

    def _listens(self) -> bool:
        assert self._sshd.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    @property
    def address(self) -> str:
        """Return its address."""
        return f"ssh://127.0.0.1:{self.port}"

    def perftui(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run perftui to its end."""
        options.setdefault("stdin", subprocess.DEVNULL)
        command = [*PERFTUI, *words]
        env = self.environ
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=env, **options
        )

    def close(self) -> None:
        """Let nobody in any more."""
        self._sshd.terminate()
        self._sshd.wait()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    if SSHD is None or os.geteuid() != 0:
        pytest.skip("needs sshd, and root to start one of its own")
    machine = There(tmp_path_factory.mktemp("there"))
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    script = tmp_path_factory.mktemp("busy") / "busy.py"
    script.write_text(BUSY)
    target = subprocess.Popen([sys.executable, str(script)])
    yield target
    target.kill()
    target.wait()


def check_seen(summary: dict[str, Any]) -> None:
    assert summary["target"]["launched"] is False if "launched" in summary["target"] else True
    assert summary["stacks"]["backend"] == "own sampler"
    names = [row["function"] for row in summary["stacks"]["top"]]
    assert "crunch" in names
    assert summary["cpu_s"]["user"] > 0
    assert summary["peak_rss_bytes"] > 40 << 20


def test_a_process_there_is_seen_as_one_here_and_recorded_here(
    there: There, busy: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "seen.perftui"
    words = ("attach", f"{there.address}/{busy.pid}", "--duration", "4", "--json", "-")
    done = there.perftui(*words, "--record", str(folder))
    assert done.returncode == 0, done.stderr
    live = json.loads(done.stdout)
    check_seen(live)
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["state"] == "closed"
    assert meta["options"]["far"]["address"] == there.address
    recorded = json.loads(there.perftui("summary", str(folder), "--json").stdout)
    check_seen(recorded)
    assert recorded["peak_rss_bytes"] == live["peak_rss_bytes"]
    assert busy.poll() is None, "it was only watched"


def test_with_the_perftui_that_is_there(there: There, busy: subprocess.Popen[bytes]) -> None:
    own = f"{sys.executable} -m perftui"
    words = ("--far", own, "--duration", "2", "--no-record", "--json", "-")
    done = there.perftui("attach", f"{there.address}/{busy.pid}", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stacks"]["backend"] == "own sampler"


def test_a_program_is_started_there_and_its_output_and_exit_code_are_ours(
    there: There, tmp_path: Path
) -> None:
    script = tmp_path / "job.py"
    script.write_text(
        "import sys, time\n"
        "def work():\n"
        "    end = time.process_time() + 0.8\n"
        "    while time.process_time() < end: sum(range(500))\n"
        "work()\n"
        "print('args', sys.argv[1:], repr(sys.stdin.read()))\n"
        "print('beside', file=sys.stderr)\n"
        "sys.exit(7)\n"
    )
    command = ("--", sys.executable, str(script), "a b", "$HOME", "'")
    done = there.perftui("run", "--on", there.address, "--no-record", *command)
    assert done.returncode == 7
    assert done.stdout == "args ['a b', '$HOME', \"'\"] ''\n"
    assert "beside\n" in done.stderr
    assert "work" in done.stderr


def test_ctrl_c_reaches_a_program_there(there: There, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def heard(*_):\n    print('heard', flush=True); sys.exit(3)\n"
        "signal.signal(signal.SIGINT, heard)\n"
        "print('ready', flush=True)\ntime.sleep(600)\n"
    )
    words = ["run", "--on", there.address, "--no-record", "--", sys.executable, "-c", code]
    run = subprocess.Popen(
        [*PERFTUI, *words], env=there.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    assert run.stdout.readline() == b"ready\n"
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE_S)
    assert (out, run.returncode) == (b"heard\n", 3), err


def test_what_was_started_there_outlives_perftui_that_is_killed(
    there: There, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    code = (
        "import os, sys, time\n"
        "print(os.getpid(), flush=True)\n"
        f"while not os.path.exists({str(log)!r}): print('x' * 100, flush=True); time.sleep(.01)\n"
        f"open({str(log)!r} + '.end', 'w').write('done')\n"
    )
    words = ["run", "--on", there.address, "--no-record", "--", sys.executable, "-c", code]
    run = subprocess.Popen([*PERFTUI, *words], env=there.environ, stdout=subprocess.PIPE)
    assert run.stdout is not None
    pid = int(run.stdout.readline())
    run.kill()
    run.wait()
    run.stdout.close()
    time.sleep(1.0)  # it writes on, to nobody
    assert not has_ended(pid)
    log.touch()
    wait_for(lambda: has_ended(pid), "it does not end")
    wait_for((tmp_path / "log.end").exists, "it was ended before it was done")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("attach", "{there}/4194304"), "there is no process 4194304"),
        (("attach", "ssh://127.0.0.1:1/5"), "Connection refused"),
        (("attach", "{there}/{busy}", "--far-python", "no-such"), "no Python 'no-such' there"),
        (("attach", "{there}/{busy}", "--far-python", "{old}"), "3.9 or later is needed"),
        (("attach", "{there}/{busy}", "--far", "no-such-perftui"), "not found"),
        (("attach", "docker://no-such/5"), "No such container"),
        (("attach", "k8s://prod/nope/5"), "not found"),
        (("attach", "{there}/{busy}", "--native"), "--native is for processes of this machine"),
        (("run", "--on", "{there}", "--", "no-such-program"), "cannot start 'no-such-program'"),
        (("run", "--on", "{there}"), "nothing to run"),
        (("run", "--on", "host", "--", "true"), "--on takes ssh://"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(
    there: There,
    busy: subprocess.Popen[bytes],
    tmp_path: Path,
    words: tuple[str, ...],
    says: str,
) -> None:
    old = tmp_path / "old"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info*) exit 1;; esac\nprintf 3.6.8\n')
    old.chmod(0o755)
    given = [
        word.format(there=there.address, busy=busy.pid, old=old)  # as a Python 3.6 would answer
        for word in words
    ]
    done = there.perftui(*given[:1], "--headless", "--no-record", *given[1:])
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_without_the_right_it_says_so(there: There, tmp_path: Path) -> None:
    """Another user there: a Python that gives up its rights before it becomes the far end."""
    fallen = tmp_path / "fallen"
    tmp_path.chmod(0o755)
    fallen.write_text(f'#!/bin/sh\nexec setpriv --reuid 65534 --clear-groups {_seen()} "$@"\n')
    fallen.chmod(0o755)
    if subprocess.run([str(fallen), "-c", "pass"], capture_output=True, check=False).returncode:
        pytest.skip("no Python here that another user may run")
    words = ("attach", f"{there.address}/{os.getpid()}", "--far-python", str(fallen))
    done = there.perftui(*words, "--headless", "--no-record")
    assert done.returncode == 2
    assert "belongs to user 0" in done.stderr
    assert done.stderr.count("\n") == 1


def _seen() -> str:
    """Return a Python that another user can run: not below /root."""
    return next(
        (path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(path).exists()),
        "python3",
    )


def watch_in(there: There, words: list[str], python: str, pid_outside: int) -> dict[str, Any]:
    address = f"docker://{pid_outside}/1"
    done = there.perftui("attach", address, "--duration", "3", "--no-record", "--json", "-", *words)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["target"]["pid"] == 1
    return found


def namespace_of(command: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command in a PID namespace; returns unshare, and the command's pid out here."""
    outer = subprocess.Popen(["unshare", "-p", "-f", "-m", "--mount-proc", *command])
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")

    def child() -> str:
        assert outer.poll() is None, "no namespaces for us"
        return children.read_text().strip()

    wait_for(child)
    return outer, int(child())


def end(outer: subprocess.Popen[bytes], pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    outer.kill()
    outer.wait()


needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("nsenter") is None
    or subprocess.run(
        ["unshare", "-p", "-f", "-m", "true"], capture_output=True, check=False
    ).returncode
    != 0,
    reason="needs namespaces",
)


@needs_namespaces
def test_in_a_pid_namespace_the_process_is_1(there: There, tmp_path: Path) -> None:
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    outer, pid = namespace_of([sys.executable, str(script)])
    try:
        check_seen(watch_in(there, ["--far-python", sys.executable], sys.executable, pid))
    finally:
        end(outer, pid)


@needs_namespaces
def test_in_another_root_with_another_libc(there: There, tmp_path: Path) -> None:
    """Debian unstable's Python with its own C library, which stands alone in that root."""
    told = [Path(path) for path in os.environ.get(TOLD, "").split(os.pathsep) if path]
    if not told or not (told[0].parent.parent / "lib64").exists():
        pytest.skip("no Python here that brings its own C library")
    usr = told[0].parent.parent
    root = tmp_path / "root"
    for folder in ("usr", "proc", "dev", "tmp", "bin"):
        (root / folder).mkdir(parents=True)
    for link in ("lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    # Its loader is named by where it lies out here.
    (root / usr.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
    (root / usr.relative_to("/")).symlink_to("/usr")
    shutil.copy("/bin/dash", root / "bin" / "sh")
    (root / "tmp" / "busy.py").write_text(BUSY)
    enter = (
        f"mount --bind {usr} {root}/usr && mount -t proc proc {root}/proc && "
        f"mount --bind /dev {root}/dev && exec chroot {root} /usr/bin/{told[0].name} /tmp/busy.py"
    )
    outer, pid = namespace_of(["sh", "-c", enter])
    try:
        wait_for(lambda: Path(f"/proc/{pid}/exe").readlink().name == told[0].name)
        mapped = Path(f"/proc/{pid}/maps").read_text()
        assert "libc.so" in mapped
        check_seen(watch_in(there, ["--far-python", told[0].name], told[0].name, pid))
    finally:
        end(outer, pid)


def test_what_a_far_perftui_tells_is_the_recording(
    there: There, busy: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    tell = [*PERFTUI, "record", "--stdio", str(busy.pid), "--duration", "3"]
    keep = [*PERFTUI, "record", "--receive", str(tmp_path / "kept.perftui")]
    teller = subprocess.Popen(tell, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    keeper = subprocess.run(keep, stdin=teller.stdout, capture_output=True, text=True, timeout=120)
    assert teller.wait() == 0
    assert keeper.returncode == 0, keeper.stderr
    kept = there.perftui("summary", str(tmp_path / "kept.perftui"), "--json")
    check_seen(json.loads(kept.stdout))
