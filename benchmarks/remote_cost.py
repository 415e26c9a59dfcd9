"""What does it cost to watch a process over ssh? Bytes a second, and CPU of each side.

    python benchmarks/remote_cost.py [--seconds 20] [--screen] [--start 15]

An sshd of its own on loopback, with a counter between it and ssh: bytes are those of the TCP
stream, encryption included, IP headers not. Figures are of the time after the start, and what that
takes (the modules travel then) stands beside them. Near is perftui and ssh, far is what sshd
runs: its own process for the connection, our far end, the sampler.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGETS = {
    "idle, 1 thread": "import time; time.sleep(1000)",
    "idle, 20 threads": (
        "import threading, time\n"
        "nap = dict(target=time.sleep, args=(1000,), daemon=True)\n"
        "for _ in range(19): threading.Thread(**nap).start()\n"
        "time.sleep(1000)"
    ),
    "wakes 20 times a second": "import time\nwhile True: time.sleep(0.05)",
    "2 busy threads": (
        "import threading\n"
        "def inner(n): return sum(range(n))\n"
        "def spin():\n    while True: inner(50)\n"
        "threading.Thread(target=spin, daemon=True).start()\nspin()"
    ),
    "20 threads that work and nap": (
        "import threading, time\n"
        "def work():\n    while True: sum(range(2000)); time.sleep(0.02)\n"
        "for _ in range(19): threading.Thread(target=work, daemon=True).start()\nwork()"
    ),
}


class Counter:
    """Passes connections on, and counts."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.down = self.up = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            near, _ = self._server.accept()
            far = socket.create_connection(("127.0.0.1", self._to))
            for come, go, name in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self._pass, args=(come, go, name), daemon=True).start()

    def _pass(self, come: socket.socket, go: socket.socket, name: str) -> None:
        with contextlib.suppress(OSError):
            while data := come.recv(1 << 16):
                setattr(self, name, getattr(self, name) + len(data))
                go.sendall(data)
            go.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[tuple[int, int]]:
    """Run an sshd; gives its pid and its port. `folder`/bin/ssh has the key to it."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    for key in ("host", "id"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(command, check=True)
    shutil.copy(folder / "id.pub", folder / "authorized_keys")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\n"
    )
    (folder / "bin").mkdir()
    ssh = folder / "bin" / "ssh"
    ssh.write_text(
        f"#!/bin/sh\nexec {shutil.which('ssh')} -F none -i {folder}/id -o IdentitiesOnly=yes "
        f'-o UserKnownHostsFile={folder}/known -o StrictHostKeyChecking=accept-new "$@"\n'
    )
    ssh.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    path = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or "sshd"
    server = subprocess.Popen([path, "-D", "-f", str(folder / "sshd_config"), "-E", os.devnull])
    try:
        time.sleep(0.5)
        yield server.pid, port
    finally:
        server.terminate()
        server.wait()


def cpu_s(pid: int) -> dict[int, float]:
    """CPU of a process and of all below it."""
    found = {}
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
    return found


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(value - before.get(pid, 0.0) for pid, value in after.items())


def measure(code: str, seconds: float, start_s: float, *, screen: bool) -> tuple[float, ...]:
    """Return start MB, down B/s, up B/s, near and far start s, near and far % of a core."""
    with tempfile.TemporaryDirectory() as name, sshd(Path(name)) as (server, port):
        target = subprocess.Popen([sys.executable, "-c", code])
        counter = Counter(port)
        words = ["attach", f"ssh://127.0.0.1:{counter.port}/{target.pid}"]
        words += ["--record", name] if screen else ["--record", name, "--headless"]
        terminal, slave = pty.openpty()
        env = {**os.environ, "PATH": f"{name}/bin:{os.environ['PATH']}", "TERM": "xterm-256color"}
        run = subprocess.Popen(
            [sys.executable, "-m", "perftui", *words],
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        drain = threading.Thread(target=_drain, args=(terminal,), daemon=True)
        drain.start()
        server_before = cpu_s(server)
        try:
            time.sleep(start_s)
            near0, far0 = cpu_s(run.pid), cpu_s(server)
            down0, up0, t0 = counter.down, counter.up, time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - t0
            near1, far1 = cpu_s(run.pid), cpu_s(server)
            return (
                (down0 + up0) / 1e6,
                (counter.down - down0) / took,
                (counter.up - up0) / took,
                sum(near0.values()),
                spent(server_before, far0),
                100 * spent(near0, near1) / took,
                100 * spent(far0, far1) / took,
            )
        finally:
            run.terminate()
            run.wait()
            target.kill()
            target.wait()
            os.close(terminal)


def _drain(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--start", type=float, default=15.0, help="seconds for it (15)")
    parser.add_argument("--screen", action="store_true", help="with the screen; else headless")
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.0f}, {asked.seconds:g} s each", flush=True)
    print("target | start MB | down B/s | up B/s | start CPU near, far s | near % | far %")
    for name, code in TARGETS.items():
        mb, down, up, near_s, far_s, near, far = measure(
            code, asked.seconds, asked.start, screen=asked.screen
        )
        print(
            f"{name} | {mb:.2f} | {down:,.0f} | {up:,.0f} | {near_s:.1f}, {far_s:.1f} "
            f"| {near:.1f} | {far:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
