"""What an environment is to hold: an interpreter and the packages that were asked for."""

from __future__ import annotations

import hashlib
import json
import re
from typing import NamedTuple

_NAME_CHARACTERS = re.compile(r"[^a-z0-9.]+")
_KEY_DIGITS = 12


class WantedEnvironment(NamedTuple):
    """An environment as it is asked for; equal ones share a folder."""

    python: str
    """The path of the interpreter that it is made from."""
    version: str
    """Of that interpreter: "3.11.7". Another one at the same path gets another folder."""
    packages: tuple[str, ...]
    """Requirements as an installer reads them: "pylance==14.0.2", "pyarrow", a folder's path.
    The first gives the folder its name."""
    constraints: tuple[str, ...] = ()
    """Versions that whatever is installed must have: "numpy==2.3.1"."""
    state: str = ""
    """What else tells it from others: the commit of a folder that is installed."""

    def key(self) -> str:
        """Return the folder's name: readable, and different for all that differs."""
        told = json.dumps(
            [self.python, self.version, sorted(self.packages), sorted(self.constraints), self.state]
        )
        digest = hashlib.sha256(told.encode()).hexdigest()[:_KEY_DIGITS]
        first = self.packages[0].rpartition("/")[2] if self.packages else "empty"
        name = _NAME_CHARACTERS.sub("-", first.lower()).strip("-.")[:40]
        short = ".".join(self.version.split(".")[:2])
        return f"{name}-py{short}-{digest}"
