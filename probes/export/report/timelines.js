// Timelines on one axis. Dragging over any of them chooses a range; bands say what went on.

const AXIS_WIDTH = 64;
const ALERT_LANES = 4;
// Steps of the time axis in seconds: round ones, also where minutes and hours are told.
const TICKS = [
  ...[1e-4, 1e-3, 1e-2, 0.1].flatMap((s) => [s, 2 * s, 5 * s]),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400],
];

// Where an alert tints the ground: behind the figure that it is about; unknown kinds everywhere.
const ABOUT = {
  memory: ["mem growth", "oom risk", "streaming violation"],
  cpu: ["cpu contention", "lock wait", "io wait", "loop blocked", "stall", "slow import", "cold start"],
  rows: ["streaming violation", "throughput decay", "no steady state"],
};
const KNOWN_KINDS = new Set(Object.values(ABOUT).flat());

class Timelines {
  constructor(data, choice) {
    this.data = data;
    this.choice = choice;
    this.box = byId("lines");
    this.charts = [];
    this.selecting = false;
    this.drawBands();
    const specs = this.specs();
    for (const spec of specs) this.addChart(spec, spec === specs.at(-1));
    new ResizeObserver(() => this.resize()).observe(this.box);
    choice.watch((changes) => "range" in changes && this.showRange());
    this.box.addEventListener("keydown", (event) => this.onKey(event));
  }

  colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  // -- what is drawn -------------------------------------------------------------------------

  specs() {
    const { timelines } = this.data;
    const specs = [];
    const stacked = this.stacked(timelines.pools);
    const has = (values) => values.some((value) => value !== null);
    if (has(timelines.rss)) {
      specs.push({
        name: "RSS", colour: "memory", height: 120, tell: words.bytes,
        layers: [
          { name: "RSS", colour: "memory", edge: timelines.rss, values: timelines.rss, soft: stacked.length > 0 },
          ...stacked,
        ],
      });
    }
    if (has(timelines.cpu)) {
      specs.push({
        name: "CPU", colour: "cpu", height: 82, tell: (value) => `${value.toFixed(0)} %`,
        layers: [{ name: "CPU", colour: "cpu", edge: timelines.cpu, values: timelines.cpu }],
      });
    }
    for (const [name, values] of timelines.rates) {
      if (!has(values)) continue;
      specs.push({
        name: `${name}/s`, colour: "rows", height: 66, tell: words.count,
        layers: [{ name: `${name}/s`, colour: "rows", edge: values, values }],
      });
    }
    return specs;
  }

  // Pools on top of each other: the uppermost is drawn first, the others over it.
  stacked(pools) {
    const layers = [];
    let below = null;
    // Where none of them was read, as after the last reading, nothing is known: that is not zero.
    const known = (at) => pools.some(([, , values]) => values[at] !== null);
    for (const [name, colour, values] of pools) {
      const edge = values.map((value, at) => (known(at) ? (value ?? 0) + (below ? below[at] : 0) : null));
      layers.unshift({ name, colour, edge, values });
      below = edge;
    }
    return layers;
  }

  drawBands() {
    const [begin, end] = this.choice.span;
    const share = (t) => Math.min(Math.max((t - begin) / (end - begin), 0), 1) * 100;
    const strip = element("div", "bands");
    const place = (band, from, to) => {
      band.style.left = `${share(from)}%`;
      band.style.width = `${Math.max(share(to) - share(from), 0.1)}%`;
      if (share(to) - share(from) < 3) band.classList.add("narrow");
      strip.append(band);
    };
    const { alerts, phases } = this.data;
    const lanes = [];
    for (const alert of [...alerts].sort((a, b) => a.onset - b.onset)) {
      const free = lanes.findIndex((until) => until <= alert.onset);
      const lane = Math.min(free < 0 ? lanes.length : free, ALERT_LANES - 1);
      lanes[lane] = Math.max(lanes[lane] ?? 0, alert.clear ?? end);
      const band = element("button", `alert ${alert.severity}`);
      band.style.top = `${lane * 9}px`;
      band.title = `${alert.severity} ${alert.kind}: ${alert.message}`;
      band.setAttribute("aria-label", band.title);
      const to = alert.clear ?? end;
      band.addEventListener("click", () => this.choice.setRange(alert.onset, to, alert.kind));
      place(band, alert.onset, to);
    }
    const top = lanes.length ? lanes.length * 9 + 2 : 0;
    const colours = new Map();
    let depth = 0;
    for (const [name, level, from, until, , , , process] of phases) {
      const to = until ?? end;
      if (level > 2 || share(to) - share(from) < 0.05) continue;
      if (!colours.has(name)) colours.set(name, (colours.size % 6) + 1);
      const band = element("button", "", name);
      band.title = `${process ? `${process}: ` : ""}${name}, ${words.seconds(to - from)}`;
      band.style.top = `${top + level * 19}px`;
      band.style.background = `var(--band-${colours.get(name)})`;
      band.addEventListener("click", () => this.choice.setRange(from, to, `phase ${name}`));
      place(band, from, to);
      depth = Math.max(depth, level + 1);
    }
    strip.style.height = `${top + depth * 19}px`;
    if (top + depth) this.box.append(strip);
  }

  // -- the charts ----------------------------------------------------------------------------

  addChart(spec, isLast) {
    const box = element("div", "chart");
    const told = element("div", "told");
    box.append(told);
    this.box.append(box);
    const chart = { spec, told, plot: null };
    this.charts.push(chart);
    this.tell(chart, null);
    const axis = (more) => ({
      stroke: () => this.colour("dim"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: () => this.colour("grid"), width: 1 },
      ticks: { show: false },
      ...more,
    });
    const [begin, end] = this.choice.span;
    chart.plot = new uPlot({
      width: Math.max(this.box.clientWidth, 200),
      height: spec.height + (isLast ? 24 : 0),
      padding: [6, 1, isLast ? 0 : 4, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => [begin, end] },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.06 : 1] },
      },
      axes: [
        axis({ size: isLast ? 22 : 0, gap: 4, incrs: TICKS, space: 64, values: (_, ticks) => ticks.map((t) => (isLast ? this.tick(t) : "")) }),
        axis({ size: AXIS_WIDTH, gap: 6, values: (_, ticks) => ticks.map((v) => this.level(spec, v)), space: 28 }),
      ],
      cursor: {
        drag: { x: true, y: false, setScale: false },
        sync: { key: "time", setSeries: false, scales: ["x", null] },
        y: false,
        points: { show: false },
        bind: { dblclick: () => () => this.choice.clearRange() },
      },
      series: [{}, ...spec.layers.map((layer, at) => this.series(layer, at))],
      hooks: {
        drawClear: [(plot) => this.tint(plot, spec.colour)],
        setCursor: [(plot) => this.tell(chart, plot.cursor.idx)],
        setSelect: [(plot) => this.onSelect(plot)],
      },
    }, [this.data.timelines.t, ...spec.layers.map((layer) => layer.edge)], box);
  }

  series(layer, at) {
    const fill = at > 0 || !layer.soft ? "59" : "2b"; // how opaque
    return {
      stroke: () => this.colour(layer.colour),
      fill: () => this.colour(layer.colour) + fill,
      width: 1.25,
      spanGaps: false,
      points: { show: false },
    };
  }

  tick(t) {
    const [begin, end] = this.choice.span;
    const span = end - begin;
    if (t > end - span * 0.02) return ""; // it would stand half outside
    if (span >= 600) return words.moment(t, span);
    return `${Number(t.toFixed(6))} s`;
  }

  level(spec, value) {
    return value === 0 ? "0" : spec.tell(value);
  }

  tint(plot, colour) {
    const { ctx, bbox } = plot;
    const [, end] = this.choice.span;
    for (const alert of this.data.alerts) {
      if (alert.severity === "info") continue;
      if (KNOWN_KINDS.has(alert.kind) && !ABOUT[colour].includes(alert.kind)) continue;
      const from = Math.max(plot.valToPos(alert.onset, "x", true), bbox.left);
      const to = Math.min(plot.valToPos(alert.clear ?? end, "x", true), bbox.left + bbox.width);
      ctx.fillStyle = this.colour(alert.severity === "critical" ? "tint-bad" : "tint-warn");
      ctx.fillRect(from, bbox.top, Math.max(to - from, 1), bbox.height);
    }
  }

  // Above each chart: its value at the cursor, else its peak; and what its layers are.
  tell(chart, at) {
    const { spec, told } = chart;
    const value = (layer) => {
      if (at !== null && at !== undefined) return layer.values[at];
      return layer.values.reduce((most, v) => (v !== null && (most === null || v > most) ? v : most), null);
    };
    const shown = (layer) => (value(layer) === null ? "–" : spec.tell(value(layer)));
    const first = spec.layers[0];
    const head = element("b", "", spec.name);
    head.style.color = `var(--${spec.colour}-text)`;
    const parts = [head, element("span", "", `${at === null || at === undefined ? "peak " : ""}${shown(first)}`)];
    for (const layer of spec.layers.slice(1).reverse()) {
      const key = element("span", "key", `${layer.name} ${shown(layer)}`);
      key.style.setProperty("--key", `var(--${layer.colour})`);
      parts.push(key);
    }
    if (at !== null && at !== undefined && chart === this.charts[0]) {
      const [begin, end] = this.choice.span;
      parts.push(element("span", "at", words.moment(this.data.timelines.t[at], end - begin)));
    }
    told.replaceChildren(...parts);
  }

  resize() {
    const width = Math.max(this.box.clientWidth, 200);
    for (const { plot } of this.charts) {
      if (plot.width !== width) plot.setSize({ width, height: plot.height });
    }
    this.showRange();
  }

  // Colours come from the page: after a change of theme all is drawn again.
  redraw() {
    for (const { plot } of this.charts) plot.redraw(false, true);
  }

  // -- the range -----------------------------------------------------------------------------

  onSelect(plot) {
    // The charts tell each other: only the first one to speak is heard.
    if (this.selecting || plot.select.width < 2) return;
    const from = plot.posToVal(plot.select.left, "x");
    const to = plot.posToVal(plot.select.left + plot.select.width, "x");
    this.selecting = true;
    this.choice.setRange(from, to);
    setTimeout(() => {
      this.selecting = false;
      this.showRange();
    }, 0);
  }

  showRange() {
    const { range } = this.choice;
    for (const { plot } of this.charts) {
      const left = range ? plot.valToPos(range[0], "x") : 0;
      const width = range ? plot.valToPos(range[1], "x") - left : 0;
      plot.setSelect({ left, top: 0, width, height: plot.over.clientHeight }, false);
    }
  }

  onKey(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || event.target !== this.box) return;
    event.preventDefault();
    const [begin, end] = this.choice.span;
    const [from, to] = this.choice.range ?? [begin, begin + (end - begin) / 10];
    const by = way * Math.max((to - from) / 10, this.choice.stacks?.step ?? 0);
    if (event.shiftKey) this.choice.setRange(from, Math.max(to + by, from));
    else if (this.choice.range) this.choice.setRange(...this.moved(from, to, by));
    else this.choice.setRange(from, to);
  }

  moved(from, to, by) {
    const [begin, end] = this.choice.span;
    const allowed = Math.min(Math.max(by, begin - from), end - to);
    return [from + allowed, to + allowed];
  }
}
