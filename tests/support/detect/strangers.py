"""A second corpus, written apart from `families`: the same classes of programs as somebody else
might draw them, with wider ranges, other shapes, other noise and another way of sampling.

It keeps the rules honest: what only holds for the numbers of one generator is no rule. Each
family gets a `Draw` and returns a `Program`; `note` holds what was drawn, to see where it breaks.
"""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import CallEnded, ImportEnded, TreeReading
from support.detect.corpus import MB, PAGE, Trace, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from perftui.probes.detect.evidence.observations import Observation

    Level = Callable[[float], float]

GRACE_S = 20.0
"""An alert may come this long after its cause has ended."""


class Draw(random.Random):
    """Random numbers that remember what was drawn."""

    def begin(self) -> None:
        """Forget what was noted."""
        self.noted: dict[str, float] = {}

    def note(self, name: str, value: float) -> float:
        self.noted[name] = value
        return value

    def flat(self, name: str, low: float, high: float) -> float:
        return self.note(name, self.uniform(low, high))

    def wide(self, name: str, low: float, high: float) -> float:
        """Evenly in the logarithm."""
        return self.note(name, math.exp(self.uniform(math.log(low), math.log(high))))

    def maybe(self, share: float) -> bool:
        return self.random() < share


@dataclass
class Program:
    """What happens, on the program's own clock."""

    seconds: float
    memory: Level
    """MB."""
    cpu: Level = lambda t: 95.0
    rows_per_s: Level | None = None
    batch_rows: float = 0.0
    """Rows come in batches of this many; 0: one by one."""
    phases: Sequence[tuple[float, str]] = ()
    calls: list[CallEnded | ImportEnded] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    limit_mb: float | None = None
    cores: int = 1
    zero_readings: int = 0
    stops: list[tuple[float, float]] = field(default_factory=list)
    """(begin, length) of suspensions."""
    quiet: bool = False
    """Only the noise of pages: what the family is about is small."""


# Parts


def base(d: Draw) -> Level:
    """An interpreter that loads what it needs: at once, in steps, or slowly."""
    small, large = d.uniform(9, 40), d.wide("base", 30, 900)
    kind = d.choice(("at once", "steps", "slow"))
    if kind == "at once":
        return lambda t: large
    if kind == "steps":
        n = d.randint(2, 6)
        times = sorted(d.uniform(0.05, 2.5) for _ in range(n))
        return lambda t: small + (large - small) * bisect.bisect(times, t) / n
    tau = d.uniform(0.05, 0.8)
    return lambda t: large - (large - small) * math.exp(-t / tau)


def length(d: Draw, low: float = 90, high: float = 300) -> float:
    return d.flat("seconds", low, high)


def saw(t: float, period: float) -> float:
    return (t / period) % 1.0


def work(d: Draw, start: float = 0.0) -> Sequence[tuple[float, str]]:
    name = d.choice(("load", "serve", "read", "train", "export"))
    if start <= 0 or d.maybe(0.4):
        return [(0.0, name)]
    return [(0.0, d.choice(("startup", "start-up", "init"))), (start, name)]


def maybe_work(d: Draw, share: float = 0.6) -> Sequence[tuple[float, str]]:
    return work(d) if d.maybe(share) else ()


def leak_truth(onset: float, end: float | None, seconds: float) -> list[Truth]:
    latest = seconds if end is None else min(end + GRACE_S, seconds)
    return [Truth("mem_growth", onset, end, latest)]


# Healthy


def steady(d: Draw) -> Program:
    return Program(length(d), base(d), phases=maybe_work(d))


def startup_plateau(d: Draw) -> Program:
    level, gain, took = base(d), d.wide("gain", 10, 800), d.flat("took", 0.5, 8)
    bent = d.maybe(0.5)

    def memory(t: float) -> float:
        part = min(t / took, 1.0)
        return level(t) + gain * (1 - (1 - part) ** 2 if bent else part)

    return Program(length(d), memory, phases=maybe_work(d))


def sawtooth_gc(d: Draw) -> Program:
    level, size, period = base(d), d.wide("size", 2, 150), d.wide("period", 0.2, 6)
    uneven = [d.uniform(0.6, 1.0) for _ in range(2500)]
    return Program(
        length(d),
        lambda t: level(t) + size * saw(t, period) * uneven[int(t / period)],
        phases=maybe_work(d),
    )


def sawtooth_slow(d: Draw) -> Program:
    level, size, period = base(d), d.wide("size", 3, 120), d.flat("period", 8, 25)
    jitter = d.uniform(0.0, 0.15)
    edges, at = [0.0], 0.0
    while at < 500:
        at += period * d.uniform(1 - jitter, 1 + jitter)
        edges.append(at)

    def memory(t: float) -> float:
        i = bisect.bisect(edges, t) - 1
        return level(t) + size * (t - edges[i]) / (edges[i + 1] - edges[i])

    return Program(length(d), memory)


def step_cache(d: Draw) -> Program:
    level, seconds = base(d), length(d)
    steps = [
        (d.uniform(3, seconds), d.uniform(3, 250), d.uniform(0.05, 1.5))
        for _ in range(d.randint(1, 4))
    ]
    return Program(
        seconds,
        lambda t: level(t) + sum(size * min(max((t - at) / w, 0), 1) for at, size, w in steps),
    )


def staircase_few(d: Draw) -> Program:
    level, gap = base(d), d.flat("gap", 4, 30)
    n, size = d.randint(2, 5), d.wide("size", 2, 80)
    start, width = d.uniform(2, 40), d.uniform(0.05, 1.0)
    times = [start + gap * i * d.uniform(0.9, 1.1) for i in range(n)]
    return Program(
        length(d),
        lambda t: level(t) + sum(size * min(max((t - at) / width, 0), 1) for at in times),
    )


def log_cache(d: Draw) -> Program:
    level, size, tau = base(d), d.wide("size", 3, 60), d.wide("tau", 0.7, 25)
    start = d.uniform(0, 30)
    return Program(length(d), lambda t: level(t) + size * math.log1p(max(t - start, 0) / tau))


def saturating_cache(d: Draw) -> Program:
    level, size, tau = base(d), d.wide("size", 5, 300), d.wide("tau", 2, 16)
    start, power = d.uniform(0, 50), d.choice((1.0, 1.0, 2.0))

    def memory(t: float) -> float:
        x = max(t - start, 0) / tau
        part = 1 - math.exp(-x) if power == 1.0 else x / math.sqrt(1 + x * x)
        return level(t) + size * part

    return Program(length(d), memory)


def fill_then_plateau(d: Draw) -> Program:
    level, gain = base(d), d.wide("gain", 10, 600)
    start, took = d.flat("start", 0.5, 90), d.flat("took", 1, 9.5)
    return Program(length(d), lambda t: level(t) + gain * min(max((t - start) / took, 0), 1))


def stream_flat(d: Draw) -> Program:
    level, size, period = base(d), d.wide("size", 0.5, 60), d.wide("period", 0.1, 3)
    rate, swing, wave = d.wide("rate", 100, 3e6), d.uniform(0, 0.4), d.uniform(3, 30)
    return Program(
        length(d),
        lambda t: level(t) + size * saw(t, period),
        rows_per_s=lambda t: rate * (1 + swing * math.sin(2 * math.pi * t / wave)),
        batch_rows=d.choice((0.0, rate * 0.05, rate * 0.4)),
        phases=maybe_work(d),
    )


def batch_spikes(d: Draw) -> Program:
    level, size = base(d), d.wide("size", 10, 600)
    period, width = d.wide("period", 0.8, 12), d.flat("width", 0.05, 0.6)
    tops = [d.uniform(0.3, 1) for _ in range(600)]
    return Program(
        length(d),
        lambda t: level(t) + (size * tops[int(t / period)] if saw(t, period) < width else 0),
        rows_per_s=(lambda t: 5000.0) if d.maybe(0.5) else None,
        batch_rows=5000.0 * period,
        phases=maybe_work(d),
    )


def burst_release(d: Draw) -> Program:
    level, seconds = base(d), length(d)
    bursts = [
        (d.uniform(4, seconds), d.uniform(2, 9), d.uniform(15, 700), d.uniform(0.1, 1.5))
        for _ in range(d.randint(1, 4))
    ]

    def memory(t: float) -> float:
        extra = 0.0
        for at, took, size, fall in bursts:
            if at <= t < at + took:
                extra += size * (t - at) / took
            elif at + took <= t < at + took + fall:
                extra += size * (1 - (t - at - took) / fall)
        return level(t) + extra

    return Program(seconds, memory)


def workers(d: Draw) -> Program:
    level, size = base(d), d.wide("size", 8, 120)
    starts = [d.uniform(0.5, 6)]
    for _ in range(d.randint(1, 6)):
        starts.append(starts[-1] + d.uniform(0.3, 7))
    took = d.uniform(0.1, 0.8)
    return Program(
        length(d),
        lambda t: level(t) + sum(size * min(max((t - at) / took, 0), 1) for at in starts),
        cpu=lambda t: 60.0 + 40.0 * sum(t > at for at in starts),
        cores=8,
    )


def idle_low_cpu(d: Draw) -> Program:
    busy = d.uniform(4, 50)
    kind = d.choice(("unmarked", "idle phase", "never busy"))
    if kind == "never busy":
        return Program(length(d), base(d), cpu=lambda t: d.uniform(0, 8), phases=work(d))
    phases = [(0.0, "load"), (busy, d.choice(("idle", "wait", "sleep")))]
    return Program(
        length(d),
        base(d),
        cpu=lambda t: 93.0 if t < busy else 1.5,
        phases=phases if kind == "idle phase" else (),
    )


def phase_rates(d: Draw) -> Program:
    edges = [0.0]
    while edges[-1] < 300:
        edges.append(edges[-1] + d.uniform(8, 60))
    rates = [10 ** d.uniform(2, 6) for _ in edges]
    cpus = [d.choice((98, 85, 70, 50, 30, 12, 4)) for _ in edges]

    def part(t: float) -> int:
        return bisect.bisect(edges, t) - 1

    return Program(
        length(d),
        base(d),
        cpu=lambda t: cpus[part(t)],
        rows_per_s=lambda t: rates[part(t)],
        phases=[(at, f"step {i}") for i, at in enumerate(edges)],
    )


def rate_wander(d: Draw) -> Program:
    rate, depth = d.wide("rate", 300, 1e6), d.flat("depth", 0.05, 0.2)
    periods = [d.uniform(7, 70), d.uniform(3, 20)]
    shift = d.uniform(0, 6.3)
    return Program(
        length(d),
        base(d),
        rows_per_s=lambda t: (
            rate
            * (
                1
                + depth * math.sin(2 * math.pi * t / periods[0] + shift)
                + depth / 2 * math.sin(2 * math.pi * t / periods[1])
            )
        ),
        batch_rows=d.choice((0.0, rate * 0.1)),
        phases=maybe_work(d, 0.8),
    )


def cpu_dips(d: Draw) -> Program:
    seconds = length(d)
    dips, at = [], d.uniform(2, 12)
    while at < seconds:
        took = d.uniform(0.2, 2.0)
        dips.append((at, took))
        at += took + d.wide("apart", 2.5, 40)
    rate = 10 ** d.uniform(2.5, 6) if d.maybe(0.7) else 0.0
    depth = d.uniform(0.05, 0.5)

    def low(t: float) -> bool:
        i = bisect.bisect(dips, (t, 99.0)) - 1
        return i >= 0 and t < dips[i][0] + dips[i][1]

    return Program(
        seconds,
        base(d),
        cpu=lambda t: 5.0 if low(t) else 88.0,
        rows_per_s=(lambda t: rate * (depth if low(t) else 1)) if rate else None,
        phases=work(d),
    )


def query_calls(
    d: Draw, start: float, until: float, took: Callable[[int], float], longest: float = 2.0
) -> list[CallEnded | ImportEnded]:
    calls: list[CallEnded | ImportEnded] = []
    pause = d.wide("pause", 0.05, longest)
    t = start
    while t < until:
        dur = took(len(calls))
        t += dur
        calls.append(CallEnded(t, "query", dur))
        t += d.expovariate(1 / pause)
    return [call for call in calls if call.t_s < until]


def warm_calls(d: Draw) -> Program:
    seconds, typical, sigma = length(d), d.wide("typical", 0.001, 0.4), d.flat("sigma", 0.02, 0.3)
    calls = query_calls(d, 1, seconds, lambda n: typical * d.lognormvariate(0, sigma))
    return Program(seconds, base(d), cpu=lambda t: 45, calls=calls)


def warmup_then_flat(d: Draw) -> Program:
    seconds, typical = length(d), d.wide("typical", 0.002, 0.2)
    n_warm, factor = d.randint(2, 40), d.flat("factor", 1.2, 6)
    sigma = d.uniform(0.03, 0.2)

    def took(n: int) -> float:
        slow = factor ** max(0.0, 1 - n / n_warm)
        return typical * slow * d.lognormvariate(0, sigma)

    return Program(seconds, base(d), cpu=lambda t: 45, calls=query_calls(d, 1, seconds, took))


def spiky_calls(d: Draw) -> Program:
    seconds, typical = length(d), d.wide("typical", 0.002, 0.2)
    share, size = d.flat("share", 0.01, 0.22), d.wide("size", 2.5, 40)
    sigma = d.flat("sigma", 0.04, 0.35)

    def took(n: int) -> float:
        spike = size if n > 0 and d.random() < share else 1.0
        return typical * spike * d.lognormvariate(0, sigma)

    return Program(seconds, base(d), cpu=lambda t: 45, calls=query_calls(d, 1, seconds, took))


def tiny_cold(d: Draw) -> Program:
    seconds, first = length(d), d.flat("first", 0.01, 0.09)
    warm = d.wide("warm", 0.0002, 0.006)
    calls = query_calls(
        d, 1, seconds, lambda n: first if n == 0 else warm * d.lognormvariate(0, 0.2)
    )
    return Program(seconds, base(d), cpu=lambda t: 45, calls=calls)


def wander_slow(d: Draw) -> Program:
    level = base(d)
    waves = [
        (d.uniform(0.2, 3), d.uniform(15, 110), d.uniform(0, 6.3)) for _ in range(d.randint(1, 3))
    ]
    return Program(
        length(d),
        lambda t: level(t) + 12 + sum(a * math.sin(2 * math.pi * t / p + s) for a, p, s in waves),
    )


def glitches(d: Draw) -> Program:
    level, seconds, size = base(d), length(d), d.uniform(0, 40)
    period = d.uniform(0.3, 4)
    stops = sorted((d.uniform(6, seconds - 15), d.uniform(1, 9)) for _ in range(d.randint(0, 3)))
    apart: list[tuple[float, float]] = []
    for at, took in stops:
        if not apart or at > sum(apart[-1]) + 5:
            apart.append((at, took))
    return Program(
        seconds,
        lambda t: level(t) + size * saw(t, period),
        rows_per_s=(lambda t: 4e4) if d.maybe(0.5) else None,
        phases=maybe_work(d),
        zero_readings=d.randint(1, 20),
        stops=apart,
    )


# With a truth


def leak_linear(d: Draw) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 0.1, 5), length(d, 80, 300)
    onset = d.flat("onset", 0.5, 8)
    return Program(
        seconds,
        lambda t: level(t) + rate * max(t - onset, 0),
        phases=maybe_work(d),
        truths=leak_truth(onset, None, seconds),
    )


def leak_after_steady(d: Draw) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 0.2, 10), length(d, 130, 300)
    onset = d.flat("onset", 20, 80)
    return Program(
        seconds,
        lambda t: level(t) + rate * max(t - onset, 0),
        phases=maybe_work(d),
        truths=leak_truth(onset, None, seconds),
    )


def leak_stops(d: Draw) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 0.4, 10), length(d, 170, 300)
    onset = d.flat("onset", 6, 45)
    end = onset + d.flat("lasts", 30, 90)
    return Program(
        seconds,
        lambda t: level(t) + rate * min(max(t - onset, 0), end - onset),
        truths=leak_truth(onset, end, seconds),
    )


def leak_bursty(d: Draw) -> Program:
    level, size, seconds = base(d), d.wide("size", 2, 20), length(d, 150, 300)
    onset, mean = d.flat("onset", 3, 25), d.flat("mean", 2, 8)
    spread, width = d.uniform(0, 0.4), d.uniform(0.05, 1.5)
    times, at = [], onset
    while at < seconds:
        times.append(at)
        at += mean * d.uniform(1 - spread, 1 + spread)

    def memory(t: float) -> float:
        i = bisect.bisect(times, t)
        part = min((t - times[i - 1]) / width, 1.0) if i else 0.0
        return level(t) + size * (max(i - 1, 0) + (part if i else 0.0))

    return Program(seconds, memory, truths=leak_truth(onset, None, seconds))


def spiky_leak(d: Draw) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 0.3, 5), length(d, 90, 240)
    onset, size = d.flat("onset", 2, 25), d.wide("size", 20, 400)
    period, width = d.wide("period", 0.4, 3), d.flat("width", 0.05, 0.5)
    return Program(
        seconds,
        lambda t: level(t) + rate * max(t - onset, 0) + (size if saw(t, period) < width else 0.0),
        truths=leak_truth(onset, None, seconds),
    )


def sawtooth_leak(d: Draw) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 0.2, 4), length(d, 130, 300)
    onset, size, period = d.flat("onset", 2, 25), d.wide("size", 3, 90), d.wide("period", 0.5, 6)
    return Program(
        seconds,
        lambda t: level(t) + rate * max(t - onset, 0) + size * saw(t, period),
        truths=leak_truth(onset, None, seconds),
    )


def frag_creep(d: Draw) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 0.08, 0.5), length(d, 180, 320)
    onset, size, period = d.flat("onset", 2, 20), d.uniform(0.2, 3), d.wide("period", 0.3, 4)
    steps, heights, t, h = [], [], onset, 0.0
    while t < seconds:
        h += d.expovariate(1.0) * rate / 2
        steps.append(t)
        heights.append(h)
        t += d.expovariate(2.0)

    def memory(t: float) -> float:
        i = bisect.bisect(steps, t)
        return level(t) + (heights[i - 1] if i else 0.0) + size * saw(t, period)

    return Program(seconds, memory, truths=leak_truth(onset, None, seconds))


def _collect(d: Draw, onset: float, seconds: float) -> Program:
    level, rate = base(d), d.wide("rate", 500, 2e6)
    mb_s = d.wide("mb_s", 1.2, 100)
    swing, wave = d.uniform(0, 0.6), d.uniform(2, 20)
    before = d.choice((0.0, d.uniform(0.4, 1.0))) if onset > 10 else 0.0
    slack = d.uniform(0, 0.3)
    """Part of the memory of a batch that is there only while it is parsed."""

    def speed(t: float) -> float:
        return 1 + swing * math.sin(2 * math.pi * t / wave)

    def done(t: float) -> float:
        k = 2 * math.pi / wave
        return t - onset + swing / k * (math.cos(k * onset) - math.cos(k * t))

    return Program(
        seconds,
        lambda t: level(t) + (mb_s * (done(t) + slack * saw(t, 0.5)) if t > onset else 0.0),
        rows_per_s=lambda t: rate * speed(t) * (1.0 if t > onset else before),
        batch_rows=d.choice((0.0, rate * 0.05, rate * 0.3)),
        phases=work(d, 1.0) if d.maybe(0.7) else (),
        truths=[Truth("streaming_violation", onset, None, seconds)],
    )


def collect(d: Draw) -> Program:
    onset = d.flat("onset", 0.5, 5)
    return _collect(d, onset, onset + d.flat("lasts", 20, 120))


def collect_late(d: Draw) -> Program:
    onset = d.flat("onset", 20, 80)
    return _collect(d, onset, onset + d.flat("lasts", 20, 100))


def oom_spike(d: Draw) -> Program:
    limit = d.wide("limit", 500, 8000)
    start = limit * d.flat("start", 0.05, 0.5)
    onset, rise = d.flat("onset", 8, 80), d.flat("rise", 2, 12)
    power = d.choice((1.0, 1.0, 0.8, 1.5, 2.0))
    small = d.uniform(10, 40)

    def memory(t: float) -> float:
        level = start - (start - small) * math.exp(-t / 0.4)
        return level + (limit - start) * min(max((t - onset) / rise, 0), 1) ** power

    return Program(
        onset + rise,
        memory,
        limit_mb=limit,
        phases=maybe_work(d),
        truths=[Truth("oom_risk", onset, None, onset + rise)],
    )


def cold_start(d: Draw) -> Program:
    seconds, ratio = length(d, 40, 150), d.wide("ratio", 12, 630)
    first, at = d.wide("first", 0.12, 8), d.flat("at", 0.3, 15)
    sigma = d.uniform(0.05, 0.3)
    calls = query_calls(
        d, at, seconds, lambda n: first if n == 0 else first / ratio * d.lognormvariate(0, sigma)
    )
    level, gain = base(d), d.uniform(0, 90)
    return Program(
        max(seconds, at + first + 30),
        lambda t: level(t) + gain * min(max((t - at) / first, 0), 1),
        cpu=lambda t: 55,
        calls=calls,
        truths=[Truth("cold_start", at, at + first, seconds)],
    )


def slow_import(d: Draw) -> Program:
    seconds, took, at = length(d, 30, 120), d.wide("took", 0.7, 9), d.flat("at", 0.0, 4)
    small, gain = d.uniform(10, 40), d.wide("gain", 10, 300)
    kind = d.choice(("phase", "event", "both", "nested"))
    calls: list[CallEnded | ImportEnded] = []
    if kind in ("nested", "both"):
        share = d.uniform(0.2, 0.9)
        calls.append(ImportEnded(at + share * took, "lance.inner", share * took * 0.9))
    if kind != "phase":
        calls.append(ImportEnded(at + took, "lance", took))
    phases = [(0.0, "startup"), (at, "import:lance"), (at + took, "work")]
    return Program(
        seconds,
        lambda t: small + gain * min(max((t - at) / took, 0), 1),
        phases=phases if kind in ("phase", "both") else (),
        calls=calls,
        truths=[Truth("slow_import", at, at + took, at + took + 6)],
    )


def no_steady_state(d: Draw) -> Program:
    seconds, typical = length(d, 100, 260), d.wide("typical", 0.008, 0.3)
    n_good, factor = d.randint(20, 70), d.flat("factor", 1.6, 4)
    sigma = d.flat("sigma", 0.03, 0.18)
    gradual = d.choice((0, 0, 6, 15))

    def took(n: int) -> float:
        part = min(max(n - n_good, 0) / gradual, 1.0) if gradual else float(n >= n_good)
        return typical * factor**part * d.lognormvariate(0, sigma)

    calls = query_calls(d, 1, seconds, took, longest=0.4)
    onset = calls[n_good].t_s - calls[n_good].dur_s
    truths = [Truth("no_steady_state", onset, None, seconds)]
    return Program(seconds, base(d), cpu=lambda t: 45, calls=calls, truths=truths)


def _decay(d: Draw, low: float, high: float) -> Program:
    level, rate, seconds = base(d), d.wide("rate", 1e3, 1e6), length(d, 90, 260)
    exponent, start, scale = (
        d.flat("exponent", low, high),
        d.flat("start", 0, 8),
        d.wide("scale", 0.4, 6),
    )
    return Program(
        seconds,
        level,
        rows_per_s=lambda t: rate * (1 + (t - start) / scale) ** (1 / exponent - 1)
        if t > start
        else 0.0,
        batch_rows=d.choice((0.0, 100.0)),
        phases=work(d, start) if d.maybe(0.75) else (),
        truths=[Truth("throughput_decay", start, None, seconds)],
    )  # fmt: skip


def throughput_decay(d: Draw) -> Program:
    return _decay(d, 1.6, 3.0)


def decay_mild(d: Draw) -> Program:
    return _decay(d, 1.25, 1.6)


def io_wait(d: Draw) -> Program:
    seconds, onset = length(d, 50, 180), d.flat("onset", 6, 50)
    end = onset + d.flat("lasts", 5, 25) if d.maybe(0.5) else None
    busy, low = d.flat("busy", 70, 100), d.flat("low", 0.5, 14)
    rate, slow = d.wide("rate", 300, 1e6), d.flat("slow", 0.0, 0.45)
    with_rows = d.maybe(0.65)

    def waits(t: float) -> bool:
        return t >= onset and (end is None or t < end)

    return Program(
        seconds,
        base(d),
        cpu=lambda t: low if waits(t) else busy,
        rows_per_s=(lambda t: rate * (slow if waits(t) else 1)) if with_rows else None,
        phases=work(d, d.uniform(0.5, 2.5)),
        truths=[Truth("io_wait", onset, end, seconds if end is None else min(end + 3, seconds))],
    )


HEALTHY = (
    steady, startup_plateau, sawtooth_gc, sawtooth_slow, step_cache, staircase_few, log_cache,
    saturating_cache, fill_then_plateau, stream_flat, batch_spikes, burst_release, workers,
    idle_low_cpu, phase_rates, rate_wander, cpu_dips, warm_calls, warmup_then_flat, spiky_calls,
    tiny_cold, wander_slow, glitches,
)  # fmt: skip
UNHEALTHY = (
    leak_linear, leak_after_steady, leak_stops, leak_bursty, spiky_leak, sawtooth_leak, frag_creep,
    collect, collect_late, oom_spike, cold_start, slow_import, no_steady_state, throughput_decay,
    decay_mild, io_wait,
)  # fmt: skip


# Sampling


def _disturbance(d: Draw) -> Callable[[float], float]:
    """Return noise of RSS in MB: pages, white, a wander, or an allocator's steps."""
    kind = d.randrange(4)
    d.note("noise", kind)
    if kind == 0:
        return lambda t: d.randrange(4) * PAGE / MB
    size = d.wide("noise_mb", 0.02, 0.6)
    if kind == 1:
        return lambda t: d.gauss(0, size)
    if kind == 2:
        state, tau = [0.0, 0.0], d.uniform(0.3, 4)

        def wander(t: float) -> float:
            keep = math.exp(-(t - state[1]) / tau)
            state[0] = keep * state[0] + d.gauss(0, size * math.sqrt(max(1 - keep * keep, 0)))
            state[1] = t
            return state[0]

        return wander
    levels, until = [0.0], [0.0]

    def steps(t: float) -> float:
        if t >= until[0]:
            levels[0] = d.choice((0, 1, 2)) * size
            until[0] = t + d.expovariate(0.8)
        return levels[0] + d.gauss(0, 0.01)

    return steps


def read(name: str, family: str, program: Program, d: Draw) -> Trace:
    """Sample a program: 10, 20 or 50 Hz, late ticks, holes."""
    hz = d.note("hz", d.choice((10, 20, 50)))
    noise = _disturbance(d)
    late = d.choice((0.0, 0.1, 0.4)) / hz
    holes = sorted(
        (d.uniform(3, program.seconds), d.uniform(0.2, 3.5)) for _ in range(d.choice((0, 0, 1, 3)))
    )
    cpu_sigma, rows_sigma = d.uniform(0.5, 6), d.uniform(0.0, 0.1)
    starts = [at for at, _ in program.phases]
    stops = list(program.stops)
    samples: list[TreeReading] = []
    rows = shown = lost = 0.0
    last: float | None = None
    held: TreeReading | None = None
    tick = 0.0
    while tick < program.seconds:
        t = tick + d.expovariate(1 / late) if late else tick
        tick += 1 / hz
        if holes and tick >= holes[0][0]:
            tick += holes.pop(0)[1]
        if last is not None and t <= last:
            continue
        if stops and t >= stops[0][0]:
            begin, took = stops[0]
            if t < begin + took and samples:
                held = held or samples[-1]
                samples.append(held._replace(t_s=t, cpu_percent=0.0))
                last = t
                continue
            lost += took
            stops.pop(0)
            held = None
        own = t - lost
        phase = program.phases[bisect.bisect(starts, own) - 1][1] if starts else None
        if program.rows_per_s is not None and last is not None:
            passed = min(t - last, 4.0)
            rows += max(program.rows_per_s(own) * passed * d.gauss(1, rows_sigma), 0.0)
            if program.batch_rows <= 0 or rows - shown >= program.batch_rows:
                shown = rows
        rss = max(program.memory(own) + noise(t), 3.0) * MB
        cpu = min(max(program.cpu(own) + d.gauss(0, cpu_sigma), 0.0), 100.0 * program.cores + 5)
        samples.append(
            TreeReading(
                round(t, 4),
                float(int(rss / PAGE) * PAGE),
                round(cpu, 1),
                None if program.rows_per_s is None else float(int(shown)),
                phase,
            )
        )
        last = t
    for _ in range(program.zero_readings):
        at = d.randrange(len(samples))
        samples[at] = samples[at]._replace(
            rss_bytes=d.choice((0.0, (samples[at].rss_bytes or 0) / 3))
        )
    observations: list[Observation] = sorted([*samples, *program.calls], key=lambda seen: seen.t_s)
    limit = None if program.limit_mb is None else int(program.limit_mb * MB)
    return Trace(name, family, observations, program.truths, limit, program.seconds, len(samples))


def traces(families: Iterable[Callable[[Draw], Program]], seeds: Iterable[int]) -> Iterator[Trace]:
    """Make one trace per family and seed; its name tells what was drawn."""
    for seed in seeds:
        for family in families:
            d = Draw(f"stranger {family.__name__} {seed}")
            d.begin()
            trace = read("", family.__name__, family(d), d)
            drawn = " ".join(f"{name}={value:.3g}" for name, value in d.noted.items())
            trace.name = f"{family.__name__}:{seed} ({drawn})"
            yield trace
