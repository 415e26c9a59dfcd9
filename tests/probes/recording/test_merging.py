"""Several recordings as one: nothing is lost, counted twice or mixed up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.made import make
from support.recordings.synthetic import CHILD, PID, T0, S

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.tables import RECORDED
from perftui.probes.recording.merging.merge import merge_recordings
from perftui.probes.recording.merging.sums import family_rows
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.spine.reader import TREE
from perftui.probes.summary import summarize
from perftui.tui.commands.whole import merge as command
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

END = 1 << 62
LATER_S = 5
"""The second machine's session begins so much later, by the time of day."""


def of_host(path: Path, host: str, *, later_s: float = 0, seconds: int = 22) -> Path:
    """Record the synthetic session on a machine of its own: another boot, another time of day."""
    with pytest.MonkeyPatch.context() as patch:
        wall_ns = 1_790_000_000 * S + round(later_s * S)
        patch.setattr("time.time_ns", lambda: wall_ns)
        make(path, seconds, seed=len(host))
    meta = json.loads((path / "meta.json").read_text())
    meta["host"] = host
    meta["recorder"]["boot_id"] = f"boot of {host}"
    (path / "meta.json").write_text(json.dumps(meta))
    return path


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    """Two recordings of two machines, and both as one."""
    folder = tmp_path_factory.mktemp("merged")
    first = open_recording(of_host(folder / "first.perftui", "a"))
    second = open_recording(of_host(folder / "second.perftui", "bb", later_s=LATER_S))
    merge_recordings([first, second], folder / "both.perftui")
    return first, second, open_recording(folder / "both.perftui")


def test_no_row_is_lost(merged: tuple[Any, Any, Any]) -> None:
    _first, _second, both = merged
    for name in RECORDED:
        if name in ("frames", "nodes", "clock", "metrics", "memory_parts"):
            continue
        told = [
            sum(each.rows for each in reader.catalog.extents(name).values()) for reader in merged
        ]
        assert told[2] == told[0] + told[1], name
    assert both.state == "closed"
    assert both.salvage is None


def test_processes_of_two_machines_are_kept_apart(merged: tuple[Any, Any, Any]) -> None:
    *_, both = merged
    known = {process.pid: process for process in both.processes()}
    assert set(known) == {PID, CHILD, PID + 10_000_000, CHILD + 10_000_000}
    assert known[CHILD + 10_000_000].ppid == PID + 10_000_000
    assert known[PID].argv[0] == "a:"
    assert known[PID + 10_000_000].argv[0] == "bb:"
    used = {use.pid for use in both.process_use(0, END)}
    assert used == set(known)
    assert {thread.pid for thread in both.threads(0, END)} >= {PID, PID + 10_000_000}


def test_both_are_on_one_clock(merged: tuple[Any, Any, Any]) -> None:
    _first, _second, both = merged
    begins = {process.pid: process.t_start_ns for process in both.processes()}
    assert begins[PID + 10_000_000] - begins[PID] == LATER_S * S
    status = both.status()
    assert (status.t_end_ns - status.t_start_ns) / S == pytest.approx(22 + LATER_S, abs=0.5)


def test_the_tree_is_the_sum_of_both(merged: tuple[Any, Any, Any]) -> None:
    first, second, both = merged
    at_ns = T0 + 15 * S  # of the first; the second is LATER_S behind

    def rss(reader: Any, pid: int, t_ns: int) -> float:
        return float(reader.metric("rss_bytes", t_ns, t_ns + S, 1, pid).last[0])

    whole = rss(both, TREE, at_ns)
    parts = rss(first, TREE, at_ns) + rss(second, TREE, at_ns - LATER_S * S)
    assert whole == pytest.approx(parts, rel=0.05)
    totals = [{c.name: c.total for c in reader.counters(0, END)} for reader in merged]
    for name, total in totals[2].items():
        assert total == pytest.approx(totals[0][name] + totals[1][name]), name


def test_stacks_weigh_what_they_weighed_and_like_paths_are_one(
    merged: tuple[Any, Any, Any],
) -> None:
    def by_path(reader: Any) -> dict[tuple[str, ...], int]:
        found: dict[tuple[str, ...], int] = {}
        for thread in reader.call_tree(0, END):
            for node, weights in thread.self_by_node.items():
                names = []
                while node:
                    names.append(reader.tree.frame(node).function)
                    node = reader.tree.parent(node)
                found[tuple(names)] = found.get(tuple(names), 0) + weights.wall_ns
        return found

    first, second, both = map(by_path, merged)
    assert both == {path: first.get(path, 0) + second.get(path, 0) for path in first | second}
    assert len(merged[2].tree) == len(merged[0].tree)


def test_alerts_and_notices_say_whose_they_are(merged: tuple[Any, Any, Any]) -> None:
    *_, both = merged
    said = [alert.message for alert in both.alerts(0, END)]
    assert any(text.startswith("a: ") for text in said)
    assert any(text.startswith("bb: ") for text in said)


def test_a_summary_is_made_of_it(merged: tuple[Any, Any, Any]) -> None:
    first, second, both = map(summarize, merged)
    assert len(both["phases"]) == len(first["phases"]) + len(second["phases"])
    peaks = [reader.meta["summary"]["peak_rss_bytes"] for reader in merged]
    assert max(peaks[:2]) < peaks[2] <= sum(peaks[:2])


def test_what_cannot_be_merged(tmp_path: Path) -> None:
    first = of_host(tmp_path / "first.perftui", "a", seconds=4)
    late = of_host(tmp_path / "late.perftui", "b", later_s=600, seconds=4)
    open_ = make(tmp_path / "open.perftui", 4, close=False)
    for paths, said in (
        ([first, first], "named twice"),
        ([first, open_], "still being recorded"),
        ([first, late], r"have no moment in common: 9 min 5[56]\S* s lie between"),
    ):
        with pytest.raises(RecordingError, match=said):
            merge_recordings([open_recording(path) for path in paths], tmp_path / "out.perftui")
    again = make(tmp_path / "again.perftui", 4)
    twin = make(tmp_path / "twin.perftui", 4, seed=2)
    with pytest.raises(RecordingError, match=f"both show process {PID}: the same program"):
        merge_recordings([open_recording(again), open_recording(twin)], tmp_path / "out.perftui")
    assert not (tmp_path / "out.perftui").exists()


def test_the_sum_stands_at_the_leaders_moments_and_ends_with_what_is_had() -> None:
    first = [{"t_ns": t * S, "pid": 0, "cpu_user_s": float(t), "rss_bytes": 10} for t in range(5)]
    second = [{"t_ns": t * S + 1, "pid": 0, "cpu_user_s": 1.0, "rss_bytes": 7} for t in range(2, 9)]
    told = list(family_rows([first, second]))
    assert [row["t_ns"] // S for row in told] == [0, 1, 2, 3, 4, 6, 7, 8]
    assert [row["rss_bytes"] for row in told] == [10, 10, 10, 17, 17, 7, 7, 7]
    # CPU that was used stays used.
    assert [row["cpu_user_s"] for row in told] == [0, 1, 2, 4, 5, 5, 5, 5]


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    import argparse

    for names, out, said in (
        (["a"], "c.perftui", "two recordings or more"),
        (["a", "b"], "c.zip", "ends in .perftui"),
        (["nix", "nix"], "c.perftui", "there is no recording"),
    ):
        args = argparse.Namespace(recordings=names, output=str(tmp_path / out))
        with pytest.raises(UserError, match=said):
            command.run(args)
