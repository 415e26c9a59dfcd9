"""The page as a file: its policy, its data, its size, and that no name in it is markup."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from support.export.hostile_session import MARKUP, NAMES, make_hostile
from support.recordings.made import make, make_own
from support.recordings.synthetic import CHILD, PID, T0, S

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.error import ExportError
from perftui.probes.export.material.slice import Slice, slice_of, whole
from perftui.probes.export.report import page as report_page
from perftui.probes.export.report import stack_grid as report_grid
from perftui.probes.export.report.page import embedded
from perftui.probes.export.report.stack_grid import SMALLER, stack_grid
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.text.units import NS_PER_S, format_bytes
from perftui.tui.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("uplot") is None, reason="uplot-python (perftui[report]) is missing"
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    folder: Path = tmp_path_factory.mktemp("page")
    return open_recording(make(folder / "a.perftui", 32))


def written(reader: RecordingReader, part: Slice) -> str:
    out = io.BytesIO()
    exporter_of("html").write(reader, part, out)
    return out.getvalue().decode()


class Page(HTMLParser):
    """The elements of a page, and the texts of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.data = ""
        self._into: Callable[[str], object] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            is_data = dict(attrs).get("type") == "application/json"
            self._into = self._take_data if is_data else self.scripts.append
        elif tag == "style":
            self._into = self.styles.append

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into(data)

    def _take_data(self, data: str) -> None:
        self.data += data

    @property
    def policy(self) -> str:
        return next(
            attrs["content"] or ""
            for _, attrs in self.tags
            if attrs.get("http-equiv") == "Content-Security-Policy"
        )


def hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@needs_library
def test_the_policy_allows_its_own_scripts_and_nothing_else(reader: RecordingReader) -> None:
    page = Page(written(reader, whole(reader)))
    parts = dict(part.split(" ", 1) for part in page.policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"].split() == [hashed(text) for text in page.scripts]
    assert parts["style-src"].split() == [hashed(text) for text in page.styles]
    assert "unsafe" not in page.policy
    assert len(page.scripts) == 2
    for tag, attrs in page.tags:
        assert not {"src", "href", "style"} & attrs.keys(), tag
        assert not any(name.startswith("on") for name in attrs)


@needs_library
def test_own_scripts_make_no_markup(reader: RecordingReader) -> None:
    script = Page(written(reader, whole(reader))).scripts[-1]
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in script


@needs_library
def test_names_are_data_and_no_markup(tmp_path: Path) -> None:
    reader = open_recording(make_hostile(tmp_path / "h.perftui"))
    text = written(reader, whole(reader))
    page = Page(text)
    harmless = Page(written(open_recording(make(tmp_path / "a.perftui", 3)), Slice(T0, T0 + S)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert page.scripts == harmless.scripts
    data = json.loads(page.data)
    names = [row[0] for row in data["stacks"]["functions"]]
    assert MARKUP in names
    assert len([name for name in names if name.endswith("!")]) == len(NAMES)
    assert len(text) < 400_000
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\u2028]", text)


def test_embedded_data_cannot_end_its_element() -> None:
    text = embedded({"</script>": "<!-- <script> &amp; ]]>"})
    assert not re.search("[<>&]", text)
    assert json.loads(text) == {"</script>": "<!-- <script> &amp; ]]>"}


# -- stacks ------------------------------------------------------------------------------------


def unpacked(rows: Sequence[Any]) -> list[dict[int, tuple[int, int, int]]]:
    """Read what the page reads: per step, node to (wall µs, CPU µs, bytes)."""
    steps = []
    for row in rows:
        nodes, wall, cpu, grown = row or ([], [], [], [])
        gained = dict(zip(grown[::2], grown[1::2], strict=True))
        steps.append(
            {
                node: (wall[at], cpu[at], gained.get(at, 0))
                for at, node in enumerate(accumulate(nodes))
            }
        )
    return steps


PARTS: list[dict[str, Any]] = [
    {},
    {"from_s": 5.0, "to_s": 12.25},
    {"phase": "parse", "thread": "worker"},
]


@pytest.mark.parametrize("asked", PARTS)
def test_steps_add_up_to_the_call_tree(reader: RecordingReader, asked: dict[str, Any]) -> None:
    part = slice_of(reader, **asked)
    grid = stack_grid(reader, part)
    assert grid is not None
    assert grid.small_share == 0
    assert grid.steps <= 240
    assert (grid.steps - 1) * grid.step_ns < part.t1_ns - part.t0_ns <= grid.steps * grid.step_ns
    for (pid, tid), rows in zip(grid.threads, grid.packed(), strict=True):
        steps = unpacked(rows)
        assert len(steps) == grid.steps
        for first, last in ((0, grid.steps), (3, 4), (grid.steps // 3, grid.steps // 2)):
            t0 = part.t0_ns + first * grid.step_ns
            t1 = min(part.t0_ns + last * grid.step_ns, part.t1_ns)
            (tree,) = reader.call_tree(t0, t1, {(pid, tid)})
            cells = [cell for step in steps[first:last] for cell in step.values()]
            nodes = len({node for step in steps[first:last] for node in step})
            assert sum(cell[0] for cell in cells) == pytest.approx(tree.wall_ns / 1e3, abs=nodes)
            assert sum(cell[1] for cell in cells) == pytest.approx(tree.cpu_ns / 1e3, abs=nodes)
            # Bytes of an interval that crosses an edge are shared out and rounded.
            assert sum(cell[2] for cell in cells) == pytest.approx(tree.grown_bytes, abs=4)


def test_steps_share_out_what_was_weighed_not_what_the_clock_says(tmp_path: Path) -> None:
    reader = open_recording(make_own(tmp_path / "a.perftui"))
    part = slice_of(reader, process=CHILD)
    (tree,) = (t for t in reader.call_tree(part.t0_ns, part.t1_ns) if t.pid == CHILD)
    clock = sum(
        interval.t1_ns - interval.t0_ns
        for thread, intervals in reader.stack_intervals(part.t0_ns, part.t1_ns)
        for interval in intervals
        if thread[0] == CHILD
    )
    assert abs(clock - tree.wall_ns) > S / 10
    grid = stack_grid(reader, part)
    assert grid is not None
    cells = [cell for step in unpacked(grid.packed()[0]) for cell in step.values()]
    assert sum(cell[0] for cell in cells) == pytest.approx(tree.wall_ns / 1e3, abs=2)
    assert sum(cell[1] for cell in cells) == pytest.approx(tree.cpu_ns / 1e3, abs=2)


def test_what_does_not_fit_gets_coarser_and_loses_nothing(
    reader: RecordingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = whole(reader)
    fine = stack_grid(reader, part)
    monkeypatch.setattr(report_grid, "COARSER", ((1, 0.0), (2, 0.0), (8, 0.0)))
    coarse = stack_grid(reader, part, most_cells=400)
    monkeypatch.setattr(report_grid, "COARSER", ((1, 0.0), (1, 0.1), (1, 0.2)))
    few = stack_grid(reader, part, most_nodes=6)
    assert fine is not None
    assert coarse is not None
    assert few is not None
    assert coarse.steps < fine.steps
    assert coarse.small_share == 0
    assert few.small_share > 0
    assert len(few.parents) < len(fine.parents)
    assert SMALLER in few.frames
    trees = {(t.pid, t.tid): t.wall_ns for t in reader.call_tree(part.t0_ns, part.t1_ns)}
    for grid in (fine, coarse, few):
        assert {key: grid.wall_ns[at] for at, key in enumerate(grid.threads)} == trees
        assert all(parent < node for node, parent in enumerate(grid.parents) if node)


# -- the rest ----------------------------------------------------------------------------------


@needs_library
def test_it_tells_what_the_recording_tells(reader: RecordingReader) -> None:
    part = whole(reader)
    data = json.loads(Page(written(reader, part)).data)
    assert data["title"] == "load.py"
    assert ["peak RSS", format_bytes(50_000_000)] not in data["figures"]
    assert [row[0] for row in data["phases"]] == [p.name for p in reader.phases(part[0], part[1])]
    assert {row[0] for row in data["imports"]} == {
        row.module for row in reader.imports(part[0], part[1])
    }
    assert len(data["alerts"]) == len({a.t_onset_ns for a in reader.alerts(part[0], part[1])})
    highest = reader.highest("rss_bytes", part[0], part[1])
    assert max(v for v in data["timelines"]["rss"] if v is not None) == highest
    worst = {found["severity"] for found in data["findings"]}
    assert data["severity"] == next(s for s in ("critical", "warn", "info") if s in worst)
    assert data["more"] >= 0
    assert data["timelines"]["pools"]
    assert data["log"]
    assert dict(data["machine"])["perftui"]
    assert dict(data["cost"])["coverage"]


@needs_library
def test_a_part_is_about_the_part(reader: RecordingReader) -> None:
    part = slice_of(reader, from_s=20, to_s=22, thread="worker")
    data = json.loads(Page(written(reader, part)).data)
    assert data["span"] == [20.0, 22.0]
    assert [(thread["pid"], thread["tid"]) for thread in data["stacks"]["threads"]] == [
        (PID, PID + 10)
    ]
    assert all(20 <= t <= 22 for t in data["timelines"]["t"])
    (tree,) = reader.call_tree(part.t0_ns, part.t1_ns, part.threads)
    assert data["stacks"]["threads"][0]["wall"] == tree.wall_ns / NS_PER_S


@needs_library
def test_a_page_that_gets_too_large_tells_less(
    reader: RecordingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = whole(reader)
    full = written(reader, part)
    assert len(full.encode()) < 6_000_000
    monkeypatch.setattr(report_page, "MOST_CELLS", 6_400)
    monkeypatch.setattr(report_page, "MOST_BYTES", 1)
    less = written(reader, part)
    assert len(less) < len(full)
    stacks = [json.loads(Page(text).data)["stacks"] for text in (full, less)]
    assert stacks[1]["steps"] < stacks[0]["steps"]
    assert [t["wall"] for t in stacks[0]["threads"]] == [t["wall"] for t in stacks[1]["threads"]]


def test_without_the_library_it_says_how_to_get_it(
    reader: RecordingReader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("perftui.probes.export.report.chart_library.find_spec", lambda _: None)
    with pytest.raises(ExportError, match=r"pip install 'perftui\[report\]'"):
        written(reader, whole(reader))
    out = tmp_path / "out.html"
    assert main(["export", str(reader.path), "--format", "html", "-o", str(out)]) == 2
    told = capsys.readouterr().err.strip()
    assert "pip install 'perftui[report]'" in told
    assert "\n" not in told
    assert list(tmp_path.glob("*out*")) == []
