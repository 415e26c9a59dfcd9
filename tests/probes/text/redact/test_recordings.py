"""What is recorded, exported and packed holds no secret, also of a recording made before."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.enriched import feed
from support.recordings.made import make
from support.recordings.synthetic import PID, T0, TARGET, S
from support.redact.everywhere import texts_below

from perftui.probes.export.formats import FORMATS
from perftui.probes.recording.format.redacted import RULES_FIELD
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf.pack import pack
from perftui.probes.recording.sql.query import Query
from perftui.probes.recording.write.seal import write_table
from perftui.probes.recording.write.writer import Recording
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import LogLine, Mark, Notice, PhaseBegin, ProcessStart, Record
from perftui.probes.store.store import Store
from perftui.probes.summary import summarize
from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.enriched import Batch
pytest.importorskip("duckdb")

SECRET = "zQ7fakeW0rd"
KEY_LINE = "MIIEfakefakeFAKEq83"
ARGV = (
    *("python", "load.py", "-H", f"Authorization: Bearer a.{SECRET}", f"--pw={SECRET} b"),
    *(f'{{"password": "x {SECRET}"}}', "-u", f"me:{SECRET}", "--rows", "5"),
)
LINES = (
    f"connecting to postgres://me:{SECRET}@h/db",
    f"headers: {{'X-Api-Key': 'a {SECRET}'}}",
    "-----BEGIN RSA PRIVATE KEY-----",
    KEY_LINE,
    "-----END RSA PRIVATE KEY-----",
    "read 5 rows",
)


class _Kept:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def ingest(self, batch: Batch) -> None:
        self.records += batch.raw


def test_no_sink_of_a_session_gets_a_secret() -> None:
    log = SessionLog()
    kept = _Kept()
    log.connect(kept)
    log.append(
        ProcessStart(T0, PID, 1, ARGV),
        PhaseBegin(T0, PID, PID, 1, f"load https://h/x?sig={SECRET}", None, None, None),
        Mark(T0, PID, f"token={SECRET}"),
        Notice(T0, "warn", f"cannot read redis://:{SECRET}@h"),
    )
    assert len(kept.records) == 4
    assert SECRET not in str(kept.records)
    assert "--rows" in str(kept.records)


def test_lines_of_output_are_shown_and_recorded_without_secrets(tmp_path: Path) -> None:
    lines = [LogLine(T0 + at, "stdout", text) for at, text in enumerate(LINES)]
    tree = CallTree()
    store = Store(tree, TARGET, clock=lambda: T0 + S)
    feed(store, lines)
    shown = store.log_lines(0, T0 + S)
    assert [line.text for line in shown][-1] == "read 5 rows"
    recording = Recording(tmp_path / "a.perftui", tree, TARGET, T0, clock=lambda: T0)
    feed(recording, lines)
    recording.close()
    told = open_recording(tmp_path / "a.perftui").log_lines(0, T0 + S)
    assert [line.text for line in told] == [line.text for line in shown]
    everything = "".join(text for _, text in texts_below(tmp_path))
    assert SECRET not in everything + str(shown)
    assert KEY_LINE not in everything + str(shown)
    assert "read 5 rows" in everything


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording as it was written before: secrets stand in meta.json and in its tables."""
    path = make(tmp_path_factory.mktemp("old") / "a.perftui", 8)
    meta = json.loads((path / "meta.json").read_text())
    del meta[RULES_FIELD]
    meta["target"].update(title=" ".join(ARGV), argv=list(ARGV))
    (path / "meta.json").write_text(json.dumps(meta))
    raw: dict[str, tuple[str, str]] = {
        "processes": ("argv", json.dumps(ARGV)),
        "log": ("text", LINES[0]),
        "marks": ("name", f"token={SECRET}"),
        "notices": ("text", f"cannot read redis://:{SECRET}@h"),
    }
    for name, (column, text) in raw.items():
        for file in path.glob(f"{name}-*.parquet"):
            table = pq.read_table(file)
            at = table.column_names.index(column)
            texts = pa.array([text] * table.num_rows, type=table.schema.field(at).type)
            write_table(table.set_column(at, table.schema.field(at), texts), file)
    assert sum(SECRET in text for _, text in texts_below(path)) >= 5
    return path


def test_an_old_recording_is_redacted_when_it_is_read(old: Path) -> None:
    reader = open_recording(old)
    told = [
        reader.target(),
        summarize(reader),
        reader.log_lines(0, 1 << 62),
        reader.events(0, 1 << 62),
    ]
    assert SECRET not in str(told)
    assert "--rows" in reader.target().title
    with Query(reader) as query:
        for name in ("processes", "log", "marks", "notices"):
            with query.run(f"FROM {name}") as result:
                rows = str(result.arrow().to_pylist())
            assert "***" in rows, name
            assert SECRET not in rows, name


@pytest.mark.parametrize("name", [exporter.name for exporter in FORMATS])
def test_an_old_recording_is_exported_without_secrets(old: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert _here("export", old, "--format", name, "-o", out / "x", "--force") == 0
    found = dict(texts_below(out))
    assert len(found) > 1
    assert not [place for place, text in found.items() if SECRET in text]


def test_an_old_recording_is_packed_without_secrets(old: Path, tmp_path: Path) -> None:
    packed = pack(open_recording(old), tmp_path / "a.zip").path
    assert not [place for place, text in texts_below(packed) if SECRET in text]
    again = open_recording(packed)
    assert summarize(again) == summarize(open_recording(old))
    assert again.salvage is None


PROGRAM = """
import subprocess, sys, time
import perftui
with perftui.phase("load https://h/x?sig=" + sys.argv[-1]):
    subprocess.run([sys.executable, "-c", "import time; time.sleep(1.2)", "--token", sys.argv[-1]])
perftui.mark("password=" + sys.argv[-1])
"""


@pytest.mark.live
def test_a_session_leaves_no_secret_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "load.py"
    script.write_text(PROGRAM)
    made = tmp_path / "made"
    made.mkdir()
    words = [
        *ARGV[2:],
        "--cookie",
        f"sid={SECRET}",
        f"X-Api-Key: x {SECRET}",
        "--passphrase",
        SECRET,
    ]
    said = _perftui(
        *("run", "--headless", "--json", made / "summary.json", "--record", made / "shelf"),
        *(script, *words),
    )
    (recording,) = (made / "shelf").iterdir()
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(made / "shelf"))
    assert _here("list", "recordings", "--json") == 0
    assert _here("pack", recording, "-o", made / "a.zip") == 0
    for exporter in FORMATS:
        out = made / f"x-{exporter.name}"
        assert _here("export", recording, "--format", exporter.name, "-o", out) == 0
    said += "".join(capfd.readouterr())
    found = dict(texts_below(made))
    everything = "".join(found.values())
    assert "load.py" in everything
    assert "--rows" in everything
    assert "sig=***" in everything
    assert not [place for place, text in found.items() if SECRET in text]
    assert SECRET not in said


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--headless", "--no-record", f"PGPASSWORD={SECRET}", "python", "x.py"),
        ("run", "--headless", "--no-record", f"redis://:{SECRET}@h/x.py"),
    ],
)
def test_no_error_message_tells_a_secret(words: tuple[str, ...]) -> None:
    told = _perftui(*words, code=2)
    assert "***" in told
    assert SECRET not in told


def _here(*words: str | Path) -> int:
    return main([str(word) for word in words])


def _perftui(*words: str | Path, code: int = 0) -> str:
    """Run perftui; returns all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "perftui", *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr
