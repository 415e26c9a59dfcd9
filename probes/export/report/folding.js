// What is not the program's own folds: the same as the screen does, by what was recorded of whose
// a frame is. `entered` has, of a library's frame, where the frames it hangs together with begin.

class Folding {
  constructor(stacks) {
    this.stacks = stacks;
    this.on = stacks.functions.some((told) => told[7]) && stacks.entered.some(Boolean);
    this.possible = this.on;
    this.opened = new Set();
    this.size = new Map();
    for (const entry of stacks.entered) if (entry) this.size.set(entry, (this.size.get(entry) ?? 0) + 1);
    this.place();
  }

  toggle() {
    this.on = !this.on;
    this.opened.clear();
    this.place();
  }

  open(node) {
    this.opened.add(node);
    this.place();
  }

  // The node that stands for each, and the one above each that is shown.
  place() {
    const { parents, entered, size } = this.stacks;
    this.shown = new Int32Array(size);
    this.above = new Int32Array(size);
    for (let node = 1; node < size; node += 1) {
      const parent = parents[node];
      let entry = entered[node] || node;
      if (this.opened.has(entry) || (this.size.get(entry) ?? 0) < 2) entry = node;
      this.shown[node] = entry;
      if (entry !== node) continue;
      const first = entered[parent];
      const passed = first && !parents[first] && !this.opened.has(first) && !entered[node];
      this.above[node] = passed ? 0 : this.shown[parent];
    }
  }

  // Sums as they are drawn: of folds where a thread runs code of the program's own, else as they are.
  sums(sums) {
    const { stacks } = this;
    const mine = (node) => stacks.functions[stacks.of[node]][7];
    const plain = { ...sums, children: (node) => stacks.children[node], above: (node) => stacks.parents[node], fold: () => null };
    if (!this.on || !sums.total[0].some((value, node) => node && value > 0 && mine(node))) return plain;
    const own = sums.own.map((weights) => {
      const folded = new Float64Array(stacks.size);
      weights.forEach((value, node) => { folded[this.shown[node]] += value; });
      return folded;
    });
    const total = own.map((weights) => {
      const folded = Float64Array.from(weights, (value) => Math.max(value, 0));
      for (let node = stacks.size - 1; node > 0; node -= 1) {
        if (this.shown[node] === node) folded[this.above[node]] += folded[node];
      }
      return folded;
    });
    const children = new Map();
    const name = (node) => stacks.functions[stacks.of[node]][0];
    for (let node = 1; node < stacks.size; node += 1) {
      if (this.shown[node] !== node || !total.some((weights) => weights[node] > 0)) continue;
      if (!children.has(this.above[node])) children.set(this.above[node], []);
      children.get(this.above[node]).push(node);
    }
    for (const nodes of children.values()) {
      nodes.sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : a - b));
    }
    return {
      ...sums, own, total,
      children: (node) => children.get(node),
      above: (node) => this.above[node],
      fold: (node) => this.told(node, sums),
    };
  }

  // "6 pandas frames", null of a frame that stands alone. Libraries: the one called, then the hottest.
  told(node, sums) {
    const { stacks } = this;
    if (!stacks.entered[node] || stacks.entered[node] !== node || this.opened.has(node)) return null;
    const spent = new Map();
    let count = 0;
    for (let at = node; at < stacks.size; at += 1) {
      if (this.shown[at] !== node || !(sums.total[0][at] > 0 || sums.total[2][at] > 0)) continue;
      count += 1;
      const library = stacks.functions[stacks.of[at]][6];
      if (library) spent.set(library, (spent.get(library) ?? 0) + sums.own[0][at]);
    }
    if (count < 2) return null;
    const called = stacks.functions[stacks.of[node]][6];
    const ranked = [...spent.keys()].sort((a, b) => (b === called) - (a === called) || spent.get(b) - spent.get(a) || (a < b ? -1 : 1));
    const named = ranked.slice(0, 2).join(", ") + (ranked.length > 2 ? ` +${ranked.length - 2}` : "");
    return named ? `${count} ${named} frames` : `${count} frames`;
  }
}
