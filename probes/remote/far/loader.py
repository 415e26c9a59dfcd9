"""The first lines that run at the far end: `python -I -S -c` gives them its stream as `f`.

They keep what has travelled in memory, make it importable, and go on there. This file is text to
the near end, which sends it; so it is plain Python that any version from 3 on can read, and
nothing of ours is there yet.
"""

import os
import sys


def begin(stream):  # type: ignore[no-untyped-def]
    """Take the archive that comes, and run what is in it."""
    size = int(stream.readline())
    archive = stream.read(size)
    if len(archive) < size:
        return 96
    try:
        held = os.memfd_create("perftui")
    except (AttributeError, OSError):  # an older libc or kernel, or another system
        held = -1
    if held < 0:
        import tempfile

        with tempfile.TemporaryFile() as file:
            held = os.dup(file.fileno())
    with os.fdopen(os.dup(held), "wb") as out:
        out.write(archive)
    place = "/proc/self/fd/%d" % held  # noqa: UP031
    if not os.path.exists(place):  # noqa: PTH110
        place = "/dev/fd/%d" % held  # noqa: UP031
    if not sys.platform.startswith("linux"):  # psutil answers there, if it is installed
        import site

        site.main()
    sys.path.insert(0, place)
    from perftui.probes.remote.far.end import main

    return main(stream, place + "/perftui/probes/sampler", held)


sys.exit(begin(f))  # type: ignore[name-defined, no-untyped-call]  # noqa: F821
