"""Everything that perftui reads, spoiled, for some minutes: does it stay in bounds?

    python benchmarks/fuzz.py [--minutes 5] [--seed N] [--keep FOLDER]

Every trial (see fuzz_inputs.py) is a process of its own that may take 30 s and 3 GB of address
space, must stay below 1.5 GB of RSS, must end with an exit code of 0 to 3, print no traceback, and
write into its own folder alone. As root in a container of its own, the whole file system is one
layer on top of the real one, and whatever appears in that layer was written elsewhere; without that
right only the recordings that are read are looked at. What is wrong is kept with its command, to
become a test; the exit code is 1 then. The same seed gives the same trials.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pty
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)
from fuzz_inputs import Good, some_trial  # noqa: E402

from perftui.probes.own.python import own_module  # noqa: E402

if TYPE_CHECKING:
    from fuzz_inputs import Trial

LIMIT_S = 30
ADDRESSES_BYTES = 3 << 30
RESIDENT_BYTES = 1_500_000_000
"""DuckDB may take 1 GB (`query.MEMORY_LIMIT`), and more only if it errs."""
CODES = (0, 1, 2, 3)
LAYER = "PERFTUI_FUZZ_LAYER"
PROGRAM = """
import time, perftui
kept = []
with perftui.phase("load"):
    for n in range(30):
        with perftui.call("batch"): kept.append(b"x" * 400_000); time.sleep(.02)
        perftui.count("rows", 1000)
perftui.mark("done")
import decimal, csv, json
end = time.time() + .5
while time.time() < end: sum(range(1000))
"""


class Ended(NamedTuple):
    """How a trial's process ended."""

    code: int
    text: bytes
    """What it wrote, to either stream; of a screen all that came to the terminal."""
    in_time: bool
    resident_bytes: int


def make_good(folder: Path) -> Good:
    from support.recordings.made import make, make_own

    real = folder / "real.perftui"
    options = ("--headless", "--record", str(real), "--", sys.executable, "-c", PROGRAM)
    subprocess.run(own_module("perftui", "run", *options), check=True, capture_output=True)
    made = make_own(folder / "family.perftui", seconds=12)
    died = make(folder / "died.perftui", seconds=9, close=False)
    baseline = folder / "base.json"
    bench = ("bench", "--runs", "2", "--time-limit", "20", "--save", str(baseline), "--")
    argv = own_module("perftui", *bench, sys.executable, "-c", "sum(range(10**6))")
    subprocess.run(argv, capture_output=True, env={**os.environ, "HOME": str(folder / "home")})
    return Good((real, made, died), baseline)


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES_BYTES, ADDRESSES_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(trial: Trial, world: Path) -> Ended:
    home = world / "home"
    home.mkdir(exist_ok=True)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(home),
        "TMPDIR": str(home),
        "TERM": "xterm-256color",
        "XDG_CACHE_HOME": str(home / "cache"),
        "PERFTUI_RECORDINGS": str(home / "shelf"),
        "OMP_NUM_THREADS": "1",
    }
    if trial.settings is not None:
        (home / "settings.toml").write_bytes(trial.settings.encode("latin-1", "replace"))
        environment["PERFTUI_CONFIG"] = str(home / "settings.toml")
    terminal, stdin = -1, subprocess.DEVNULL
    output = tempfile.TemporaryFile(dir=home)  # noqa: SIM115
    words = [
        word.encode("utf-8", "surrogateescape") for word in own_module("perftui", *trial.words)
    ]
    if trial.keys:
        terminal, stdin = pty.openpty()
    process = subprocess.Popen(
        words,
        stdin=stdin,
        stdout=stdin if trial.keys else output,
        stderr=stdin if trial.keys else output,
        cwd=world,
        env=environment,
        preexec_fn=limit,
        start_new_session=True,
    )
    if trial.keys:
        os.close(stdin)
        output.write(_typed(terminal, trial.keys, process))
    usage, in_time = _wait(process.pid)
    process.returncode = os.waitstatus_to_exitcode(usage[0])
    if trial.keys:
        output.write(_read(terminal, 0.2))
        os.close(terminal)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    output.seek(0)
    return Ended(process.returncode, output.read(), in_time, usage[1] * 1024)


def _typed(terminal: int, keys: str, process: subprocess.Popen[bytes]) -> bytes:
    """Type on a screen, leave it as one leaves, then by a signal; return what it has shown."""
    shown = _read(terminal, 1.5)
    with suppress(OSError):
        for key in keys:
            os.write(terminal, key.encode())
            shown += _read(terminal, 0.02)
        shown += _read(terminal, 1)
        for _ in range(6):
            os.write(terminal, b"\x1b")
            shown += _read(terminal, 0.15)
            os.write(terminal, b"q")
            shown += _read(terminal, 0.3)
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    end = time.monotonic() + 10
    while time.monotonic() < end and not os.waitid(
        os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
    ):
        shown += _read(terminal, 0.1)
    return shown


def _read(terminal: int, patience_s: float) -> bytes:
    data = b""
    end = time.monotonic() + patience_s
    while (left := end - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            data += os.read(terminal, 1 << 16)
        except OSError:
            time.sleep(min(left, 0.05))
            break
    return data


def _wait(pid: int) -> tuple[tuple[int, int], bool]:
    """Return ((status, highest RSS in kB), whether it ended of itself)."""
    end, in_time = time.monotonic() + LIMIT_S, True
    while True:
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            return (status, used.ru_maxrss), in_time
        if time.monotonic() > end and in_time:
            in_time = False
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.01)


def judged(trial: Trial, ended: Ended) -> str:
    """Return what is wrong with an end, "" if nothing."""
    said = ended.text.decode(errors="replace").strip().splitlines()
    last = said[-1][-300:] if said else ""
    if not ended.in_time:
        return f"no end after {LIMIT_S} s"
    if _our_traceback(trial, said):
        return f"traceback: {last}"
    if ended.resident_bytes > RESIDENT_BYTES:
        return f"{ended.resident_bytes / 1e6:.0f} MB of RSS: {last}"
    allowed = trial.any_code and ended.code >= 0
    if ended.code not in CODES and not allowed and not (trial.keys and ended.code in (-15, 143)):
        return f"exit code {ended.code}: {last}"
    return ""


def _our_traceback(trial: Trial, said: list[str]) -> bool:
    """A program of a trial may fail: its traceback is its own, and does not end in our code."""
    places = [n for n, line in enumerate(said) if "Traceback (most recent call last)" in line]
    if not places:
        return any("Traceback (most recent" in line for line in said)
    if not trial.any_code:
        return True
    frames = [line for line in said[places[-1] :] if line.lstrip().startswith('File "')]
    return bool(frames) and any(part in frames[-1] for part in ("/probes/", "/tui/"))


def content(folders: tuple[Path, ...]) -> str:
    """Return a digest of all that is in some folders."""
    digest = hashlib.sha256()
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        digest.update(str(path).encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def written_elsewhere(layer: Path | None, folder: Path) -> list[str]:
    """Return the files of the layer on top of the file system; they are taken away."""
    found = []
    for path in sorted(layer.rglob("*")) if layer else ():
        if path.is_dir() and not path.is_symlink():
            continue
        place = Path("/", path.relative_to(layer or path))
        if "__pycache__" in place.parts or place.is_relative_to(folder):
            continue
        found.append(str(place))
        path.unlink()
    return found


def in_a_layer(keep: Path) -> int | None:
    """Run this again on a layer over the file system; None if there is no right to.

    mount(8) and chroot(8) do it, in a mount namespace that goes with the last of its processes.
    """
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return None
    keep.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="perftui-fuzz-"))
    script = """set -e
    place="$1"; keep="$2"; shift 2
    mount -t tmpfs layer "$place"; cd "$place"; mkdir up work all trials
    mount -t overlay all -o lowerdir=/,upperdir="$place/up",workdir="$place/work" all
    mount --rbind /proc all/proc; mount --rbind /dev all/dev
    mount --bind "$place" "all$place"; mount --bind "$keep" "all$keep"
    exec chroot all "$@" """
    words = [sys.executable, str(Path(__file__).resolve()), *sys.argv[1:], "--keep", str(keep)]
    argv = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
    environment = {**os.environ, LAYER: str(place)}
    try:
        done = subprocess.run([*argv, str(place), str(keep), *words], env=environment)
        return done.returncode if done.returncode in (0, 1) else None
    finally:
        place.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trial", type=int, help="only this one of the seed's")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-finds"))
    args = parser.parse_args()
    keep = args.keep.resolve()
    place = os.environ.pop(LAYER, None)
    if place is None:
        code = in_a_layer(keep)
        if code is not None:
            return code
        print("no right to a layer over the file system: only what is read is watched", flush=True)
    above = Path(place) / "trials" if place else None
    layer = Path(place) / "up" if place else None
    found = 0
    tried: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="perftui-fuzz-", dir=above) as name:
        folder = Path(name)
        good = make_good(folder)
        was = content(good.folders)
        written_elsewhere(layer, folder)
        end = time.monotonic() + 60 * args.minutes
        number = args.trial or 0
        while time.monotonic() < end:
            number += 1
            if args.trial:
                number = args.trial
            world = folder / "world"
            world.mkdir()
            trial = some_trial(world, good, random.Random(f"{args.seed}-{number}"))
            tried[trial.kind] += 1
            outside = set(folder.iterdir())
            ended = run(trial, world)
            wrong = judged(trial, ended)
            if not wrong and content(good.folders) != was:
                wrong = "a good recording was changed"
            if not wrong and set(folder.iterdir()) != outside:
                wrong = "it wrote outside of its folder"
            elsewhere = written_elsewhere(layer, folder)
            if not wrong and elsewhere:
                wrong = f"it wrote {', '.join(elsewhere[:3])}"
            if args.trial:
                print(trial, ended, sep="\n")
            if wrong:
                found += 1
                kept = keep / f"{args.seed}-{number}"
                shutil.rmtree(kept, ignore_errors=True)
                ignore = shutil.ignore_patterns("shelf", "cache")
                shutil.copytree(world, kept, symlinks=True, ignore=ignore)
                (kept / "command").write_text(f"{trial!r}\n{wrong}\n", errors="backslashreplace")
                (kept / "said").write_bytes(ended.text[-100_000:])
                print(f"{kept}: {wrong}\n    {trial.words!r}"[:1_000], flush=True)
            shutil.rmtree(world)
            if args.trial:
                break
    print(f"{args.minutes:g} min, {sum(tried.values())} trials {dict(tried)}, {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
