"""The process that compacts a recording while it goes on: pyarrow is here, and gone again after.

    python -m perftui.probes.recording.write.seal_main DIRECTORY seal NUMBER
    python -m perftui.probes.recording.write.seal_main DIRECTORY merge FIRST LAST

Says the bytes by file name, or why not, as one JSON object.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from perftui.probes.own.unneeded import hide_unneeded
from perftui.probes.recording.write.seal_apart import SealsHere
from perftui.probes.text.reason import reason_of


def main(words: list[str]) -> int:
    """Run as a process."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # as the recorder that waits for it
    hide_unneeded()
    directory, what, *numbers = words
    seals = SealsHere(Path(directory))
    try:
        if what == "seal":
            sizes = seals.seal(int(numbers[0]))
        else:
            sizes = seals.merge(int(numbers[0]), int(numbers[1]))
    except Exception as error:  # the rows are safe in the live files
        print(json.dumps({"problem": reason_of(error)}))
        return 1
    print(json.dumps({"sizes": sizes}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
