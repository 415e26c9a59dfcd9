// Imports as a tree: what each module cost with all that it imported, the dearest first.

const SMALL_IMPORT_S = 0.001;
const FIGURES_WIDTH = 235; // of the columns beside the name, in pixels
const CHAR_WIDTH = 7.3;
const INDENT = 10;

class Imports {
  constructor(data, choice) {
    this.rows = data.imports;
    this.choice = choice;
    this.open = new Set();
    this.children = new Map();
    this.rows.forEach(([, parent], at) => {
      if (!this.children.has(parent)) this.children.set(parent, []);
      this.children.get(parent).push(at);
    });
    for (const nodes of this.children.values()) nodes.sort((a, b) => this.rows[b][4] - this.rows[a][4]);
    this.openDear();
    choice.watch((changes) => "range" in changes && this.draw());
    this.draw();
  }

  // The path of most of the time is open from the start.
  openDear() {
    const roots = this.children.get(-1) ?? [];
    const whole = roots.reduce((sum, at) => sum + this.rows[at][4], 0);
    const pending = [...roots];
    while (pending.length) {
      const at = pending.pop();
      if (this.rows[at][4] < whole * 0.15) continue;
      this.open.add(at);
      pending.push(...(this.children.get(at) ?? []));
    }
  }

  draw() {
    const [from, to] = this.choice.seen;
    const inRange = (at) => this.rows[at][2] < to && this.rows[at][2] + this.rows[at][4] > from;
    const made = element("div", "tree");
    made.append(element("div", "row head", null, ...["module", "total", "itself", "RSS"].map((text, at) => element("span", at ? "" : "mod", text))));
    let count = 0;
    const add = (nodes, level) => {
      const shown = nodes.filter(inRange);
      const large = shown.filter((at) => this.rows[at][4] >= SMALL_IMPORT_S);
      for (const at of large) {
        count += 1;
        made.append(this.row(at, level));
        if (this.open.has(at)) add(this.children.get(at) ?? [], level + 1);
      }
      const small = shown.length - large.length;
      if (small) {
        const sum = shown.reduce((total, at) => total + (this.rows[at][4] < SMALL_IMPORT_S ? this.rows[at][4] : 0), 0);
        made.append(this.line(level, element("span", "off", `${small} below 1 ms`), words.seconds(sum), "", ""));
        count += 1;
      }
    };
    add(this.children.get(-1) ?? [], 0);
    fill("imports", count ? made : null, this.rows.length ? "nothing was imported in this range" : "imports were not recorded");
  }

  row(at, level) {
    const [module, , , own, total, rss, ok] = this.rows[at];
    const name = element("span", "", this.fitted(module, level) + (ok ? "" : " (failed)"));
    name.title = module;
    let knob = element("span", "leaf");
    if (this.children.has(at)) {
      knob = element("button", "", this.open.has(at) ? "▾" : "▸");
      knob.setAttribute("aria-expanded", String(this.open.has(at)));
      knob.setAttribute("aria-label", `what ${module} imports`);
      knob.addEventListener("click", () => {
        if (!this.open.delete(at)) this.open.add(at);
        this.draw();
      });
    }
    return this.line(level, element("span", "", null, knob, name), words.seconds(total), words.seconds(own), rss === null ? "" : words.signedBytes(rss));
  }

  // A long name loses its middle: its end says most.
  fitted(module, level) {
    const width = byId("imports").clientWidth - FIGURES_WIDTH - level * INDENT - 20;
    const room = Math.max(Math.floor(width / CHAR_WIDTH), 8);
    if (module.length <= room) return module;
    const tail = Math.floor(((room - 1) * 2) / 3);
    return `${module.slice(0, room - 1 - tail)}…${module.slice(module.length - tail)}`;
  }

  line(level, name, ...figures) {
    const mod = element("span", "mod", null, name);
    mod.style.setProperty("--level", level);
    return element("div", "row", null, mod, ...figures.map((text) => element("span", "", text)));
  }
}
