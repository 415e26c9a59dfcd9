"""Programs that take a secret by a short flag, whose name does not say so."""

from __future__ import annotations

import re
from typing import NamedTuple

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact.randomness import looks_random
from perftui.probes.text.redact.shapes import MASK
from perftui.probes.text.redact.values import is_harmless


class Flags(NamedTuple):
    """The telling flags of one program."""

    separate: tuple[str, ...] = ()
    """The next argument is a secret: `-a X`."""
    glued: tuple[str, ...] = ()
    """The rest of the argument is a secret: `-pX`."""
    account: tuple[str, ...] = ()
    """USER:PASSWORD follows, glued or separate: `-u me:pw`."""
    cookies: tuple[str, ...] = ()
    """Cookies follow if there is a `=`, else a file."""


_MYSQL = Flags(glued=("-p",))
_MONGO = Flags(separate=("-p",))
_LOGIN = Flags(separate=("-p",), account=("--creds", "--src-creds", "--dest-creds"))
_HTTP = Flags(account=("-a", "--auth"))
_CURL = Flags(
    account=("-u", "-U", "--user", "--proxy-user", "-E", "--cert"),
    cookies=("-b", "--cookie"),
    separate=("--pass", "--oauth2-bearer", "--tlspassword", "--proxy-pass"),
)
_OPENSSL = Flags(separate=("-k", "-K", "-pass", "-passin", "-passout"))

PROGRAMS: dict[str, Flags] = {
    "curl": _CURL,
    "http": _HTTP,
    "https": _HTTP,
    "xh": _HTTP,
    "xhs": _HTTP,
    **dict.fromkeys(
        [
            *("mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck"),
            *("mariadb", "mariadb-dump", "mariadb-admin"),
        ],
        _MYSQL,
    ),
    "mycli": Flags(separate=("-p",), glued=("-p",)),
    **dict.fromkeys(["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport"], _MONGO),
    **dict.fromkeys(["mongoexport", "cqlsh", "beeline", "twine", "influx", "nats"], _MONGO),
    "redis-cli": Flags(separate=("-a",), glued=("-a",)),
    "valkey-cli": Flags(separate=("-a",), glued=("-a",)),
    "sshpass": Flags(separate=("-p",), glued=("-p",)),
    "sqlcmd": Flags(separate=("-P",), glued=("-P",)),
    "bcp": Flags(separate=("-P",), glued=("-P",)),
    "ldapsearch": Flags(separate=("-w",)),
    "ldapadd": Flags(separate=("-w",)),
    "ldapmodify": Flags(separate=("-w",)),
    "unzip": Flags(separate=("-P",)),
    "zip": Flags(separate=("-P",)),
    "7z": Flags(glued=("-p",)),
    "7za": Flags(glued=("-p",)),
    "rar": Flags(glued=("-p", "-hp")),
    "unrar": Flags(glued=("-p",)),
    "openssl": _OPENSSL,
    "lftp": Flags(account=("-u",)),
    "smbclient": Flags(account=("-U",)),
    "skopeo": _LOGIN,
    "crane": _LOGIN,
    "ab": Flags(account=("-A", "-P")),
    "ipmitool": Flags(separate=("-P",)),
    "useradd": Flags(separate=("-p",)),
    "usermod": Flags(separate=("-p",)),
    "snmpwalk": Flags(separate=("-A", "-X", "-c")),
    "snmpget": Flags(separate=("-A", "-X", "-c")),
    "osql": Flags(separate=("-P",), glued=("-P",)),
    "tsql": Flags(separate=("-P",)),
}
LOGINS = frozenset(["docker", "podman", "nerdctl", "helm", "az", "oras", "buildah", "oc", "argocd"])
_BY_WORD = {
    "airflow": ("users", Flags(separate=("-p",))),
    "prefect": ("login", Flags(separate=("-k",))),
    "gh": ("secret", Flags(separate=("-b", "--body"))),
}
"""Flags that tell only with this word before them."""
SHELLS = frozenset(["sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "busybox", "su", "runuser"])
REMOTE = frozenset(
    ["ssh", "watch", "parallel", "eval", "script", "flock", "xargs", "tmux", "screen"]
)
_SHELL_TEXT = pattern(r"-[a-z]*c")
_PYTHON = pattern(r"(?:python|pypy)[\d.]*t?")
_OWNERS = frozenset(
    [
        *("docker", "podman", "nerdctl", "kubectl", "gunicorn", "uwsgi", "install", "rsync"),
        *("chown", "docker-compose", "compose", "sudo", "chroot", "setpriv", "date", "sort"),
    ]
)
"""Their `-u`/`--user` is USER:GROUP."""
_TIME_OR_PLACE = pattern(
    r"\d{1,2}:\d\d(?::\d\d)?|(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|[\w-]+(?:\.[\w-]+)+):\d{1,5}"
    r"|\w:[\\/].*",
    re.DOTALL,
)
"""`12:30`, `db.example.org:5432`, `C:\\x`: no USER:PASSWORD."""
_ACCOUNT = pattern(r"(?P<user>[^:\s/]*):(?P<password>(?!//)\S.*)", re.DOTALL)
NAMED = pattern(
    rf"(?<![\w.-])(?:{'|'.join(sorted(map(re.escape, PROGRAMS), key=len, reverse=True))})(?=[ \t])"
)
"""One of them in a text."""


def flags_of(program: str, words: tuple[str, ...]) -> Flags:
    """Return the telling flags of a program.

    Args:
        program: Its name, without folders.
        words: What follows it, as far as it was read.
    """
    if program in _BY_WORD:
        word, flags = _BY_WORD[program]
        return flags if word in words else Flags()
    if program in ("http", "https") and "bearer" in words:
        return Flags(separate=("-a", "--auth"))
    if program in LOGINS:
        return _LOGIN if "login" in words else Flags()
    return PROGRAMS.get(program, Flags())


def is_account(value: str, program: str) -> bool:
    """Tell whether the value of `-u` is USER:PASSWORD, not USER:GROUP, and not a script."""
    if program == "smbclient" and "%" in value:
        return not value.endswith(f"%{MASK}")
    if value.endswith(":") and looks_random(value[:-1]):
        return True  # a key for a user, and no password
    found = _ACCOUNT.fullmatch(value)
    if found is None or "://" in value:
        return False
    user, password = found.groups()
    if is_harmless(password, "password"):
        return False
    if program in PROGRAMS:
        return True
    if _TIME_OR_PLACE.fullmatch(value):
        return False
    is_ids = password.isdigit() and user.isdigit()
    return not (is_ids or user == password or program in _OWNERS or user.endswith(".py"))


def is_shell_text(program: str, before: str) -> bool:
    """Tell whether the argument after `before` is a command line of its own."""
    return program in SHELLS and (
        _SHELL_TEXT.fullmatch(before) is not None or before == "--command"
    )


def is_python(program: str) -> bool:
    """Tell whether a program is an interpreter of Python."""
    return _PYTHON.fullmatch(program) is not None
