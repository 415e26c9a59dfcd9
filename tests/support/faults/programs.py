"""Programs that make life hard for whoever watches them.

Each writes "begun" and, as its last line, "end" and what it has done to the file of `sys.argv[1]`,
and ends with exit code 7.
"""

from __future__ import annotations

_HEAD = """
import os, sys, time
witness = open(sys.argv[1], "a", buffering=1)
def say(*words): print(*words, file=witness)
if "again" not in sys.argv: say("begun")
"""
_TAIL = """
sys.exit(7)
"""

EXEC = """
if "again" not in sys.argv:
    time.sleep(0.3)
    os.execv(sys.executable, [sys.executable, __file__, sys.argv[1], "again"])
sum(range(3_000_000))
say("end", "again")
"""

FORKS = """
pids = []
for number in range(200):
    pid = os.fork()
    if pid == 0:
        time.sleep(0.3)
        os._exit(number % 7)
    pids.append(pid)
codes = sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids)
say("end", codes)
"""

SETUID = """
os.setgroups([]); os.setgid(65534); os.setuid(65534)
end = time.monotonic() + 0.5
while time.monotonic() < end: sum(range(1000))
say("end", os.getuid(), os.geteuid())
"""

CLOSERANGE = """
end = time.monotonic() + 0.3
while time.monotonic() < end: sum(range(1000))
kept = witness.fileno()
os.closerange(3, kept); os.closerange(kept + 1, 4096)
files = [open("/dev/null", "wb") for _ in range(30)]
import json, decimal
try:
    import perftui
    with perftui.phase("x"):
        for n in range(1000): perftui.count("rows")
except ImportError: pass
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
say("end", sum(file.tell() for file in files))
"""

THREADS = """
import threading
gate = threading.Barrier(301)
def stand(): gate.wait(); time.sleep(0.3)
threads = [threading.Thread(target=stand) for _ in range(300)]
for thread in threads: thread.start()
gate.wait()
for thread in threads: thread.join()
say("end", len(threads))
"""

FLOODS = """
def flood(fd, letter):
    block = letter * 65_536
    sent = 0
    while sent < 40_000_000: sent += os.write(fd, block)
    return sent
import threading
both = []
one = threading.Thread(target=lambda: both.append(flood(2, b"e")))
one.start()
both.append(flood(1, b"o"))
one.join()
say("end", sum(both) >= 80_000_000)
"""

NAMESPACE = """
import subprocess
inside = "import os, sys, time; time.sleep(0.4); sys.exit(0 if os.getpid() == 1 else 9)"
done = subprocess.run(["unshare", "--pid", "--fork", sys.executable, "-c", inside])
say("end", done.returncode)
"""

PHASES = """
import perftui
for n in range(1_000_000):
    with perftui.phase("p"): pass
say("end", n)
"""

SAYS_END = {
    "exec": (EXEC, "end again"),
    "200 forks": (FORKS, f"end {sum(n % 7 for n in range(200))}"),
    "setuid": (SETUID, "end 65534 65534"),
    "closerange": (CLOSERANGE, "end 0"),
    "300 threads": (THREADS, "end 300"),
    "floods": (FLOODS, "end True"),
    "pid namespace": (NAMESPACE, "end 0"),
}
"""Each with its last line."""


def program(body: str) -> str:
    """Return the source of a program."""
    return _HEAD + body + _TAIL
