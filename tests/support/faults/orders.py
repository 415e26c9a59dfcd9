"""Each of perftui's processes killed, stopped, continued, in random order and at random moments."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from support.faults.attacked import LIMIT_S, Attacked

if TYPE_CHECKING:
    from pathlib import Path

WORKS = """
import os, subprocess, sys, time
out = open(sys.argv[1], "w", buffering=1)
def work(n):
    return sum(i * i for i in range(n))
total, kept = 0, []
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1); print('child')"],
                         stdout=subprocess.PIPE)
print("begun", file=out)
for n in range(60):
    total += work(4_000)
    kept.append(bytearray(b"x") * 100_000)
    print("line", n, "x" * 2_000, flush=True)
    print("error", n, file=sys.stderr, flush=True)
    time.sleep(0.02)
said = child.communicate()[0].decode().strip()
print("end", total, len(kept), said, file=out)
sys.exit(7)
"""
TOTAL = 60 * sum(i * i for i in range(4_000))
WITNESS = f"begun\nend {TOTAL} 60 child\n"
MAIN, DRAIN = "perftui", "drain"
VICTIMS = (MAIN, DRAIN, "sampler", "recorder", "sealer")
SIGNALS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGTERM)


class Outcome(NamedTuple):
    """What a trial did, and what did not survive."""

    screen: bool
    done: list[tuple[str, str]]
    """Signals that were sent, and to which of our processes."""
    lost: list[str]
    """In words; empty if all survived."""


def trial(folder: Path, seed: str) -> Outcome:
    """Run a program under perftui and send signals to perftui's processes, never to the program.

    What was stopped is continued before the end: a person who stops a recorder for good has
    stopped it. The program must end as it would have, perftui must end with it if it lives, the
    recording must be readable, nothing may be left running.
    """
    rng = random.Random(seed)
    screen = rng.random() < 0.4
    run = Attacked(folder, WORKS, screen=screen)
    done: list[tuple[str, str]] = []
    stopped: set[int] = set()
    try:
        begun = rng.random() < 0.85
        if begun and not run.wait_for_witness("begun"):
            return Outcome(screen, done, [f"the program did not begin: {run.words()}"])
        for _ in range(rng.choice((1, 2, 4, 8))):
            run.read_terminal(rng.random() * 0.25)
            ours = [(pid, role) for pid, role in run.ours().items() if role in VICTIMS]
            if not ours:
                break
            pid, role = rng.choice(ours)
            number = rng.choice(SIGNALS)
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                done.append((number.name, role))
                if number == signal.SIGSTOP:
                    stopped.add(pid)
        run.read_terminal(rng.random() * 0.3)
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        return Outcome(screen, done, _lost(run, done, screen))
    finally:
        run.close()


def _lost(run: Attacked, done: list[tuple[str, str]], screen: bool) -> list[str]:
    lost = []
    ended = [role for name, role in done if name in ("SIGKILL", "SIGTERM")]
    main_ended = MAIN in ended
    # A person who ends perftui by SIGTERM ends what it has launched: that is what it is for. And
    # where nobody is left to take it, output ends the program that writes it, as behind `| head`.
    may_end_early = ("SIGTERM", MAIN) in done or (main_ended and DRAIN in ended)
    if not main_ended and not run.wait_for_witness("begun"):
        return [f"the program did not begin: {run.words()}"]
    if not run.wait_for_target():
        return [f"the program did not end in {LIMIT_S:.0f} s"]
    code = run.wait_for_perftui(by_signal=screen)
    witness = run.witness.read_text() if run.witness.exists() else ""
    if witness != WITNESS and not may_end_early and (witness or not main_ended):
        lost.append(f"the program did {witness[-60:]!r}")
    if code is None:
        lost.append("perftui did not end")
    elif not main_ended and code not in ((7, 143, -15) if screen else (7,)):
        lost.append(f"exit code {code}: {run.words()}")
    if not main_ended and "Traceback" in run.said():
        lost.append(f"traceback: {run.said()[-600:]}")
    if left := run.left():
        lost.append(f"left running: {left}")
    # A recorder that is killed before it has written anything leaves nothing, and that is said.
    if (run.recording / "meta.json").exists():
        if why := run.unreadable():
            lost.append(f"the recording: {why}")
    elif not main_ended and "record" not in run.said():
        lost.append(f"no recording, unsaid: {run.words()}")
    return lost
