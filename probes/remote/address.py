"""Addresses of processes elsewhere, and the command line that reaches each.

    ssh://[USER@]HOST[:PORT]/PID
    docker://CONTAINER/PID
    k8s://NAMESPACE/POD[/CONTAINER]/PID

Without a PID it is where a program is started. The tools are the person's own: their configuration,
keys and contexts hold, and ours is none.
"""

from __future__ import annotations

import re
import shutil
from typing import NamedTuple
from urllib.parse import unquote

SCHEMES = {"ssh": "ssh", "docker": "docker", "k8s": "kubectl"}
"""The program behind each."""
_NAME = re.compile(r"[A-Za-z0-9_.@%:\[\]+~-]+")
CONNECT_S = 10
"""A host that does not answer is given up after so long."""
_SSH_OPTIONS = (
    "-T",
    "-o",
    f"ConnectTimeout={CONNECT_S}",
    "-o",
    "ServerAliveInterval=5",
    "-o",
    "ServerAliveCountMax=3",
)
"""The last two notice a link that was cut without a word."""


class AddressError(ValueError):
    """It is no address, or nothing here can reach it; in one line."""


class Address(NamedTuple):
    """Where a process is, or a program is to be started."""

    scheme: str
    names: tuple[str, ...]
    """Host, container, or namespace, pod and perhaps container."""
    pid: int | None
    port: int | None = None

    @property
    def text(self) -> str:
        """As a person writes it, without the PID."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{'/'.join(self.names)}{port}"

    def command(self, far: str, *, again: bool = False) -> list[str]:
        """Return the command line that runs a line of shell there.

        Args:
            far: The line.
            again: Nobody can be asked for a password.

        Raises:
            AddressError: the program that reaches it is not installed.
        """
        tool = SCHEMES[self.scheme]
        found = shutil.which(tool)
        if found is None:
            raise AddressError(f"{self.text}: there is no `{tool}` on the PATH")
        if self.scheme == "ssh":
            port = () if self.port is None else ("-p", str(self.port))
            batch = ("-o", "BatchMode=yes") if again else ()
            return [found, *_SSH_OPTIONS, *batch, *port, "--", self.names[0], far]
        if self.scheme == "docker":
            return [found, "exec", "-i", self.names[0], "sh", "-c", far]
        namespace, pod, *container = self.names
        which = ("-c", container[0]) if container else ()
        return [found, "exec", "-i", "-n", namespace, pod, *which, "--", "sh", "-c", far]


def is_address(text: str) -> bool:
    """Tell whether a word is meant as an address."""
    return text.partition("://")[0] in SCHEMES and "://" in text


def parse(text: str, *, with_pid: bool) -> Address:
    """Read an address.

    Args:
        text: As it was typed.
        with_pid: A process is meant; else where a program is to be started.

    Raises:
        AddressError: it is none.
    """
    scheme, found, rest = text.partition("://")
    if not found or scheme not in SCHEMES:
        raise AddressError(f"an address begins with {', '.join(f'{s}://' for s in SCHEMES)}")
    parts = [unquote(part) for part in rest.rstrip("/").split("/")]
    pid = None
    if with_pid:
        last = parts.pop()
        if not last.isdigit() or int(last) == 0 or not parts:
            raise AddressError(f"{_shown(text)}: the process id is missing; {_form(scheme)}/PID")
        pid = int(last)
    port = None
    if scheme == "ssh":
        parts[0], port = _host(parts[0])
    counts = {"ssh": (1,), "docker": (1,), "k8s": (2, 3)}[scheme]
    if len(parts) not in counts:
        raise AddressError(f"{_shown(text)} is not {_form(scheme)}{'/PID' if with_pid else ''}")
    for part in parts:
        # What begins with - would be an option of the tool.
        if not _NAME.fullmatch(part) or part.startswith("-"):
            raise AddressError(f"{part!r} is no name of {_WHAT[scheme]}")
    return Address(scheme, tuple(parts), pid, port)


_WHAT = {"ssh": "a host", "docker": "a container", "k8s": "a namespace, pod or container"}
_FORMS = {
    "ssh": "ssh://[USER@]HOST[:PORT]",
    "docker": "docker://CONTAINER",
    "k8s": "k8s://NAMESPACE/POD[/CONTAINER]",
}


def _form(scheme: str) -> str:
    return _FORMS[scheme]


def _shown(text: str) -> str:
    from perftui.probes.text.redact import redact_text

    return redact_text(text)


def _host(text: str) -> tuple[str, int | None]:
    """Split [USER@]HOST[:PORT]."""
    user, at, host = text.rpartition("@")
    if ":" in user:
        raise AddressError(
            "an address holds no password: ssh asks for it, or leave a key with its agent"
        )
    port = None
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d+)", host)
    if match:
        host, port = match[1], int(match[2])
        if not 0 < port < 65536:
            raise AddressError(f"{port} is no port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return f"{user}{at}{host}", port
