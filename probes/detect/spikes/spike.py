"""A spike that explains itself: what rose, by how much, where, and which code ran only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perftui.probes.profile.place import name_in_words
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.profile.difference import State

SpikeKind = Literal["rss", "cpu"]


class SpikeCode(NamedTuple):
    """A function (or line) that ran in the spike."""

    function: str
    file: str
    line: int
    module: str
    share: float
    """Of the threads' time in the spike, 0..1, with all it called."""
    share_before: float
    state: State

    def __str__(self) -> str:
        name = self.file.replace("\\", "/").rpartition("/")[2] or self.module
        function = name_in_words(self.function, self.file)
        return f"{function} {name}:{self.line} {self.share:.0%}"


class Spike(NamedTuple):
    """A card. Frozen: what it says does not change any more."""

    kind: SpikeKind
    t0_ns: int
    t1_ns: int
    rss_before_bytes: int | None
    rss_after_bytes: int | None
    cpu_before_percent: float | None
    """Mean of the second before, of one core; None if there was none."""
    cpu_percent: float | None
    """Mean over the spike."""
    phase: str
    import_: str
    """Outermost module that was being imported, "" if none."""
    call: str
    """Timed call that it fell into, "" if none."""
    first_call: bool
    before_ns: int
    """Length of the time before that it was compared with, 0 if there was none."""
    ran: tuple[SpikeCode, ...]
    """What ran then and not before; without such what rose most, or what ran as it did before;
    without a before what ran."""
    grew: str
    """The program's own function with most of the growth, "" if RSS did not rise."""
    sampled: bool = True
    """There are stacks of the spike."""

    @property
    def duration_s(self) -> float:
        """How long the rise took."""
        return (self.t1_ns - self.t0_ns) / NS_PER_S

    @property
    def risen_bytes(self) -> int:
        """How much RSS rose, 0 if it did not or is not known."""
        if self.rss_before_bytes is None or self.rss_after_bytes is None:
            return 0
        return max(self.rss_after_bytes - self.rss_before_bytes, 0)

    @property
    def size(self) -> float:
        """Comparable over kinds: 20 MB weigh as much as 0.3 s of a core."""
        cpu_s = self.duration_s * (self.cpu_percent or 0.0) / 100
        return max(self.risen_bytes / 20e6, cpu_s / 0.3 if self.kind == "cpu" else 0.0)


def what_rose(spike: Spike) -> str:
    """Say what rose and by how much: the headline of a card."""
    took = format_seconds(spike.duration_s)
    rss = ""
    if spike.risen_bytes >= 1e6:
        before, after = spike.rss_before_bytes or 0, spike.rss_after_bytes or 0
        rss = f"RSS +{format_bytes(spike.risen_bytes)}"
        rss += f" ({format_bytes(before)} -> {format_bytes(after)})"
    if spike.kind == "rss":
        busy = "" if spike.cpu_percent is None else f", CPU {spike.cpu_percent:.0f} %"
        return f"{rss.replace(' (', f' in {took} (', 1)}{busy}"
    cpu = f"CPU {spike.cpu_percent or 0:.0f} % for {took}"
    if spike.cpu_before_percent is not None:
        cpu = f"CPU {spike.cpu_before_percent:.0f} % -> {spike.cpu_percent or 0:.0f} % for {took}"
    return f"{cpu}, {rss}" if rss else cpu


def where_it_was(spike: Spike) -> str:
    """Say in which phase, import and call it was."""
    first = "first call of " if spike.first_call else "call "
    parts = [
        f"phase {spike.phase}" if spike.phase else "",
        f"import {spike.import_}" if spike.import_ else "",
        f"{first}{spike.call}" if spike.call else "",
    ]
    return ", ".join(part for part in parts if part) or "in no phase, import or timed call"


def what_ran(spike: Spike) -> str:
    """Say which code ran then and not before."""
    if not spike.sampled:
        return "no stacks were sampled then"
    if not spike.ran:
        return "no Python function ran then"
    names = ", ".join(str(code) for code in spike.ran)
    if not spike.before_ns:
        return f"ran then (nothing before to compare with): {names}"
    if spike.ran[0].share_before < spike.ran[0].share / 10:
        return f"ran then and not before: {names}"
    if all(code.share <= code.share_before for code in spike.ran):
        return f"ran then as it did before: {names}"
    return f"all of it ran before; rose most: {names}"


def what_grew(spike: Spike) -> str:
    """Say whose growth it was; "" if that is not known."""
    return f"memory grew in {spike.grew}" if spike.grew else ""


def spike_json(spike: Spike, base_ns: int) -> dict[str, Any]:
    """Return a card as plain data; `base_ns` is the start of the session."""
    return {
        "kind": spike.kind,
        "t0_s": max(spike.t0_ns - base_ns, 0) / NS_PER_S,  # a reading may be older than the start
        "t1_s": (spike.t1_ns - base_ns) / NS_PER_S,
        "rss_before_bytes": spike.rss_before_bytes,
        "rss_after_bytes": spike.rss_after_bytes,
        "cpu_before_percent": spike.cpu_before_percent,
        "cpu_percent": spike.cpu_percent,
        "phase": spike.phase or None,
        "import": spike.import_ or None,
        "call": spike.call or None,
        "first_call": spike.first_call,
        "compared_with_s": spike.before_ns / NS_PER_S,
        "ran": [
            {
                "function": code.function,
                "file": code.file,
                "line": code.line,
                "share": code.share,
                "share_before": code.share_before,
            }
            for code in spike.ran
        ],
        "message": f"{what_rose(spike)}; {where_it_was(spike)}; {what_ran(spike)}",
    }
