// Stack time of any range and threads: adds up the steps that the file holds.

const WEIGHTS = ["wall", "cpu", "grown", "waiting"];

class Stacks {
  constructor(data) {
    this.begin = data.begin;
    this.step = data.step;
    this.steps = data.steps;
    this.threads = data.threads;
    this.functions = data.functions;
    this.parents = data.parents;
    this.of = data.of;
    this.entered = data.entered;
    this.cells = data.cells;
    this.size = data.parents.length;
    this.children = this.listChildren();
    this.outermost = this.findOutermost();
  }

  listChildren() {
    const children = Array.from({ length: this.size }, () => null);
    for (let node = 1; node < this.size; node += 1) {
      const parent = this.parents[node];
      (children[parent] ??= []).push(node);
    }
    const name = (node) => this.functions[this.of[node]][0];
    // By name, so that frames stay in place when the range changes.
    for (const nodes of children) {
      nodes?.sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : a - b));
    }
    return children;
  }

  // Whether no caller of a node is of the same function: recursion counts once in totals.
  findOutermost() {
    const first = new Uint8Array(this.size).fill(1);
    for (let node = 1; node < this.size; node += 1) {
      for (let at = this.parents[node]; at; at = this.parents[at]) {
        if (this.of[at] === this.of[node]) {
          first[node] = 0;
          break;
        }
      }
    }
    return first;
  }

  // The steps that a time range touches: [first, last).
  stepsOf(from, to) {
    const first = Math.round((from - this.begin) / this.step);
    const last = Math.round((to - this.begin) / this.step);
    const start = Math.min(Math.max(first, 0), this.steps - 1);
    return [start, Math.min(Math.max(last, start + 1), this.steps)];
  }

  // Self and total weights by node of one thread in steps [first, last).
  sums(thread, first, last) {
    const own = WEIGHTS.map(() => new Float64Array(this.size));
    const rows = this.cells[thread];
    for (let step = first; step < last; step += 1) {
      const row = rows[step];
      if (!row) continue;
      const [nodes, wall, cpu, grown] = row;
      const at = new Array(grown.length ? nodes.length : 0);
      let node = 0;
      for (let n = 0; n < nodes.length; n += 1) {
        node += nodes[n];
        own[0][node] += wall[n] / 1e6;
        own[1][node] += cpu[n] / 1e6;
        if (at.length) at[n] = node;
      }
      for (let n = 0; n < grown.length; n += 2) own[2][at[grown[n]]] += grown[n + 1];
    }
    // What was not spent on a core.
    own[3] = own[0].map((wall, node) => Math.max(wall - own[1][node], 0));
    const total = own.map((weights) => {
      const sums = Float64Array.from(weights, (value) => Math.max(value, 0));
      // Callers come before what they call: from the last up adds up all.
      for (let node = this.size - 1; node > 0; node -= 1) sums[this.parents[node]] += sums[node];
      return sums;
    });
    return { thread, own, total };
  }

  // What each function cost itself and with all that it called, over some threads.
  byFunction(sums) {
    const rows = this.functions.map((_, index) => ({
      index,
      self: WEIGHTS.map(() => 0),
      total: WEIGHTS.map(() => 0),
    }));
    for (const { own, total } of sums) {
      for (let node = 1; node < this.size; node += 1) {
        if (!total[0][node] && !total[2][node]) continue;
        const row = rows[this.of[node]];
        for (let w = 0; w < WEIGHTS.length; w += 1) {
          row.self[w] += own[w][node];
          if (this.outermost[node]) row.total[w] += total[w][node];
        }
      }
    }
    return rows.filter((row) => row.total[0] > 0 || row.total[2] > 0);
  }
}
