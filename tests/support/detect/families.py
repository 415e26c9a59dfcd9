"""The programs of the corpus: one function per family, healthy ones and those with a truth.

Each takes a random generator and returns a `Plan`; every number in it is drawn anew per seed.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import CallEnded, ImportEnded
from support.detect.corpus import Plan, Truth

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Level = Callable[[float], float]

LATE_S = 20.0
"""An alert may come this long after a cause has ended."""


def start_up(rng: random.Random, low: float = 40, high: float = 220) -> Level:
    """A program that loads its libraries in the first seconds."""
    base, tau = rng.uniform(low, high), rng.uniform(0.1, 0.7)
    return lambda t: 10 + (base - 10) * (1 - math.exp(-t / tau))


def duration(rng: random.Random, low: float = 120, high: float = 260) -> float:
    return rng.uniform(low, high)


def growth(kind: str, onset: float, end: float | None, plan_end: float) -> list[Truth]:
    return [Truth(kind, onset, end, min(plan_end, plan_end if end is None else end + LATE_S))]


# Healthy


def steady(rng: random.Random) -> Plan:
    return Plan(duration(rng), start_up(rng))


def startup_plateau(rng: random.Random) -> Plan:
    base, gain, tau = start_up(rng), rng.uniform(20, 400), rng.uniform(0.8, 5)
    return Plan(duration(rng), lambda t: base(t) + gain * (1 - math.exp(-t / tau)))


def sawtooth_gc(rng: random.Random) -> Plan:
    base, period, size = start_up(rng), rng.uniform(0.4, 4), rng.uniform(4, 80)
    return Plan(duration(rng), lambda t: base(t) + size * ((t / period) % 1.0))


def sawtooth_slow(rng: random.Random) -> Plan:
    base, size = start_up(rng), rng.uniform(5, 80)
    teeth, at = [0.0], 0.0
    mean = rng.uniform(8, 25)
    batches = 0 if mean < 12 else rng.randint(3, 5)  # long teeth come in few pieces
    while at < 400:
        at += mean * rng.uniform(0.8, 1.2)
        teeth.append(at)

    def level(t: float) -> float:
        for left, right in itertools.pairwise(teeth):
            if t < right:
                part = (t - left) / mean
                return base(t) + size * (math.floor(part * batches) / batches if batches else part)
        return base(t)

    return Plan(duration(rng), level)


def step_cache(rng: random.Random) -> Plan:
    base = start_up(rng)
    steps = [(rng.uniform(5, 100), rng.uniform(5, 120)) for _ in range(rng.randint(1, 3))]
    return Plan(
        duration(rng),
        lambda t: base(t) + sum(min(max((t - at) / 0.6, 0), 1) * size for at, size in steps),
    )


def staircase_few(rng: random.Random) -> Plan:
    base, gap, size = start_up(rng), rng.uniform(5, 25), rng.uniform(4, 40)
    n, start = rng.randint(3, 5), rng.uniform(4, 30)
    rise = rng.uniform(0.2, 1.0)

    def level(t: float) -> float:
        done = (t - start) / gap
        steps = min(max(math.floor(done), 0), n)
        part = min((done - math.floor(done)) * gap / rise, 1.0) if 0 <= done < n else 0.0
        return base(t) + size * (steps + part)

    return Plan(duration(rng), level)


def log_cache(rng: random.Random) -> Plan:
    base, size, tau = start_up(rng), rng.uniform(4, 40), rng.uniform(1, 20)
    start = rng.uniform(0, 40)
    return Plan(duration(rng), lambda t: base(t) + size * math.log1p(max(t - start, 0) / tau))


def exp_cache(rng: random.Random) -> Plan:
    """A cache that fills to its bound: fast first, then ever slower."""
    base, size, tau = start_up(rng), rng.uniform(10, 150), rng.uniform(3, 14)
    start = rng.uniform(0, 40)
    return Plan(
        duration(rng),
        lambda t: base(t) + size * (1 - math.exp(-max(t - start, 0) / tau)),
    )


def fill_then_plateau(rng: random.Random) -> Plan:
    base, gain = start_up(rng), rng.uniform(20, 300)
    start, length = rng.uniform(1, 60), rng.uniform(2, 9)
    return Plan(duration(rng), lambda t: base(t) + gain * min(max((t - start) / length, 0), 1))


def stream_flat(rng: random.Random) -> Plan:
    base, rate, size = start_up(rng), rng.uniform(1e3, 5e5), rng.uniform(0, 25)
    period = rng.uniform(0.2, 2)
    return Plan(
        duration(rng),
        lambda t: base(t) + size * ((t / period) % 1.0),
        rate=lambda t: rate if t > 1 else 0,
        phases=[(0, "startup"), (1, "stream")] if rng.random() < 0.6 else [],
    )


def batch_spikes(rng: random.Random) -> Plan:
    base, size, period = start_up(rng), rng.uniform(20, 300), rng.uniform(1.5, 9)
    width, rate = rng.uniform(0.1, 0.5), rng.uniform(1e3, 1e5)
    heights = [rng.uniform(0.5, 1) for _ in range(400)]

    def level(t: float) -> float:
        inside = (t / period) % 1.0 < width
        return base(t) + (size * heights[int(t / period)] if inside else 0)

    return Plan(duration(rng), level, rate=(lambda t: rate) if rng.random() < 0.5 else None)


def burst_release(rng: random.Random) -> Plan:
    base = start_up(rng)
    bursts = [
        (rng.uniform(5, 140), rng.uniform(3, 9), rng.uniform(20, 400))
        for _ in range(rng.randint(1, 4))
    ]

    def level(t: float) -> float:
        extra = 0.0
        for at, length, size in bursts:
            if at <= t < at + length:
                extra += size * (t - at) / length
            elif at + length <= t < at + length + 0.7:
                extra += size * (1 - (t - at - length) / 0.7)
        return base(t) + extra

    return Plan(duration(rng), level)


def workers(rng: random.Random) -> Plan:
    base, size = start_up(rng), rng.uniform(15, 60)
    starts = [rng.uniform(1, 4)]
    for _ in range(rng.randint(1, 4)):
        starts.append(starts[-1] + rng.uniform(1, 6))
    return Plan(
        duration(rng),
        lambda t: base(t) + sum(size * min(max((t - at) / 0.4, 0), 1) for at in starts),
        cpu=lambda t: 90.0 * max(1, sum(t > at for at in starts)) / 2,
    )


def idle_low_cpu(rng: random.Random) -> Plan:
    start = rng.uniform(10, 40)
    phases = [(0.0, "load"), (start, "idle")] if rng.random() < 0.5 else []
    return Plan(duration(rng), start_up(rng), cpu=lambda t: 90 if t < start else 2, phases=phases)


def phase_rates(rng: random.Random) -> Plan:
    edges = [0.0]
    while edges[-1] < 200:
        edges.append(edges[-1] + rng.uniform(12, 45))
    rates = [10 ** rng.uniform(3, 5.5) for _ in edges]
    cpus = [rng.choice((95, 80, 60, 35, 15)) for _ in edges]

    def at(t: float) -> int:
        return max(i for i, edge in enumerate(edges) if edge <= t)

    return Plan(
        duration(rng),
        start_up(rng),
        cpu=lambda t: cpus[at(t)],
        rate=lambda t: rates[at(t)],
        phases=[(edge, f"part{i}") for i, edge in enumerate(edges)],
    )


def rate_wander(rng: random.Random) -> Plan:
    rate, period, depth = 10 ** rng.uniform(3, 5.5), rng.uniform(10, 60), rng.uniform(0.05, 0.2)
    other = rng.uniform(3, 9)
    return Plan(
        duration(rng),
        start_up(rng),
        rate=lambda t: (
            rate * (1 + depth * math.sin(2 * math.pi * t / period) + 0.1 * math.sin(t / other))
        ),
        phases=[(0, "load")],
        rows_noise=rng.uniform(0.05, 0.3),
    )


def cpu_dips(rng: random.Random) -> Plan:
    rate = 10 ** rng.uniform(3, 5.5)
    places = rng.sample(range(2, 45), rng.randint(2, 8))  # 4 s apart at least
    dips = [(4 * place + rng.uniform(0, 1.5), rng.uniform(0.3, 2.0)) for place in places]

    def dipped(t: float) -> bool:
        return any(at <= t < at + length for at, length in dips)

    with_rows = rng.random() < 0.7
    return Plan(
        duration(rng),
        start_up(rng),
        cpu=lambda t: 6 if dipped(t) else 90,
        rate=(lambda t: rate * (0.1 if dipped(t) else 1)) if with_rows else None,
        phases=[(0, "load")],
    )


def calls_at(
    rng: random.Random, t: float, until: float, pause: float, dur: Callable[[int], float]
) -> list[CallEnded]:
    calls: list[CallEnded] = []
    while True:
        took = dur(len(calls))
        t += took
        if t >= until:
            return calls
        calls.append(CallEnded(t, "query", took))
        t += pause * rng.uniform(0.5, 1.5)


def warm_calls(rng: random.Random) -> Plan:
    length, typical = duration(rng), 10 ** rng.uniform(-2.5, -0.6)
    sigma = rng.uniform(0.03, 0.25)
    pause = rng.uniform(0.3, 1.5)
    events = calls_at(rng, 2, length, pause, lambda n: typical * rng.lognormvariate(0, sigma))
    return Plan(length, start_up(rng), cpu=lambda t: 40, events=list(events))


def warmup_then_flat(rng: random.Random) -> Plan:
    length, typical = duration(rng), 10 ** rng.uniform(-2.5, -0.9)
    n_warm, factor = rng.randint(3, 30), rng.uniform(1.3, 4)
    events = calls_at(
        rng,
        2,
        length,
        rng.uniform(0.3, 1.2),
        lambda n: (
            typical * (1 + (factor - 1) * max(0, 1 - n / n_warm)) * rng.lognormvariate(0, 0.1)
        ),
    )
    return Plan(length, start_up(rng), cpu=lambda t: 40, events=list(events))


def spiky_calls(rng: random.Random) -> Plan:
    length, typical = duration(rng), 10 ** rng.uniform(-2.5, -0.9)
    share, size, sigma = rng.uniform(0.02, 0.2), rng.uniform(3, 20), rng.uniform(0.05, 0.35)
    events = calls_at(
        rng,
        2,
        length,
        rng.uniform(0.3, 1.2),
        lambda n: (
            typical * rng.lognormvariate(0, sigma) * (size if n and rng.random() < share else 1)
        ),
    )
    return Plan(length, start_up(rng), cpu=lambda t: 40, events=list(events))


def tiny_cold(rng: random.Random) -> Plan:
    length, typical = duration(rng), 10 ** rng.uniform(-3.3, -2.3)
    first = rng.uniform(0.02, 0.08)
    events = calls_at(
        rng,
        2,
        length,
        rng.uniform(0.3, 1.0),
        lambda n: first if n == 0 else typical * rng.lognormvariate(0, 0.15),
    )
    return Plan(length, start_up(rng), cpu=lambda t: 40, events=list(events))


def wander_slow(rng: random.Random) -> Plan:
    base = start_up(rng)
    parts = [(rng.uniform(0.3, 2.5), rng.uniform(20, 90), rng.uniform(0, 6.3)) for _ in range(3)]
    return Plan(
        duration(rng),
        lambda t: (
            base(t)
            + 15
            + sum(size * math.sin(2 * math.pi * t / period + at) for size, period, at in parts)
        ),
    )


def glitches(rng: random.Random) -> Plan:
    base, period, size = start_up(rng), rng.uniform(0.5, 3), rng.uniform(0, 30)
    rate = rng.uniform(1e3, 1e5)
    return Plan(
        duration(rng),
        lambda t: base(t) + size * ((t / period) % 1.0),
        rate=(lambda t: rate) if rng.random() < 0.5 else None,
        phases=[(0, "load")] if rng.random() < 0.5 else [],
        zero_readings=rng.randint(1, 12),
        suspensions=rng.randint(0, 3),
    )


def near_limit_flat(rng: random.Random) -> Plan:
    """Much memory used, and never more."""
    base, limit = start_up(rng, 300, 730), 1000.0
    size, period = rng.uniform(0, 20), rng.uniform(0.5, 5)
    return Plan(duration(rng), lambda t: base(t) + size * ((t / period) % 1.0), limit_mb=limit)


def quick_imports(rng: random.Random) -> Plan:
    t, events = 0.05, []
    for n in range(rng.randint(5, 40)):
        took = 10 ** rng.uniform(-3, -0.7)
        t += took
        events.append(ImportEnded(t, f"module{n}", took))
    return Plan(duration(rng), start_up(rng), events=list(events))


def release_steps(rng: random.Random) -> Plan:
    """Memory that is given back bit by bit, with a fast refill between."""
    base, size, period = start_up(rng), rng.uniform(10, 100), rng.uniform(10, 40)
    return Plan(duration(rng), lambda t: base(t) + size * (1 - (t / period) % 1.0))


# With a truth


def leak_linear(rng: random.Random) -> Plan:
    base, rate, length = start_up(rng), 10 ** rng.uniform(-1, 0.7), duration(rng, 90, 240)
    onset = rng.uniform(1, 5)
    return Plan(
        length,
        lambda t: base(t) + rate * max(t - onset, 0),
        truths=growth("mem_growth", onset, None, length),
    )


def leak_after_steady(rng: random.Random) -> Plan:
    base, rate, length = start_up(rng), 10 ** rng.uniform(-0.6, 0.9), duration(rng, 120, 240)
    onset = rng.uniform(25, 70)
    return Plan(
        length,
        lambda t: base(t) + rate * max(t - onset, 0),
        truths=growth("mem_growth", onset, None, length),
    )


def leak_stops(rng: random.Random) -> Plan:
    base, rate, length = start_up(rng), 10 ** rng.uniform(-0.3, 0.9), duration(rng, 160, 260)
    onset = rng.uniform(10, 40)
    end = onset + rng.uniform(35, 80)
    return Plan(
        length,
        lambda t: base(t) + rate * min(max(t - onset, 0), end - onset),
        truths=growth("mem_growth", onset, end, length),
    )


def leak_bursty(rng: random.Random) -> Plan:
    base, size, length = start_up(rng), rng.uniform(3, 12), duration(rng, 150, 260)
    onset, period, width = rng.uniform(5, 20), rng.uniform(3, 7), rng.uniform(0.3, 1.2)

    def level(t: float) -> float:
        done = max(t - onset, 0) / period
        part = min((done - math.floor(done)) * period / width, 1.0)
        return base(t) + size * (math.floor(done) + part)

    return Plan(length, level, truths=growth("mem_growth", onset, None, length))


def spiky_leak(rng: random.Random) -> Plan:
    base, rate, length = start_up(rng), rng.uniform(0.4, 4), duration(rng, 100, 200)
    onset, size, period = rng.uniform(3, 20), rng.uniform(30, 200), rng.uniform(0.6, 2)
    width = rng.uniform(0.1, 0.4)

    def level(t: float) -> float:
        spike = size if (t / period) % 1.0 < width else 0.0
        return base(t) + rate * max(t - onset, 0) + spike

    return Plan(length, level, truths=growth("mem_growth", onset, None, length))


def sawtooth_leak(rng: random.Random) -> Plan:
    base, rate, length = start_up(rng), rng.uniform(0.3, 3), duration(rng, 130, 260)
    onset, size, period = rng.uniform(3, 20), rng.uniform(5, 60), rng.uniform(0.8, 5.5)
    return Plan(
        length,
        lambda t: base(t) + rate * max(t - onset, 0) + size * ((t / period) % 1.0),
        truths=growth("mem_growth", onset, None, length),
    )


def frag_creep(rng: random.Random) -> Plan:
    base, rate, length = start_up(rng), rng.uniform(0.09, 0.4), duration(rng, 180, 280)
    onset, size, period = rng.uniform(3, 15), rng.uniform(0.3, 2.0), rng.uniform(0.4, 3)
    events, t = [], onset
    while t < length:  # small steps of random size at random times
        events.append((t, rng.expovariate(1.0)))
        t += rng.expovariate(1.5)
    total = sum(weight for _, weight in events)
    scale = rate * (length - onset) / total
    steps, at = [], 0.0
    for when, weight in events:
        at += weight * scale
        steps.append((when, at))
    cursor = [0]

    def level(t: float) -> float:
        while cursor[0] + 1 < len(steps) and steps[cursor[0] + 1][0] <= t:
            cursor[0] += 1
        crept = steps[cursor[0]][1] if t >= steps[0][0] else 0.0
        return base(t) + crept + size * ((t / period) % 1.0)

    return Plan(length, level, truths=growth("mem_growth", onset, None, length))


def leak_beside_rows(rng: random.Random) -> Plan:
    """It leaks with the time, whether rows are read or hardly any."""
    base, rate, length = start_up(rng), rng.uniform(0.5, 5), duration(rng, 100, 200)
    onset, period = rng.uniform(2, 20), rng.uniform(6, 14)
    speed = 10 ** rng.uniform(3, 5)
    return Plan(
        length,
        lambda t: base(t) + rate * max(t - onset, 0),
        rate=lambda t: speed * (1.0 if (t / period) % 1.0 < 0.5 else 0.1),
        truths=growth("mem_growth", onset, None, length),
    )


def _collect(rng: random.Random, onset: float, length: float) -> Plan:
    base, rate = start_up(rng), 10 ** rng.uniform(3, 5.5)
    growth_mb_s = rng.uniform(1.5, 60)
    swing, period = rng.uniform(0, 0.5), rng.uniform(2, 12)
    before = rng.uniform(0.5, 1.0) if onset > 10 else 0.0

    def speed(t: float) -> float:
        return 1 + swing * math.sin(2 * math.pi * t / period)

    def grown(t: float) -> float:
        if t <= onset:
            return 0.0
        turn = 2 * math.pi / period
        waves = swing / turn * (math.cos(turn * onset) - math.cos(turn * t))
        return growth_mb_s * (t - onset + waves)

    return Plan(
        length,
        lambda t: base(t) + grown(t),
        rate=lambda t: rate * speed(t) * (1.0 if t > onset else before),
        phases=[(0, "startup"), (1.0, "read")] if rng.random() < 0.6 else [],
        truths=growth("streaming_violation", onset, None, length),
    )


def collect(rng: random.Random) -> Plan:
    return _collect(rng, rng.uniform(1, 4), rng.uniform(25, 80))


def collect_late(rng: random.Random) -> Plan:
    onset = rng.uniform(25, 60)
    return _collect(rng, onset, onset + rng.uniform(25, 80))


def oom_spike(rng: random.Random) -> Plan:
    base, limit = start_up(rng), rng.uniform(600, 3000)
    onset, rise = rng.uniform(12, 60), rng.uniform(3, 12)
    crash = onset + rise
    power = rng.choice((1.0, 1.0, 1.6))

    def level(t: float) -> float:
        share = min(max((t - onset) / rise, 0), 1) ** power
        return base(t) + (limit - base(crash)) * share

    return Plan(
        crash,
        level,
        limit_mb=limit,
        truths=[Truth("oom_risk", onset, None, crash)],
    )


def cold_start(rng: random.Random) -> Plan:
    length, ratio = rng.uniform(40, 120), 10 ** rng.uniform(1.1, 2.8)
    first = rng.uniform(0.15, 3.0)
    warm = first / ratio
    at = rng.uniform(1, 10)
    events = calls_at(
        rng,
        at,
        length,
        rng.choice((0.2, 0.5, 2.0)),
        lambda n: first if n == 0 else warm * rng.lognormvariate(0, 0.2),
    )
    base, gain = start_up(rng), rng.uniform(5, 60)
    return Plan(
        length,
        lambda t: base(t) + gain * min(max((t - at) / first, 0), 1),
        cpu=lambda t: 60,
        events=list(events),
        truths=[Truth("cold_start", at, at + first, length)],
    )


def slow_import(rng: random.Random) -> Plan:
    length, took, at = rng.uniform(40, 120), rng.uniform(0.8, 6), rng.uniform(0.1, 1.5)
    base, gain = start_up(rng, 20, 40), rng.uniform(30, 150)
    marked = rng.random() < 0.75
    phases = [(0.0, "startup"), (at, "import:lance"), (at + took, "run")] if marked else []
    events: list[CallEnded | ImportEnded] = []
    if not marked or rng.random() < 0.5:
        inner = rng.uniform(0.3, 0.8) * took
        events = [ImportEnded(at + inner + 0.02, "lance.core", inner)]
        events.append(ImportEnded(at + took, "lance", took))
    return Plan(
        length,
        lambda t: base(t) + gain * min(max((t - at) / took, 0), 1),
        phases=phases,
        events=events,
        truths=[Truth("slow_import", at, at + took, at + took + 5)],
    )


def no_steady_state(rng: random.Random) -> Plan:
    length, typical = duration(rng, 100, 200), 10 ** rng.uniform(-2, -0.8)
    pause, n_good = rng.uniform(0.2, 0.7), rng.randint(25, 60)
    sigma, factor = rng.uniform(0.03, 0.15), rng.uniform(1.7, 3.5)
    events = calls_at(
        rng,
        2,
        length,
        pause,
        lambda n: typical * rng.lognormvariate(0, sigma) * (factor if n >= n_good else 1),
    )
    onset = events[n_good].t_s - events[n_good].dur_s if len(events) > n_good else length
    return Plan(
        length,
        start_up(rng),
        cpu=lambda t: 50,
        events=list(events),
        truths=[Truth("no_steady_state", onset, None, length)],
    )


def _decay(rng: random.Random, low: float, high: float) -> Plan:
    base, rate, length = start_up(rng), 10 ** rng.uniform(3.5, 5.5), duration(rng, 100, 200)
    exponent, start = rng.uniform(low, high), rng.uniform(1, 6)
    scale = rng.uniform(1, 4)

    def speed(t: float) -> float:
        if t < start:
            return 0.0
        return rate * (1 + (t - start) / scale) ** (1 / exponent - 1)

    return Plan(
        length,
        base,
        rate=speed,
        phases=[(0, "startup"), (start, "load")],
        truths=[Truth("throughput_decay", start, None, length)],
    )


def throughput_decay(rng: random.Random) -> Plan:
    return _decay(rng, 1.6, 2.4)


def decay_mild(rng: random.Random) -> Plan:
    return _decay(rng, 1.25, 1.6)


def decay_late(rng: random.Random) -> Plan:
    """Even at first, then ever slower: something fills up."""
    base, rate, length = start_up(rng), 10 ** rng.uniform(3.5, 5.5), duration(rng, 120, 200)
    onset, tau = rng.uniform(25, 50), rng.uniform(15, 40)
    return Plan(
        length,
        base,
        rate=lambda t: rate * math.exp(-min(max(t - onset, 0) / tau, 1.6)),
        phases=[(0, "load")],
        truths=[Truth("throughput_decay", onset, None, length)],
    )


def io_wait(rng: random.Random) -> Plan:
    length = duration(rng, 60, 150)
    onset = rng.uniform(8, 40)
    end = onset + rng.uniform(6, 15) if rng.random() < 0.5 else None
    rate, slow = 10 ** rng.uniform(3, 5.5), rng.uniform(0.02, 0.4)
    with_rows = rng.random() < 0.7

    def waits(t: float) -> bool:
        return t >= onset and (end is None or t < end)

    return Plan(
        length,
        start_up(rng),
        cpu=lambda t: rng.uniform(1, 12) if waits(t) else 90,
        rate=(lambda t: rate * (slow if waits(t) else 1)) if with_rows else None,
        phases=[(0, "startup"), (1.5, "load")],
        truths=[Truth("io_wait", onset, end, length if end is None else end + 3)],
    )


HEALTHY = (
    steady, startup_plateau, sawtooth_gc, sawtooth_slow, step_cache, staircase_few, log_cache,
    exp_cache, fill_then_plateau, stream_flat, batch_spikes, burst_release, workers, idle_low_cpu,
    phase_rates, rate_wander, cpu_dips, warm_calls, warmup_then_flat, spiky_calls, tiny_cold,
    wander_slow, glitches, near_limit_flat, quick_imports, release_steps,
)  # fmt: skip
UNHEALTHY = (
    leak_linear, leak_after_steady, leak_stops, leak_bursty, spiky_leak, sawtooth_leak, frag_creep,
    leak_beside_rows, collect, collect_late, oom_spike, cold_start, slow_import, no_steady_state,
    throughput_decay, decay_mild, decay_late, io_wait,
)  # fmt: skip
