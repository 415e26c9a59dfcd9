"""`perftui doctor --report`: what somebody who mends a fault needs to know, to be pasted.

Nothing that names the person or the machine, and no secret: names of home folders, users and
hosts are left out, and all text goes through the one place that takes secrets out.
"""

from __future__ import annotations

import getpass
import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.text.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perftui.probes.doctor.checks import Check

_ASKED = ("TERM", "COLORTERM", "LANG", "LC_ALL", "TMUX", "SSH_TTY", "NO_COLOR")
_PREFIXES = ("PERFTUI_", "PYTHON")
_COMMON_NAMES = frozenset({"root", "user", "localhost"})
"""Names of users and hosts that tell nothing, and are words besides."""


def bug_report(groups: Mapping[str, Iterable[Check]], environment: Mapping[str, str]) -> str:
    """Return the report as Markdown.

    Args:
        groups: The checks of `doctor`, by group.
        environment: Of this process.
    """
    lines = ["### perftui doctor --report", ""]
    lines += [f"- {name} {found}" for name, found in _versions()]
    for name in sorted(environment):
        if name in _ASKED or name.startswith(_PREFIXES):
            # Where it stands is no one's business; whether it is set is.
            value = "set" if name in ("TMUX", "SSH_TTY") else f"`{environment[name]}`"
            lines.append(f"- {name}: {value}")
    for title, checks in groups.items():
        lines += ["", f"**{title}**", "", "| | check | found | so |", "|---|---|---|---|"]
        lines += [
            "| " + " | ".join(_cell(text) for text in row) + " |"
            for row in ((c.status, c.name, c.found, c.follows) for c in checks)
        ]
    return _anonymous("\n".join(lines), environment)


def _versions() -> list[tuple[str, str]]:
    names = ["perftui"]
    with suppress(PackageNotFoundError):
        needed = [word for word in requires("perftui") or () if "extra ==" not in word]
        names += [re.split(r"[^\w.-]", word)[0] for word in needed]
    found = []
    for name in dict.fromkeys(names):
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anonymous(text: str, environment: Mapping[str, str]) -> str:
    text = "\n".join(redact_text(line) for line in text.split("\n"))
    home = str(Path(environment.get("HOME") or Path.home()))
    if len(home) > 1:
        text = text.replace(home, "~")
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = ""
    for name, word in ((user, "USER"), (platform.node(), "HOST")):
        if len(name) > 1 and name.lower() not in _COMMON_NAMES:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", word, text)
    return text
