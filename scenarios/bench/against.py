"""What a bench is compared with: a baseline file, or a revision; and whether it may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.compare.figures import percent_text
from perftui.probes.compare.warnings import package_changes
from perftui.scenarios.bench.answer import BenchAnswer, answer
from perftui.scenarios.bench.baseline.stored import StoredEntry, read_baseline
from perftui.scenarios.bench.baseline.surroundings import (
    differences,
    git,
    machine_id,
    surroundings_of,
)
from perftui.scenarios.bench.revision import python_of, revision
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.subject import Subject

UNSURE = ("suspect", "inconclusive")
"""Verdicts that runs in turns may make sure."""
_SHOWN = 6


class OtherSide(NamedTuple):
    """The other side: one of the two."""

    baseline: StoredEntry | None = None
    subject: Subject | None = None
    told: str = ""


def compared_with(
    text: str, new: Subject, tell: Callable[[str], None], go_on: Callable[[], None]
) -> OtherSide:
    """Find what `--against` names: a file if there is one or it looks like one, else a revision.

    Raises:
        ScenarioError: it is neither, or cannot be read or installed.
    """
    file = text.partition("#")[0]
    if Path(file).is_file() or file.endswith(".json"):
        baseline = read_baseline(text, new.key)
        return OtherSide(baseline=baseline, told=f"baseline {baseline.told()}")
    found = revision(text, python_of(new), tell, go_on)
    installed = "" if found.python is None else ", installed in an environment of its own"
    told = f"{text} (commit {found.commit[:10]}{installed}), in turns"
    return OtherSide(subject=found.subject(new), told=told)


def check_before(baseline: StoredEntry, new: Subject, *, force: bool) -> None:
    """Refuse, before anything is run, what can be known to be no comparison.

    Raises:
        ScenarioError: another thing, machine or parameters.
    """
    about = baseline.about
    if about is None or force:
        return
    if baseline.key != new.key and not new.params:
        raise _refused(baseline, [f"another program: {baseline.key} → {new.key}"])
    here = about._replace(machine_id=machine_id(), params=new.params)
    found = differences(about, here._replace(machine="this one"))
    if found:
        raise _refused(baseline, found)


def check_warm(bench: Bench, baseline: StoredEntry, *, force: bool) -> None:
    """Refuse after the first run what differs, or say it first.

    Raises:
        ScenarioError: another Python, other versions, other calls.
    """
    if baseline.about is None:
        bench.warnings.append(
            f"{baseline.path.name} does not tell its machine or versions, and has one number for "
            "each figure: nothing is worse than suspect"
        )
        return
    if bench.plan.calls is None and baseline.about.calls and bench.plan.new.kept:
        bench.calls = baseline.about.calls
    found = differences(baseline.about, surroundings_of(bench))
    if found and not force:
        raise _refused(baseline, found)
    bench.warnings += found


def commit_of(baseline: StoredEntry) -> str | None:
    """Return the commit that a baseline was made of, if it was that alone, and is here."""
    if baseline.commit is None or baseline.raw.get("git_dirty") is not False:
        return None
    return git("rev-parse", "--verify", "--quiet", f"{baseline.commit}^{{commit}}") or None


def how_to_know(found: BenchAnswer, commit: str | None) -> str:
    """Say how what is not sure against a file can be made sure."""
    return (
        f"{found.verdict} against runs of another time: to know, run both in turns: --against "
        + (f"{commit[:10]}, or --confirm" if commit else "REV")
    )


def _refused(baseline: StoredEntry, found: list[str]) -> ScenarioError:
    return ScenarioError(
        f"{baseline.path} is no base for this: {'; '.join(found)}; --force compares all the same"
    )


def sides_differ(bench: Bench) -> None:
    """Say what differs in what the two sides imported."""
    base, new = bench.base.packages(), bench.new.packages()
    if base is None or new is None:
        return
    changed = package_changes(base, new)
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        bench.warnings.append(f"installed packages differ: {', '.join(changed[:_SHOWN])}{more}")


def since_the_oldest(bench: Bench, baseline: StoredEntry) -> BenchAnswer | None:
    """Hold a bench against the first entry that was ever accepted: slow drift is many small steps,
    none of which is an alarm. None if there is no older one, or it was made elsewhere."""
    oldest = baseline.oldest
    if oldest is None or oldest.about is None:
        return None
    if differences(oldest.about, surroundings_of(bench)):
        return None
    return answer(bench.new, None, oldest.stored, bench.plan.gate)


def drift_words(found: BenchAnswer, since: str | None) -> list[str]:
    """Say which figures have got worse since then."""
    return [
        f"{row.figure.label} {percent_text(row.ratio)} since the oldest accepted baseline ({since})"
        for row in found.rows
        if row.verdict == "regressed"
    ]
