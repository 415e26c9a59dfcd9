"""Entry by path: makes a package of this folder without the packages around it, and runs it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load() -> Any:
    """Return the module `loop` of the package."""
    package = type(sys)("perftui_sampler")
    package.__path__ = [__file__.rpartition("/")[0] or "."]
    sys.modules["perftui_sampler"] = package
    from perftui_sampler import loop  # type: ignore[import-not-found]

    return loop


if __name__ == "__main__":
    sys.exit(load().main(sys.argv[1:]))
