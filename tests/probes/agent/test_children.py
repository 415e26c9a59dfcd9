"""What a watched program starts is watched, too: forks, workers and Python programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import perftui

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]

TOP_IMPORT = """
import multiprocessing, os, sys
import perftui
def work(n):
    with perftui.phase("work %d" % n):
        import wave
        perftui.count("rows", n); perftui.count("rows", n)
    return n
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with perftui.phase("main"), multiprocessing.Pool(2, maxtasksperchild=1) as pool:
        print(pool.map(work, range(1, 4), chunksize=1), perftui.__file__)
        pool.close(); pool.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_arrive(watched: Run, python: str, tmp_path: Path, method: str) -> None:
    (tmp_path / "program.py").write_text(TOP_IMPORT)
    check_workers(watched(python, "program.py", method))


def test_workers_arrive_where_perftui_is_installed(watched: Run, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(TOP_IMPORT)
    package = Path(perftui.__file__).parent
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "perftui").symlink_to(package)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "lib")}
    recorded = watched(sys.executable, "program.py", "forkserver", env=env)
    check_workers(recorded)
    assert b"__init__.py" in recorded.outcome.stdout


def check_workers(recorded: Any) -> None:
    assert recorded.outcome.exit_code == 0, recorded.outcome.stderr
    assert recorded.outcome.stdout.startswith(b"[1, 2, 3] ")
    assert not recorded.of("error")
    main = recorded.of("hello")[0]["pid"]
    begun = {line["name"]: line["pid"] for line in recorded.of("phase")}
    assert sorted(begun) == ["main", "work 1", "work 2", "work 3"]
    workers = {pid for name, pid in begun.items() if name != "main"}
    assert len(workers) == 3 and main not in workers
    assert {line["pid"] for line in recorded.of("import") if line["module"] == "wave"} == workers
    totals = {line["pid"]: line["total"] for line in recorded.of("count")}
    assert sorted(totals.values()) == [2, 4, 6]


def test_a_process_pool_executor(watched: Run, python: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from concurrent.futures import ProcessPoolExecutor\n"
        "import perftui\n"
        "@perftui.call('job')\n"
        "def job(n): return n * n\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPoolExecutor(2) as pool: print(sum(pool.map(job, range(8))))\n"
    )
    recorded = watched(python, "program.py")
    assert recorded.outcome == (0, b"140\n", b"")
    main = recorded.of("hello")[0]["pid"]
    calls = [line["pid"] for line in recorded.of("call")]
    assert len(calls) == 8 and main not in calls


@pytest.mark.live
def test_workers_of_xdist(watched: Run, tmp_path: Path) -> None:
    """They read their program from standard input: they are Python all the same."""
    (tmp_path / "test_it.py").write_text(
        "import perftui, pytest\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_it(n):\n"
        "    with perftui.phase('test %d' % n): import wave\n"
    )
    pytest_words = ("-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "test_it.py")
    recorded = watched(sys.executable, *pytest_words)
    assert recorded.outcome.exit_code == 0, recorded.outcome.stdout
    begun = {line["name"]: line["pid"] for line in recorded.of("phase")}
    assert sorted(begun) == [f"test {n}" for n in range(4)]
    assert recorded.of("hello")[0]["pid"] not in begun.values()


@pytest.mark.parametrize("started", ["forked", "spawned"])
def test_what_is_held_back_leaves_before_os_exit(
    watched: Run, python: str, tmp_path: Path, started: str
) -> None:
    (tmp_path / "child.py").write_text(
        "import os, perftui\n"
        "def work():\n    for _ in range(1000): perftui.count('rows', 2)\n    os._exit(5)\n"
        "if __name__ == '__main__': work()\n"
    )
    start = {
        "forked": "import child, os\npid = os.fork()\nif pid == 0: child.work()\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n",
        "spawned": "import subprocess, sys\nprint(subprocess.call([sys.executable, 'child.py']))\n",
    }
    (tmp_path / "program.py").write_text(start[started])
    recorded = watched(python, "program.py")
    assert recorded.outcome == (0, b"5\n", b"")
    assert recorded.of("count")[-1]["total"] == 2000


SUBPROCESSES = """
import os, subprocess, sys
def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, **options)
    print(done.returncode, b"PERFTUI_AGENT" in done.stdout, done.stdout[:3])
code = "import wave, os, sys; print(%d, dict(os.environ), sys.path)"
run(sys.executable, "-c", code % 1)
run(sys.executable, "-W", "ignore", "-c", code % 2, env={"PYTHONPATH": "x", "A": "b"}, cwd="/")
run(sys.executable, "-c", code % 3, close_fds=False)
run(os.path.abspath("script"), "4")
run(sys.executable, "-I", "-c", code % 5)
run(sys.executable, "-sE", "-c", code % 6)
run("env")
run("sh", "-c", "env")
try: run("no such program")
except FileNotFoundError as error: print(error)
try: run(sys.executable, "-c", "\\0")
except ValueError as error: print(error)
"""


def test_python_programs_are_watched_and_others_see_nothing(
    watched: Run, python: str, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(SUBPROCESSES)
    script = tmp_path / "script"
    script.write_text(f"#!{python}\nimport wave, sys, os; print(sys.argv[1], dict(os.environ))\n")
    script.chmod(0o755)
    recorded = watched(python, "program.py")
    assert recorded.outcome.stderr == b""
    said = recorded.outcome.stdout.decode().splitlines()
    assert [line.split()[:2] for line in said[:8]] == [["0", "False"]] * 8
    assert said[8:] == [
        "[Errno 2] No such file or directory: 'no such program'",
        "embedded null byte",
    ]
    parent, *children = recorded.of("hello")
    assert [child["ppid"] for child in children] == [parent["pid"]] * 4
    seen = {line["pid"] for line in recorded.of("import") if line["module"] == "wave"}
    assert seen == {child["pid"] for child in children}
    assert "bye" in {line["k"] for line in recorded.lines if line["pid"] == children[-1]["pid"]}
    # Its own memory, not that of who started it.
    assert all(line["rss"] > 1_000_000 for line in recorded.of("import"))


def test_a_program_that_closed_our_descriptors_starts_children(
    watched: Run, python: str, tmp_path: Path
) -> None:
    """A descriptor that is no longer open, or no longer ours, must not be handed on."""
    (tmp_path / "program.py").write_text(
        "import os, subprocess, sys\n"
        "os.close(int(sys.argv[1]))\n"
        "print(subprocess.run([sys.executable, '-c', 'print(5)'], stdout=-1).stdout)\n"
        "os.open('/dev/null', os.O_RDONLY); os.dup2(0, int(sys.argv[1]))\n"
        "print(subprocess.run([sys.executable, '-c', 'print(6)'], stdout=-1).stdout)\n"
    )
    for fd in (200, 201, 202):
        recorded = watched(python, "program.py", str(fd))
        assert recorded.outcome == (0, b"b'5\\n'\nb'6\\n'\n", b""), fd


SUBINTERPRETERS = """
import sys
if sys.version_info >= (3, 14):
    import concurrent.interpreters as interpreters
    inner = interpreters.create(); run = inner.exec
elif sys.version_info >= (3, 13):
    import _interpreters
    inner = _interpreters.create(); run = lambda code: _interpreters.exec(inner, code)
else:
    import _xxsubinterpreters
    inner = _xxsubinterpreters.create(); run = lambda c: _xxsubinterpreters.run_string(inner, c)
import perftui
run('''
import sys, wave, perftui
with perftui.phase("inside"): perftui.count("n")
assert list(perftui.watch([1, 2])) == [1, 2]
assert not any("agent/hook" in entry for entry in sys.path), sys.path
print("inside", "_perftui_agent" in sys.modules, flush=True)
''')
with perftui.phase("outside"): import wave
"""


def test_subinterpreters_are_unharmed(watched: Run, python: str) -> None:
    recorded = watched(python, "-c", SUBINTERPRETERS)
    assert recorded.outcome.stdout == b"inside False\n", recorded.outcome.stderr
    assert recorded.outcome.exit_code == 0
    assert [line["name"] for line in recorded.of("phase")] == ["outside"]
    assert "wave" in {line["module"] for line in recorded.of("import")}
    assert not recorded.of("error") and not recorded.of("notice")
