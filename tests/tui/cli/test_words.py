"""The exit code is the target's, a gate's or the command's, whatever becomes of our words."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERFTUI = f"{shlex.quote(sys.executable)} -m perftui"
ENDS_WITH_7 = "run --headless -c 'import sys; sys.exit(7)'"
FULL = "No space left on device"
CLOSED = "Bad file descriptor"


def shell(line: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which PERFTUI stands for the program."""
    return subprocess.run(
        ["bash", "-c", line.replace("PERFTUI", PERFTUI)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=90,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture(scope="module", autouse=True)
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERFTUI_RECORDINGS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def recording(shelf: Path) -> str:
    done = shell(f"PERFTUI run --headless --record {shelf}/café.perftui -c pass")
    assert done.returncode == 0, done.stderr
    return shlex.quote(f"{shelf}/café.perftui")


@pytest.fixture(scope="module")
def larger(shelf: Path) -> str:
    done = shell(
        f"PERFTUI run --headless --record {shelf}/b.perftui -c 'x = bytearray(90_000_000)'"
    )
    assert done.returncode == 0, done.stderr
    return f"{shelf}/b.perftui"


@pytest.mark.parametrize(
    "where",
    ["2>/dev/full", "2>&-", "<&- >&- 2>&-", "2>&1 >/dev/null | true"],
)
def test_nobody_reads_our_remarks(where: str) -> None:
    assert shell(f"set -o pipefail; PERFTUI {ENDS_WITH_7} {where}").returncode == 7
    if where != "2>&-":  # a shell's pipe makes no difference to a code of 0
        assert shell(f"set -o pipefail; PERFTUI run --headless -c pass {where}").returncode == 0


def test_a_reader_of_remarks_that_leaves_midway_leaves_the_program_running(tmp_path: Path) -> None:
    code = (
        "import perftui, sys, time\n"
        "print('begun', file=sys.stderr, flush=True)\n"
        "time.sleep(1.5)\n"  # two looks for notices: at the second one there is nobody any more
        f"open({str(tmp_path / 'done')!r}, 'w').close()\n"
        "sys.exit(7)\n"
    )
    line = f"set -o pipefail; PERFTUI run --no-stacks -c {shlex.quote(code)} 2>&1 | head -n 1"
    assert shell(line).returncode == 7
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("where", ["2>/dev/full", ">&- 2>&-", "| true"])
def test_a_gate_is_judged_though_nobody_is_told(tmp_path: Path, where: str) -> None:
    rows = ["t_s,rss_bytes,cpu_percent", *(f"{t / 10},{10**8 + t * 10**6},50" for t in range(900))]
    trace = tmp_path / "leak.csv"
    trace.write_text("\n".join(rows) + "\n")
    line = f"PERFTUI detect {trace} --fail-on mem_growth {where}"
    assert shell(f"set -o pipefail; {line}").returncode == 1


@pytest.mark.parametrize("where", [">/dev/full", ">&- 2>&-", "| true"])
def test_a_broken_rule_fails_though_nobody_is_told(recording: str, larger: str, where: str) -> None:
    line = f"PERFTUI compare {recording} {larger} --fail-on 'peak_rss>+10%' {where}"
    assert shell(f"set -o pipefail; {line}").returncode == 1


COMMANDS = [
    "--help",
    "list scenarios",
    "demo --list",
    "export --list",
    "summary HERE --json",
    "query HERE",
    "query HERE 'FROM range(30000)' --format csv",
    "query HERE 'FROM range(30000)' --format parquet",
    "export HERE --format chrome-trace -o -",
    "export HERE --format csv -o -",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_answer_that_cannot_be_written_is_an_error(recording: str, command: str) -> None:
    command = command.replace("HERE", recording)
    done = shell(f"PERFTUI {command} >/dev/full")
    assert done.returncode == 2
    assert done.stderr == f"perftui: cannot write to standard output: {FULL}\n"


def test_a_closed_standard_output_is_told_and_a_reader_that_left_is_not(recording: str) -> None:
    done = shell(f"PERFTUI summary {recording} >&-")
    assert (done.returncode, CLOSED in done.stderr) == (2, True)
    many = f"PERFTUI query {recording} 'FROM range(1000000)' --format csv"
    for line in (many, "PERFTUI --help"):
        done = shell(f"set -o pipefail; {line} | head -n 1")
        assert (done.returncode, done.stderr) == (0, ""), line


@pytest.mark.parametrize(("where", "why"), [(">/dev/full", FULL), (">&-", CLOSED)])
def test_figures_that_cannot_be_written_are_not_green(where: str, why: str) -> None:
    done = shell(f"PERFTUI run --json - -c pass {where}")
    assert done.returncode == 2
    assert why in done.stderr
    ended = shell(f"PERFTUI run --json - -c 'import sys; sys.exit(7)' {where}")
    assert ended.returncode == 7, "how the target ended is known all the same"
    assert why in ended.stderr


def test_figures_that_nobody_takes_are_not_green() -> None:
    reader, writer = os.pipe()
    os.close(reader)  # before anything is written: `| true` may not have left by then
    try:
        done = subprocess.run(
            [sys.executable, "-m", "perftui", "run", "--json", "-", "-c", "pass"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=90,
        )
    finally:
        os.close(writer)
    assert done.returncode == 2
    assert "cannot write to standard output: Broken pipe" in done.stderr


SEES = (
    "import os, json, sys\n"
    "seen = []\n"
    "for fd in range(3):\n"
    "    try: seen.append(os.fstat(fd).st_ino > 0)\n"
    "    except OSError: seen.append(None)\n"
    "seen += [s is None for s in (sys.stdin, sys.stdout, sys.stderr)]\n"
    "json.dump(seen, open(sys.argv[1], 'w'))\n"
)


@pytest.mark.parametrize("where", ["<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_program_finds_closed_what_was_closed(tmp_path: Path, where: str) -> None:
    script, alone, watched = (tmp_path / name for name in ("sees.py", "alone", "watched"))
    script.write_text(SEES)
    shell(f"{shlex.quote(sys.executable)} {script} {alone} {where}")
    assert shell(f"PERFTUI run {script} {watched} {where}").returncode == 0
    assert json.loads(watched.read_text()) == json.loads(alone.read_text())


@pytest.mark.parametrize("command", ["query HERE -", "list", "attach 1x"])
def test_commands_without_standard_input(recording: str, command: str) -> None:
    done = shell(f"PERFTUI {command.replace('HERE', recording)} <&-")
    assert done.returncode == (0 if command == "list" else 2), done.stderr
    assert "Traceback" not in done.stderr


ASCII = {"PYTHONIOENCODING": "ascii"}
LATIN = {"PYTHONIOENCODING": "latin-1"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("env", "command"),
    [
        (ASCII, "list"),
        (ASCII, "demo --list"),
        (ASCII, "summary HERE"),
        (LATIN, "query HERE \"SELECT 'naïve ✓ … 漢字' AS x\""),
        (C_LOCALE, "query HERE"),
        (ASCII, "compare HERE LARGER"),
        (LATIN, "doctor"),
        (C_LOCALE, "run --headless -c 'print(1)' 'ü…✓'"),
    ],
)
def test_no_character_is_refused(
    recording: str, larger: str, env: dict[str, str], command: str
) -> None:
    line = command.replace("HERE", recording).replace("LARGER", larger)
    done = shell(f"PERFTUI {line}", env)
    assert "Traceback" not in done.stderr, done.stderr
    assert "codec" not in done.stderr
    assert done.returncode in (0, 1) if command == "doctor" else done.returncode == 0
    if env is ASCII:
        assert done.stdout.isascii()


def test_names_that_are_no_text_are_told(tmp_path: Path) -> None:
    for line in (
        r"PERFTUI run $'no\xffsuch'",
        r"PERFTUI summary $'no\xffsuch'",
        r"PERFTUI list $'\xff'",
    ):
        done = shell(line)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "udcff" in done.stderr


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_be_drawn_upon_gets_text(term: str) -> None:
    inner = f"{PERFTUI} run -c 'print(6 * 7)'"
    done = shell(f"TERM={term} script -qec {shlex.quote(inner)} /dev/null </dev/null")
    assert done.returncode == 0, done.stdout
    assert "42" in done.stdout
    assert "text only" in done.stdout
    assert "\x1b[?1049h" not in done.stdout


@pytest.mark.parametrize(
    ("where", "code"),
    [(">&- 2>&-", 0), ("<&- >&-", 0), ("2>/dev/null | true", 0), ("2>/dev/null >/dev/full", 2)],
)
def test_a_scenario_measures_to_its_end_whoever_listens(where: str, code: int) -> None:
    line = "PERFTUI run --headless import-cost -p package=json -p repeats=1"
    assert shell(f"set -o pipefail; {line} {where}").returncode == code
