"""Markdown and the differential flame: true figures, and hostile names that stay text."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from support.recordings.made_runs import MB, make, run_of

from perftui.probes.compare.as_json import as_json
from perftui.probes.compare.comparison import Comparison, compare
from perftui.probes.compare.flame_picture import NoStacks, as_svg
from perftui.probes.compare.flame_values import flame_values
from perftui.probes.compare.markdown import as_markdown
from perftui.probes.compare.rules import judge, parse_rules
from perftui.probes.spine.calltree import ROOT
from perftui.tui.text.compare import compare_text

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\x1b[31mevil\x1b[0m</title><script>alert(1)</script>‮|`*b* @all #1\n# head\ud800"
LONG = "long." + "x" * 65_000 + ".end"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("outputs")
    base = make(folder / "before.perftui")
    shares = {"parse": 20 / 30, "merge": 6 / 30, "encode": 4 / 30}
    new = make(folder / "after.perftui", seconds=30, shares=shares, peak=200 * MB)
    return compare([run_of(base)], [run_of(new)])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("hostile")
    base = make(folder / "a.perftui", phases=[(HOSTILE, 20)], title=HOSTILE)
    imports = [(HOSTILE, None, 0.5)] + [(f"{LONG}{n}", None, 0.1) for n in range(80)]
    new = make(
        folder / "b.perftui",
        shares={HOSTILE: 0.5, LONG: 0.3, "write": 0.2},
        phases=[(HOSTILE, 10), (LONG, 10)],
        imports=imports,
        alerts=[HOSTILE],
        title="b" * 3_000,
    )
    return compare([run_of(base)], [run_of(new)])


def titles(svg: str) -> list[str]:
    space = "{http://www.w3.org/2000/svg}"
    root = ET.fromstring(svg)
    return [str(each.findtext(f"{space}title")) for each in root.iter(f"{space}g")]


def test_a_frame_is_as_wide_as_the_larger_side(pair: Comparison) -> None:
    difference = pair.functions.flame
    values = flame_values(difference, "wall")
    for number, value in values.items():
        node = difference.nodes[number]
        delta = difference.delta(node.total, "wall")
        assert value >= max(delta.base_share, delta.new_share) - 1e-9
        assert value >= sum(values.get(child, 0) for child in node.children) - 1e-9
    by_name = {difference.nodes[n].function: v for n, v in values.items() if n != ROOT}
    assert by_name["parse"] == pytest.approx(20 / 30, abs=0.001)
    assert by_name["write"] == pytest.approx(0.2, abs=0.001), "what vanished keeps its width"


def test_the_picture_tells_both_sides_and_reads_without_colour(pair: Comparison) -> None:
    svg = as_svg(pair)
    told = next(title for title in titles(svg) if title.startswith("parse"))
    assert "+16.7 points: 50.0 % → 66.7 % of the time" in told
    assert "total 10.0 s → 20.0 s" in told
    texts = "".join(ET.fromstring(svg).itertext())
    assert "+16.7 parse" in texts
    assert "gone −20.0 write" in texts
    assert "new +13.3 encode" in texts
    assert "base before" in texts
    fills = set(re.findall(r"\.c\d+\{fill:(#\w+)\}", svg))
    assert len(fills) > 4
    for red, green, blue in (re.findall("..", fill[1:]) for fill in fills):
        assert not (int(green, 16) > int(red, 16) and int(green, 16) > int(blue, 16)), "no green"


def test_no_stacks_no_picture(tmp_path: Path) -> None:
    paths = [make(tmp_path / f"{n}.perftui", stacks=False) for n in "ab"]
    comparison = compare([run_of(paths[0])], [run_of(paths[1])])
    with pytest.raises(NoStacks, match="neither run has stacks"):
        as_svg(comparison)
    bare = compare([run_of(make(tmp_path / "c.perftui"))], [run_of(paths[1])])
    assert "gone" in as_svg(bare)


def test_markdown_has_verdict_table_and_folds(pair: Comparison) -> None:
    text = as_markdown(pair, judge(parse_rules(["peak_rss>+10%"]), pair))
    lines = text.splitlines()
    assert lines[0] == "### perftui: `before` → `after`"
    assert lines[2].startswith(
        "⚪ **no verdict**: one run each: cannot separate noise from change;"
    )
    assert any(
        line.startswith("| peak RSS | 100 MB | 200 MB | +100 MB | **+100 %**") for line in lines
    )
    assert any(line.startswith("| `parse` | `job.py:10` | 50.0 % → 66.7 %") for line in lines)
    assert any("🔴 broken" in line for line in lines)
    assert text.count("<details>") == text.count("</details>") >= 2


def test_hostile_names_stay_text(hostile: Comparison) -> None:
    svg = as_svg(hostile)
    assert any("evil" in title for title in titles(svg)), "it parses, and the name is there"
    assert "<script" not in svg
    text = as_markdown(hostile)
    assert len(text.encode()) < 65_000
    assert "<script" not in text
    assert "\n# head" not in text
    assert "‮" not in text
    assert not re.search(r"(?<![`\w])@all", text.replace("<code>", "`"))
    plain = compare_text(hostile, (), 100)
    assert "\x1b" not in plain
    assert "‮" not in plain
    plain.encode()
    assert all(len(line) <= 100 for line in plain.splitlines())
    assert json.loads(json.dumps(as_json(hostile)))["schema"] == 1


def test_text_fits_a_narrow_terminal(pair: Comparison) -> None:
    for width in (60, 80, 120):
        text = compare_text(pair, (), width)
        assert all(len(line) <= width for line in text.splitlines())
        assert "peak RSS +100 %" in " ".join(text.split()), "wrapped, not cut"
