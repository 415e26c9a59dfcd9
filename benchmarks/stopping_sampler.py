"""The own sampler, but it stops the program while it reads (SIGSTOP): what it says then holds.

Run in the place of `probes/sampler/start.py`, with the same arguments. It is no sampler to use: a
program is stopped for some 100 µs at each look.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

_MOST_ASKED = 2_000


def main() -> int:
    """Run the sampler; see `probes/sampler/loop`."""
    sys.path.append(str(Path(__file__).resolve().parent.parent / "probes" / "sampler"))
    import start  # type: ignore[import-not-found]

    loop = start.load()
    from perftui_sampler import memory  # type: ignore[import-not-found]

    gather = memory.Memory.gather

    def stopped_gather(self, *what) -> bool:  # type: ignore[no-untyped-def]
        os.kill(self.pid, signal.SIGSTOP)
        try:
            for _ in range(_MOST_ASKED):
                state = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
                if state == b"T":
                    break
            return bool(gather(self, *what))
        finally:
            os.kill(self.pid, signal.SIGCONT)

    memory.Memory.gather = stopped_gather
    return int(loop.main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
