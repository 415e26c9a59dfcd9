"""Where a recording is sealed: here, or in a process that takes pyarrow with it when it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perftui.probes.own.python import own_module

if TYPE_CHECKING:
    from pathlib import Path


class NotSealed(Exception):
    """It could not be done; the text says why."""


class SealsHere:
    """Seals in this process, which holds pyarrow from then on.

    Args:
        directory: The recording.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def seal(self, number: int) -> dict[str, int]:
        """Seal a segment from its live files; returns the bytes by file name.

        Raises:
            Exception: whatever pyarrow or the disk has against it.
        """
        from perftui.probes.recording.write.seal import seal_live

        return seal_live(self._directory, number)

    def merge(self, first: int, last: int) -> dict[str, int]:
        """Merge segments, as `seal.merge` does.

        Raises:
            Exception: as above.
        """
        from perftui.probes.recording.write.seal import merge

        return merge(self._directory, first, last)


class SealsApart:
    """Starts a process for it, and waits for that.

    Args:
        directory: The recording.
        claim_fd: Descriptor of its claim: nobody may take the recording over before the process
            has ended, should the recorder end first.
    """

    def __init__(self, directory: Path, claim_fd: int) -> None:
        self._directory = directory
        self._claim_fd = claim_fd

    def seal(self, number: int) -> dict[str, int]:
        """See `SealsHere.seal`.

        Raises:
            NotSealed: it could not be done.
            OSError: no process can be started.
        """
        return self._run("seal", number)

    def merge(self, first: int, last: int) -> dict[str, int]:
        """See `SealsHere.merge`.

        Raises:
            NotSealed: it could not be done.
            OSError: no process can be started.
        """
        return self._run("merge", first, last)

    def _run(self, what: str, *numbers: int) -> dict[str, int]:
        import subprocess  # not for the start of every recording

        done = subprocess.run(
            own_module(
                "perftui.probes.recording.write.seal_main",
                str(self._directory),
                what,
                *map(str, numbers),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(self._claim_fd,),
            check=False,
        )
        try:
            said = json.loads(done.stdout)
        except ValueError:
            raise NotSealed(f"its process ended with {done.returncode}") from None
        if "problem" in said:
            raise NotSealed(said["problem"])
        sizes: dict[str, int] = said["sizes"]
        return sizes
