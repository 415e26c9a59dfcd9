"""A labelled corpus of made traces: what a profiler would have read from programs whose truth is
known. `families` says what the programs do; here is how they are sampled and disturbed.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.observations import CallEnded, ImportEnded, TreeReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perftui.probes.detect.evidence.observations import Observation

MB = 1e6
PAGE = 4096
RATES_HZ = (10.0, 20.0, 50.0)
NOISES = ("pages", "gauss", "allocator", "drift")


class Truth(NamedTuple):
    """What a right detector says about a trace."""

    kind: str
    onset_s: float
    end_s: float | None
    """When the cause ended; None if it lasts to the end of the trace."""
    latest_s: float
    """An alert after this is too late to count."""


@dataclass
class Plan:
    """What one program does, as functions of time (seconds)."""

    duration_s: float
    rss_mb: Callable[[float], float]
    cpu: Callable[[float], float] = lambda t: 92.0
    """Per cent of a core."""
    rate: Callable[[float], float] | None = None
    """Rows per second, None without a counter."""
    phases: list[tuple[float, str]] = field(default_factory=list)
    """(start, name) in time order; "" ends the marking."""
    events: list[CallEnded | ImportEnded] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    limit_mb: float | None = None
    rows_noise: float = 0.05
    zero_readings: int = 0
    suspensions: int = 0


@dataclass
class Trace:
    """A plan as it was sampled."""

    name: str
    family: str
    observations: list[Observation]
    truths: list[Truth]
    limit_bytes: int | None
    duration_s: float
    n_samples: int

    @property
    def healthy(self) -> bool:
        return not self.truths


def _noise(kind: str, rng: random.Random) -> Callable[[float, float], float]:
    """Return noise(t, level_mb) in MB."""
    if kind == "gauss":
        sigma = rng.uniform(0.02, 0.3)
        return lambda t, level: rng.gauss(0.0, sigma)
    if kind == "allocator":  # arenas that come and go: a telegraph signal
        size, state, until = rng.uniform(0.2, 1.5), [0.0], [0.0]

        def telegraph(t: float, level: float) -> float:
            if t >= until[0]:
                state[0] = size if state[0] == 0.0 else 0.0
                until[0] = t + rng.expovariate(1 / 1.5)
            return state[0] + rng.gauss(0.0, 0.02)

        return telegraph
    if kind == "drift":  # mean-reverting wander
        sigma, last, value = rng.uniform(0.1, 0.5), [0.0], [0.0]
        tau = rng.uniform(0.5, 2.5)

        def wander(t: float, level: float) -> float:
            keep = math.exp(-max(t - last[0], 0.0) / tau)
            value[0] = keep * value[0] + rng.gauss(0.0, sigma * math.sqrt(1 - keep * keep))
            last[0] = t
            return value[0]

        return wander
    return lambda t, level: rng.choice((0, 0, 0, 1, 2)) * PAGE / MB


def _times(plan: Plan, hz: float, rng: random.Random) -> Iterator[float]:
    jitter = rng.choice((0.02, 0.1, 0.3)) / hz
    gaps = sorted(
        (rng.uniform(5, plan.duration_s), rng.choice((0.4, 1.0, 2.5)))
        for _ in range(rng.choice((0, 0, 1, 2, 3)))
    )
    t, last = 0.0, -1.0
    while t < plan.duration_s:
        if gaps and t >= gaps[0][0]:
            t += gaps.pop(0)[1]
            continue
        seen = max(t + rng.gauss(0.0, jitter), last + 1e-4, 0.0)
        yield seen
        last = seen
        t += 1 / hz


def sample(name: str, family: str, plan: Plan, rng: random.Random) -> Trace:
    """Read a plan as a profiler would: irregular times, one of four noises, gaps."""
    hz = rng.choice(RATES_HZ)
    noise = _noise(rng.choice(NOISES), rng)
    stops = sorted(
        (rng.uniform(8, plan.duration_s - 10), rng.uniform(2, 6)) for _ in range(plan.suspensions)
    )
    samples: list[TreeReading] = []
    rows, last_t, lost_s = 0.0, 0.0, 0.0
    frozen: TreeReading | None = None
    phase_at, phase = 0, None
    for t in _times(plan, hz, rng):
        if stops and t >= stops[0][0]:
            start, length = stops[0]
            if t < start + length and samples:
                frozen = frozen or samples[-1]
                samples.append(frozen._replace(t_s=t, cpu_percent=0.0))
                last_t = t
                continue
            lost_s += length
            stops.pop(0)
            frozen = None
        own = t - lost_s  # the program's own time stands still while it is suspended
        while phase_at < len(plan.phases) and plan.phases[phase_at][0] <= own:
            phase = plan.phases[phase_at][1] or None
            phase_at += 1
        level = plan.rss_mb(own)
        rss = max((level + noise(t, level)) * MB, 4 * MB)
        if plan.rate is not None:
            step = plan.rate(own) * (t - last_t)
            rows += max(step * rng.gauss(1.0, plan.rows_noise), 0.0)
        last_t = t
        cpu = min(max(plan.cpu(own) + rng.gauss(0.0, 3.0), 0.0), 400.0)
        samples.append(
            TreeReading(
                t,
                float(int(rss / PAGE) * PAGE),
                cpu,
                None if plan.rate is None else float(int(rows)),
                phase,
            )
        )
    for _ in range(plan.zero_readings):
        at = rng.randrange(len(samples))
        rss = samples[at].rss_bytes or 0.0
        samples[at] = samples[at]._replace(rss_bytes=rng.choice((0.0, rss / 2)))
    observations: list[Observation] = sorted([*samples, *plan.events], key=lambda seen: seen.t_s)
    limit = None if plan.limit_mb is None else int(plan.limit_mb * MB)
    return Trace(name, family, observations, plan.truths, limit, plan.duration_s, len(samples))


def traces(
    families: Iterable[Callable[[random.Random], Plan]], seeds: Iterable[int]
) -> Iterator[Trace]:
    """Make one trace per family and seed; the same arguments give the same traces."""
    for seed in seeds:
        for family in families:
            rng = random.Random(f"{family.__name__}:{seed}")
            yield sample(f"{family.__name__}:{seed}", family.__name__, family(rng), rng)
