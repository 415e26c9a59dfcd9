"""The Markdown summary: its figures, and that no name in it is more than text."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from support.export.hostile_session import make_hostile
from support.recordings.made import make
from support.recordings.synthetic import PID, T0, S

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.slice import Slice, slice_of, whole
from perftui.probes.export.report import markdown
from perftui.probes.export.report.markdown import LIMIT_BYTES, code, prose, sparkline
from perftui.probes.profile.sums import busy, function_sums
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.summary import summarize
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from pathlib import Path

HARMLESS = {
    *("h3", "h4", "p", "strong", "em", "code", "details", "summary", "ol", "ul", "li", "br"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
NASTY = "|p|`t`*b* _i_ [l](javascript:x) ![i](x) @everyone #1 <b>\\ ~~s~~ &lt; <!-- -->"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    folder: Path = tmp_path_factory.mktemp("markdown")
    return open_recording(make(folder / "a.perftui", 32))


def written(reader: RecordingReader, part: Slice) -> str:
    out = io.BytesIO()
    exporter_of("markdown").write(reader, part, out)
    return out.getvalue().decode()


class Seen(HTMLParser):
    """What a browser would see of a rendered page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.codes: list[str] = []
        self._in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._in_code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag == "code"

    def handle_data(self, data: str) -> None:
        (self.codes if self._in_code else self.texts).append(data)


def rendered(text: str) -> Seen:
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    seen = Seen()
    seen.feed(parser.render(text))
    return seen


def test_its_figures_are_those_of_the_summary(reader: RecordingReader) -> None:
    text, summary = written(reader, whole(reader)), summarize(reader)
    assert f"| duration | **{format_seconds(summary['duration_s'])}** |" in text
    assert f"| peak RSS | **{format_bytes(summary['peak_rss_bytes'])}** |" in text
    cpu = summary["cpu_s"]
    assert f"| CPU | **{format_seconds(cpu['user'] + cpu['system'])}** |" in text
    assert f"Phases ({len(summary['phases'])})" in text
    for row in summary["stacks"]["top"][:3]:
        shares = f"| {row['self_pct']:.1f} % | {row['total_pct']:.1f} % | `{row['function']}` |"
        assert shares in text
    for alert in summary["alerts"]:
        assert prose(alert["message"], 300) in text


def test_a_part_tells_of_the_part(reader: RecordingReader) -> None:
    part = slice_of(reader, phase="parse", thread="worker")
    text = written(reader, part)
    assert "From 20.000 s to 30.000 s (phase `parse`)." in text
    assert "| duration | **10.0 s** |" in text
    trees = reader.call_tree(part.t0_ns, part.t1_ns, {(PID, PID + 10)})
    best = function_sums(reader.tree, busy(trees))[0]
    share = best.self_.wall_ns * 100 / sum(tree.wall_ns for tree in trees)
    assert f"| {share:.1f} % |" in text
    assert "| end |" not in text


def test_sparklines_are_there(reader: RecordingReader) -> None:
    text = written(reader, whole(reader))
    for name in ("RSS", "CPU", "`rows`/s"):
        line = next(line for line in text.splitlines() if line.startswith(f"| {name} | `"))
        assert re.search("[▁▂▃▄▅▆▇█]{20}", line), line
    assert sparkline([0, None, 5, 10]) == "▁ ▅█"
    assert sparkline([None, 0.0]) == " ▁"


def test_it_renders_as_it_is_meant(reader: RecordingReader) -> None:
    seen = rendered(written(reader, whole(reader)))
    assert {"h3", "table", "code", "details", "summary", "strong"} <= seen.tags
    assert seen.tags <= HARMLESS
    assert "flush" in seen.codes


@pytest.mark.parametrize("shown", [lambda t: code(t, 200), lambda t: prose(t, 200)])
def test_a_name_is_nothing_but_text(shown: object) -> None:
    cell = shown(NASTY)  # type: ignore[operator] # one of two functions
    for text in (cell, f"| a | b |\n| --- | --- |\n| {cell} | end |"):
        seen = rendered(text)
        assert seen.tags <= HARMLESS - {"em", "strong"}
        everything = "".join(seen.texts + seen.codes)
        assert NASTY in everything
        assert not any(re.search(r"[@#]\w", text) for text in seen.texts)


def test_hostile_names_stay_text_and_it_stays_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = open_recording(make_hostile(tmp_path / "h.perftui"))
    text = written(reader, whole(reader))
    assert len(text.encode()) < LIMIT_BYTES
    seen = rendered(text)
    assert seen.tags <= HARMLESS
    assert seen.attributes <= {"style"}  # how the renderer aligns columns
    assert not any(re.search(r"[@#]\w", text) for text in seen.texts)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u2028]", text)
    monkeypatch.setattr(markdown, "LIMIT_BYTES", len(text.encode()))
    assert len(written(reader, whole(reader))) < len(text)


def test_a_part_of_nothing_is_still_a_summary(reader: RecordingReader) -> None:
    text = written(reader, Slice(T0 + 31 * S, T0 + 31 * S + 1))
    assert text.startswith("### perftui: `load.py`")


def test_what_matters_stands_on_top_of_the_whole_and_not_of_a_part(reader: RecordingReader) -> None:
    found = summarize(reader)["findings"]
    text = written(reader, whole(reader))
    assert text.index("1. ") < text.index("| duration")
    assert text.count(found[0]["text"][:30]) == 1, "said once"
    assert sum(line.startswith("1. ") for line in text.splitlines()) == len(found) > 0
    assert "\n1. " not in written(reader, slice_of(reader, from_s=3.0, to_s=9.0))
