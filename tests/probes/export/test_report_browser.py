"""The page in a real browser: nothing leaves it, and one range runs through all of it."""

from __future__ import annotations

import importlib.util
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.export.browser import Browser, why_none
from support.export.hostile_session import make_hostile
from support.recordings.made import make
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.slice import Slice, whole
from perftui.probes.export.pictures.flamegraph_svg import shown_file
from perftui.probes.profile.sums import busy, function_sums
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(why_none() is not None, reason=why_none() or ""),
    pytest.mark.skipif(
        importlib.util.find_spec("uplot") is None,
        reason="uplot-python (perftui[report]) is not installed",
    ),
]
ESCAPE, ENTER, DOWN, LEFT = "\ue00c", "\ue007", "\ue015", "\ue012"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    folder: Path = tmp_path_factory.mktemp("browser")
    return open_recording(make(folder / "a.perftui", 32))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as window:
        yield window


@pytest.fixture
def page(reader: RecordingReader, browser: Browser, tmp_path: Path) -> Browser:
    return opened(reader, browser, tmp_path / "a.html")


def opened(
    reader: RecordingReader, browser: Browser, file: Path, part: Slice | None = None
) -> Browser:
    with file.open("wb") as out:
        exporter_of("html").write(reader, part or whole(reader), out)
    browser.log(), browser.requests()
    browser.open(file)
    return browser


def until(browser: Browser, script: str, wanted: Any) -> None:
    """Wait until a script of the page returns what is wanted: drawing follows events."""
    found = None
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = browser.run(script)
        if found == wanted:
            return
        time.sleep(0.05)
    assert found == wanted


def root(browser: Browser) -> str:
    text = browser.run("return document.querySelector('#frames .frame').textContent")
    assert isinstance(text, str)
    return text


def sampled(reader: RecordingReader, from_s: float, to_s: float) -> list[Any]:
    """The threads that the page shows at first, in a range."""
    part = whole(reader)
    shown = {(tree.pid, tree.tid) for tree in busy(reader.call_tree(part.t0_ns, part.t1_ns))}
    t0, t1 = (part.t0_ns + round(t * NS_PER_S) for t in (from_s, to_s))
    return list(reader.call_tree(t0, min(t1, part.t1_ns), shown))


@pytest.mark.core
def test_it_is_quiet_and_asks_for_nothing(page: Browser, tmp_path: Path) -> None:
    until(page, "return document.querySelectorAll('.u-over').length", 4)
    assert page.log() == []
    assert page.requests() == [(tmp_path / "a.html").as_uri()]


def test_the_policy_is_in_force(page: Browser) -> None:
    """A script and a picture that got in all the same: neither runs nor reaches anybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        page.run(
            "const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            "document.body.append(s);"
            "const i = new Image(); i.src = arguments[0]; document.body.append(i);"
            "fetch(arguments[0]).catch(() => {});",
            address,
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert page.run("return window.ran") is None
    told: list[str] = []

    def all_refused() -> bool:
        told.extend(page.log())
        return len([line for line in told if "Content Security Policy" in line]) >= 3

    wait_for(all_refused, "not all three were refused")


def test_at_first_it_shows_everything(page: Browser, reader: RecordingReader) -> None:
    trees = sampled(reader, 0, 1e6)
    whole_ns = sum(tree.wall_ns for tree in trees)
    assert root(page).endswith(format_seconds(whole_ns / NS_PER_S))
    rows = page.run(
        "return choice.stacks.byFunction(choice.sums()).map(r => "
        "[choice.stacks.functions[r.index][0], choice.stacks.functions[r.index][1],"
        " r.self[0], r.total[0], r.self[1], r.total[1]])"
    )
    found = {(name, file): figures for name, file, *figures in rows}
    wanted = function_sums(reader.tree, trees)
    assert found.keys() == {(row.function, shown_file(row.file)) for row in wanted}
    for row in wanted:
        figures = found[row.function, shown_file(row.file)]
        wall = (row.self_.wall_ns / NS_PER_S, row.total.wall_ns / NS_PER_S)
        assert figures[:2] == pytest.approx(wall, abs=2e-5)
        # Sums over a node share the CPU of its torn stacks out by time; the page has it exact.
        cpu = (row.self_.cpu_ns / NS_PER_S, row.total.cpu_ns / NS_PER_S)
        assert figures[2:] == pytest.approx(cpu, rel=2e-3)
    cells = page.run(
        "return [...document.querySelectorAll('#top tbody tr')[0].cells].map(c => c.textContent)"
    )
    assert cells[0].startswith(wanted[0].function)
    assert cells[1] == format_seconds(wanted[0].self_.wall_ns / NS_PER_S)


@pytest.mark.core
def test_a_dragged_range_runs_through_the_page(page: Browser, reader: RecordingReader) -> None:
    page.drag(".u-over", 0.25, 0.5)
    until(page, "return choice.range !== null", wanted=True)
    from_s, to_s = page.run("return choice.range")
    assert from_s == pytest.approx(8, abs=0.3)
    assert to_s == pytest.approx(16, abs=0.3)
    whole_ns = sum(tree.wall_ns for tree in sampled(reader, from_s, to_s))
    assert root(page).endswith(f" {format_seconds(whole_ns / NS_PER_S)}")
    assert page.run("return byId('range').classList.contains('chosen')") is True
    first = function_sums(reader.tree, sampled(reader, from_s, to_s))[0]
    top = page.run("return document.querySelector('#top tbody tr').textContent")
    assert top.startswith(first.function)
    assert format_seconds(first.self_.wall_ns / NS_PER_S) in top
    times = page.run("return [...document.querySelectorAll('#log time')].length")
    lines = [
        line
        for line in reader.log_lines(*whole(reader)[:2])
        if from_s <= (line.t_ns - whole(reader).t0_ns) / NS_PER_S <= to_s
    ]
    assert times == len(lines)
    # All charts show it; escape shows everything again.
    widths = page.run("return timelines.charts.map(c => Math.round(c.plot.select.width))")
    assert len(set(widths)) == 1
    assert widths[0] > 100
    page.run("document.activeElement.blur()")
    page.press(ESCAPE)
    until(page, "return choice.range", None)
    assert page.log() == []


def test_phases_alerts_and_typed_seconds_choose_a_range(
    page: Browser, reader: RecordingReader
) -> None:
    part = whole(reader)
    phase = reader.phases(part.t0_ns, part.t1_ns)[1]
    page.run("document.querySelectorAll('#phases tbody tr')[1].click()")
    step = page.run("return choice.stacks.step")
    begin_s = (phase.t0_ns - part.t0_ns) / NS_PER_S
    assert page.run("return choice.range[0]") == pytest.approx(begin_s, abs=step)
    assert phase.name in page.run("return byId('range-note').textContent")
    alert = reader.alerts(part.t0_ns, part.t1_ns)[0]
    page.run("document.querySelector('#alerts article').click()")
    onset_s = (alert.t_onset_ns - part.t0_ns) / NS_PER_S
    assert page.run("return choice.range[0]") == pytest.approx(onset_s, abs=step)
    page.run(
        "byId('range-from').value = 4; byId('range-to').value = 6;"
        "byId('range-to').dispatchEvent(new Event('change'));"
    )
    assert page.run("return choice.range") == pytest.approx([4, 6], abs=step)


def test_frames_zoom_by_mouse_and_by_keys(page: Browser) -> None:
    page.run(
        "[...document.querySelectorAll('.frame')]"
        ".find(f => f.firstChild?.textContent === 'read').click()"
    )
    assert root(page).startswith("read")
    assert "main" in page.run("return byId('crumbs').textContent")
    page.run("document.querySelector('#frames').focus()")
    page.press(ESCAPE)
    assert root(page).startswith("main")
    page.press(DOWN, DOWN, ENTER)
    deeper = root(page)
    assert not deeper.startswith("main")
    page.run("document.querySelector('#crumbs button').click()")
    assert page.run("return byId('crumbs').textContent") == ""
    assert page.log() == []


def test_time_off_cpu_is_drawn_below_who_spent_it(page: Browser) -> None:
    """Of every frame: what it spent itself without a core, and no more than fits below it."""
    rows = page.run(
        "return flame.boxes.filter(b => b.wait).map(b => { const s = flame.sums.get(b.thread);"
        "const above = flame.boxes.find(c => !c.wait && !c.more && c.thread === b.thread"
        " && c.node === b.node);"
        "return [b.value, s.own[0][b.node] - s.own[1][b.node], above.x0 <= b.x0,"
        " b.x1 <= above.x1 + 1e-9, b.depth - above.depth]; })"
    )
    assert rows
    for value, off_cpu, begins_inside, ends_inside, down in rows:
        assert value == pytest.approx(off_cpu)
        assert begins_inside
        assert ends_inside
        assert down == 1
    page.run("byId('weights').children[1].click()")
    assert page.run("return flame.boxes.filter(b => b.wait).length") == 0


def test_search_marks_what_it_finds(page: Browser, reader: RecordingReader) -> None:
    page.press("/")
    page.press(*"flush")
    until(page, "return choice.find", "flush")
    trees = sampled(reader, 0, 1e6)
    row = next(row for row in function_sums(reader.tree, trees) if row.function == "flush")
    share = row.total.wall_ns * 100 / sum(tree.wall_ns for tree in trees)
    assert page.run("return byId('found').textContent") == f"1 found, {share:.1f} %"
    assert page.run("return document.querySelectorAll('.frame.hit').length") >= 1
    assert page.run("return document.querySelectorAll('#top tbody tr').length") == 1
    page.press(ESCAPE)
    until(page, "return choice.find", "")


def test_weights_and_threads_are_chosen(page: Browser, reader: RecordingReader) -> None:
    page.run("byId('weights').children[1].click()")
    cpu_ns = sum(tree.cpu_ns for tree in sampled(reader, 0, 1e6))
    assert root(page).endswith(format_seconds(cpu_ns / NS_PER_S))
    page.run(
        "[...byId('threads').children].find(b => b.textContent.endsWith('worker')).click();"
        "byId('weights').children[0].click();"
    )
    worker = next(t for t in sampled(reader, 0, 1e6) if t.name == "worker")
    assert root(page).endswith(format_seconds(worker.wall_ns / NS_PER_S))


def test_both_themes_and_a_narrow_window(page: Browser) -> None:
    grounds = []
    for _ in range(2):
        page.run("byId('theme').click()")
        grounds.append(page.run("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(13, 17, 23)", "rgb(251, 252, 253)"]
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.command("Emulation.setDeviceMetricsOverride", size)
    try:
        until(page, "return document.documentElement.scrollWidth <= 390", wanted=True)
    finally:
        size |= {"width": 1440, "height": 900, "mobile": False}
        page.command("Emulation.setDeviceMetricsOverride", size)


def test_without_stacks_it_says_so(
    browser: Browser, reader: RecordingReader, tmp_path: Path
) -> None:
    part = whole(reader)._replace(threads=frozenset({(1, 1)}))
    page = opened(reader, browser, tmp_path / "none.html", part)
    assert "no stacks" in page.run("return byId('frames').textContent")
    page.drag(".u-over", 0.25, 0.5)
    until(page, "return choice.range !== null", wanted=True)
    assert page.run("return choice.range[0]") == pytest.approx(8, abs=0.3)
    assert page.log() == []


def test_hostile_names_do_not_run(browser: Browser, tmp_path: Path) -> None:
    reader = open_recording(make_hostile(tmp_path / "h.perftui"))
    page = opened(reader, browser, tmp_path / "h.html")
    page.run("byId('threads').children[0].click()")
    assert page.run("return document.querySelectorAll('#top tbody tr').length") > 5
    assert page.log() == []
    assert page.requests() == [(tmp_path / "h.html").as_uri()]
    assert page.run("return document.title") != "owned"
    assert page.run("return document.images.length + document.scripts.length") == 3
    page.run("document.querySelectorAll('#phases tbody tr')[0].click(); flame.look(1);")
    page.run("document.querySelectorAll('#top tbody tr')[0].click()")
    assert page.log() == []


def test_libraries_fold_and_unfold_and_nothing_is_lost(page: Browser) -> None:
    """What is drawn folded is, by thread and weight, the same time as unfolded."""
    sums = (
        "return [...flame.sums.values()].map(s => [s.total[0][0], s.own[0].reduce((a, b) => a + b),"
        " s.own[2].reduce((a, b) => a + b)])"
    )
    labels = "return flame.boxes.map(b => flame.label(b)[0])"
    page.run(
        "for (let n = 1; n < stacks.size; n += 1) { const told = stacks.functions[stacks.of[n]];"
        "if (told[0] !== 'write' && told[0] !== 'flush') continue; told[6] = 'lib'; told[7] = 0;"
        "stacks.entered[n] = told[0] === 'write' ? n : stacks.parents[n]; }"
        "flame.folding = new Folding(stacks); flame.update();"
    )
    folded, names = page.run(sums), page.run(labels)
    assert "▸ 2 lib frames" in names
    page.run("byId('fold').click()")
    assert page.run("return byId('fold').ariaPressed") == "false"
    for one, other in zip(folded, page.run(sums), strict=True):
        assert one == pytest.approx(other)
    assert not any(name.startswith("▸ ") for name in page.run(labels))
    page.run("byId('fold').click()")
    assert page.run(labels) == names
    opened = page.run(
        "const at = flame.boxes.findIndex(b => flame.label(b)[0].startsWith('▸ '));"
        "document.querySelector(`.frame[data-at='${at}']`).click();"
        "return [flame.zoom, flame.boxes.length]"
    )
    assert opened[0] is None
    assert page.run(labels) != names, "a click opens the one fold"
    assert page.log() == []


def test_what_the_program_never_told_takes_no_room(page: Browser) -> None:
    hidden = page.run(
        "return [...document.querySelectorAll('section .empty')]"
        ".filter(e => e.checkVisibility()).map(e => e.closest('section').id)"
    )
    assert set(hidden) <= {"alerts", "top", "frames"}
