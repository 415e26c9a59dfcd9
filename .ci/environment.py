"""Lay out a virtual environment that has pip, also where Python comes without ensurepip.

    PYTHON environment.py FOLDER

Distributions split Python up: Debian's python3 has `venv` but neither ensurepip nor pip until
python3-venv or python3-pip is installed. What is there is used; what is missing is said.
"""

import glob
import os
import shutil
import subprocess
import sys
import sysconfig

OLDEST = (3, 11)


def main(folder):
    """Return the exit code: 0 when FOLDER/bin/python and its pip work."""
    if sys.version_info < OLDEST:
        wanted = ".".join(str(part) for part in OLDEST)
        have = ".".join(str(part) for part in sys.version_info[:3])
        print(
            "perftui needs Python %s or newer, this one is %s: make PYTHON=python3.12"
            % (wanted, have),
            file=sys.stderr,
        )
        return 2
    python = os.path.join(folder, "bin", "python")
    if succeeds([sys.executable, "-m", "venv", "--clear", folder]) and has_pip(python):
        return 0
    # --clear: what the failed attempt left would be taken for a whole environment.
    if succeeds([sys.executable, "-m", "venv", "--clear", "--without-pip", folder]):
        for command, environment in ways_to_pip(python):
            if succeeds(command, environment) and has_pip(python):
                return 0
    shutil.rmtree(folder, ignore_errors=True)
    print(
        "%s can make no virtual environment with pip: it has no working ensurepip and no pip.\n"
        "Debian, Ubuntu: apt-get install python3-venv. Elsewhere: install pip or uv for it,\n"
        "or choose another: make PYTHON=python3.12" % sys.executable,
        file=sys.stderr,
    )
    return 2


def ways_to_pip(python):
    """Yield commands that may install pip for `python`, with the environment of each."""
    yield [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"], {}
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), sys.base_prefix + "/share/python-wheels"]
    for place in filter(None, folders):
        for wheel in sorted(glob.glob(os.path.join(place, "pip-*.whl")), reverse=True):
            yield [python, "-m", "pip", "install", "--quiet", "pip"], {"PYTHONPATH": wheel}
    uv = shutil.which("uv")
    if uv:
        yield [uv, "pip", "install", "--quiet", "--python", python, "pip"], {}


def has_pip(python):
    """Whether pip starts there: an old one on a new Python may not."""
    return succeeds([python, "-m", "pip", "--version"])


def succeeds(command, environment=None):
    """Run a command without its words."""
    try:
        ended = subprocess.run(
            command,
            env=dict(os.environ, **(environment or {})),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return ended.returncode == 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: PYTHON environment.py FOLDER")
    sys.exit(main(sys.argv[1]))
