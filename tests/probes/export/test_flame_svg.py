"""Flame graphs as SVG: well formed for every name, and the sums of the recording."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from support.export.hostile_session import NAMES, make_hostile
from support.recordings.made import make
from support.recordings.synthetic import PID, T0, S

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.error import ExportError
from perftui.probes.export.material.slice import Slice, whole
from perftui.probes.export.pictures.boxes import FlameTree, lay_out
from perftui.probes.export.pictures.drawing import Face, draw
from perftui.probes.export.pictures.tree import flame_of
from perftui.probes.recording.read.reader import RecordingReader, open_recording

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    folder: Path = tmp_path_factory.mktemp("svg")
    return open_recording(make(folder / "a.perftui", 32))


def written(reader: RecordingReader, part: Slice, name: str) -> bytes:
    out = io.BytesIO()
    exporter_of(name).write(reader, part, out)
    return out.getvalue()


def told(svg: bytes) -> list[str]:
    return [title.text or "" for title in ET.fromstring(svg).iterfind(f"{SVG}g/{SVG}title")]


@pytest.mark.parametrize(
    "part",
    [
        None,
        Slice(T0 + 5 * S, T0 + 12 * S + S // 4),
        Slice(T0, T0 + 30 * S, frozenset({(PID, PID + 10)})),
    ],
)
def test_its_sums_are_those_of_the_call_tree(reader: RecordingReader, part: Slice | None) -> None:
    part = part or whole(reader)
    trees = reader.call_tree(part.t0_ns, part.t1_ns, part.threads)
    flame = flame_of(reader, part)
    assert flame.wall_ns == sum(tree.wall_ns for tree in trees)
    assert {flame.threads[node].thread: int(flame.tree.value[node]) for node in flame.threads} == {
        (tree.pid, tree.tid): tree.wall_ns for tree in trees
    }
    assert sum(flame.own.values()) == flame.wall_ns


def test_the_callees_of_a_cut_box_stay_inside_it() -> None:
    value = {0: 8.0, 1: 6.0, 2: 4.0, 3: 4.0}  # 1 and 2 claim 10 of 8: 2 is cut to 2
    boxes = {box.node: box for box in lay_out(FlameTree({0: [1, 2], 2: [3]}, value))}
    assert (boxes[2].x0, boxes[2].x1) == (0.75, 1.0)
    assert (boxes[3].x0, boxes[3].x1) == (0.75, 1.0)


def test_boxes_lie_within_their_callers(reader: RecordingReader) -> None:
    tree = flame_of(reader, whole(reader)).tree
    boxes = lay_out(tree)
    inside = {box.node: box for box in boxes if not box.more}
    for node, children in tree.children.items():
        right = inside[node].x0 if node in inside else 0.0
        for child in children:
            if child in inside:
                assert inside[child].x0 >= right - 1e-12
                assert inside[child].depth == inside[node].depth + 1
                right = inside[child].x1
        if node in inside:
            assert right <= inside[node].x1 + 1e-12


def test_narrow_frames_stand_together() -> None:
    children = {0: [1, *range(2, 52)]}
    value: dict[int, float] = {0: 1000.0, 1: 970.0} | dict.fromkeys(range(2, 52), 0.5)
    boxes = lay_out(FlameTree(children, value))
    assert [(box.node, box.more) for box in boxes] == [(0, 0), (1, 0), (0, 50)]
    assert boxes[-1].value == pytest.approx(25.0)


@pytest.mark.parametrize("name", ["flamegraph-svg", "icicle-svg"])
def test_it_tells_function_place_time_and_share(reader: RecordingReader, name: str) -> None:
    svg = written(reader, whole(reader), name)
    titles = told(svg)
    assert any(
        re.fullmatch(
            r"flush\n/srv/app/flush\.py:102\n[\d.]+ m?s, [\d.]+ % of [\d.]+ s\nitself .*", title
        )
        for title in titles
    )
    text = "".join(ET.fromstring(svg).itertext())
    assert "prefers-color-scheme" in text
    assert "torn" in text
    assert "coverage" in text
    assert b"<script" not in svg


def test_flame_and_icicle_are_each_other_upside_down(reader: RecordingReader) -> None:
    def rows(name: str) -> dict[str, float]:
        svg = ET.fromstring(written(reader, whole(reader), name))
        return {
            group.findtext(f"{SVG}title", ""): float(group.find(f"{SVG}rect").get("y", ""))  # type: ignore[union-attr] # every group has one
            for group in svg.iterfind(f"{SVG}g")
        }

    flame, icicle = rows("flamegraph-svg"), rows("icicle-svg")
    assert flame.keys() == icicle.keys()
    sums = {round(flame[title] + icicle[title], 3) for title in flame}
    assert len(sums) == 1
    assert len(set(flame.values())) > 3


@pytest.mark.parametrize("name", ["flamegraph-svg", "icicle-svg"])
def test_hostile_names_stay_text(tmp_path: Path, name: str) -> None:
    reader = open_recording(make_hostile(tmp_path / "h.perftui"))
    svg = written(reader, whole(reader), name)
    root = ET.fromstring(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "text", "tspan", "g"}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not any(key.startswith("on") or key.endswith("href") for key in attributes)
    assert len(svg) < 60_000
    text = svg.decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u2028]", text)
    assert sum(1 for title in told(svg) if title.split("\n")[0].endswith("!")) == len(NAMES)


def test_the_same_recording_gives_the_same_picture(reader: RecordingReader) -> None:
    first, second = (written(reader, whole(reader), "icicle-svg") for _ in range(2))
    assert first == second


def test_a_range_without_stacks_is_said(reader: RecordingReader) -> None:
    with pytest.raises(ExportError, match="no stacks in this range"):
        written(reader, Slice(T0, T0 + 1, frozenset({(1, 1)})), "flamegraph-svg")


def test_anything_can_be_drawn_with_faces_of_its_own() -> None:
    boxes = lay_out(FlameTree({0: [1, 2]}, {0: 10.0, 1: 6.0, 2: 4.0}))
    svg = "".join(
        draw(boxes, lambda box: Face(f"+{box.node}", ["more"], "#ff0000", "#00ff00"), "a < b")
    )
    root = ET.fromstring(svg)
    assert root.findtext(f"{SVG}title") == "a < b"
    assert ".c0{fill:#ff0000}" in svg
    assert ".c0{fill:#00ff00}" in svg
