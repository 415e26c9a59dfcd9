"""Entry by path: makes a package of this folder without the packages around it, and runs it."""

import sys

if __name__ == "__main__":
    folder = __file__.rpartition("/")[0] or "."
    package = type(sys)("perftui_sampler")
    package.__path__ = [folder]
    sys.modules["perftui_sampler"] = package
    from perftui_sampler.loop import main  # type: ignore[import-not-found]

    sys.exit(main(sys.argv[1:]))
