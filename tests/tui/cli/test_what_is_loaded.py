"""What a command loads: nothing that it has no use for, whatever is installed beside us."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

UNWANTED = {"numpy", "pandas", "dateutil", "cloudpickle", "textual", "asyncio", "lancedb"}
LEAN = UNWANTED | {"pyarrow", "duckdb", "ssl", "statistics", "importlib.metadata", "email"}
SELDOM_NEEDED = {"socket", "secrets"}
"""By a run: for orders to it, for nothing."""
LOADED = """
import atexit, sys
import perftui.tui.entry as entry
sys.argv = ["perftui", *sys.argv[1:]]
atexit.register(lambda: print("LOADED", *sorted(sys.modules), file=sys.stderr))
sys.exit(entry.main())
"""


def loaded_by(*words: str) -> set[str]:
    """The modules that a command has loaded when it is through."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, timeout=60
    )
    line = next(line for line in done.stderr.splitlines() if line.startswith("LOADED"))
    assert done.returncode == 0, done.stderr.partition("LOADED")[0]
    return set(line.split()[1:])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loaded") / "one.perftui"
    run = ("run", "--headless", "--record", str(path), "--", sys.executable, "-c", "pass")
    modules = loaded_by(*run)
    assert not LEAN & modules
    assert not SELDOM_NEEDED & modules
    assert "psutil" not in modules or sys.platform != "linux"
    return path


def test_help_and_list_load_little() -> None:
    assert not (LEAN | {"psutil", "perftui.probes.session"}) & loaded_by("--help")
    # Of the scenarios that ask for it.
    assert not (LEAN - {"statistics"}) & loaded_by("list")


def test_one_command_does_not_load_the_others() -> None:
    modules = loaded_by("list", "--help")
    commands = {name for name in modules if name.startswith("perftui.tui.commands.")}
    assert commands == {"perftui.tui.commands.list"}


@pytest.mark.live
def test_commands_on_a_recording_load_no_data_frames(recorded: Path) -> None:
    modules = loaded_by("summary", str(recorded))
    assert "pyarrow.compute" in modules
    assert "pyarrow.dataset" not in modules, "nor what it takes: CSV, JSON, substrait"
    out = recorded.with_name("out.csv")
    for words in (
        ("summary", str(recorded)),
        ("export", str(recorded), "-o", str(out), "--force"),
        ("query", str(recorded), "select count(*) from metrics"),
    ):
        assert not UNWANTED & loaded_by(*words), words


def test_what_is_hidden_is_hidden_from_imports_alone() -> None:
    hidden = next((name for name in ("pandas", "numpy") if importlib.util.find_spec(name)), None)
    if hidden is None:
        pytest.skip("neither pandas nor numpy is installed")
    code = (
        "import importlib.util\n"
        "from perftui.probes.own.unneeded import hide_unneeded\n"
        "hide_unneeded(); hide_unneeded()\n"
        f"print(importlib.util.find_spec({hidden!r}) is not None)\n"
        f"try:\n    import {hidden}\nexcept ImportError as error:\n    print(error)\n"
        "import pyarrow as pa\n"
        "print(pa.array([1, None]).sum().as_py(), pa.table({'a': [1.5]}).to_pylist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        "True",
        f"No module named {hidden!r}",
        "1 [{'a': 1.5}]",
    ], done.stderr


@pytest.mark.live
def test_the_watched_program_has_its_own_pandas(tmp_path: Path) -> None:
    if importlib.util.find_spec("numpy") is None:
        pytest.skip("numpy is not installed")
    (tmp_path / "mine.py").write_text(
        "import numpy\ndef job():\n    print('sum', numpy.arange(4).sum())\n"
    )
    words = (sys.executable, "-m", "perftui", "run", "--headless", "--no-record", "mine.py:job")
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert "sum 6" in done.stdout


def test_openssl_is_loaded_by_nobody_but_pyarrow() -> None:
    code = (
        "import sys\n"
        "from perftui.probes.own.unneeded import hide_unneeded\n"
        "hide_unneeded()\n"
        "import asyncio, hashlib, hmac, secrets\n"
        "print(hashlib.sha256(b'x').hexdigest()[:8], secrets.token_hex(2) != '')\n"
        "print(sorted({'ssl', '_ssl', '_hashlib'} & set(sys.modules)))\n"
        "import pyarrow.parquet\n"
        "print('ssl' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["2d711642 True", "[]", "True"], done.stderr
