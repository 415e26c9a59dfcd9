// The flame graph: an icicle of the chosen threads in the chosen range, root on top.

const ROW = 18;
const MIN_SHARE = 0.001;
// Time off CPU is drawn below the frame that spent it, if it is this much of its own time and of the
// thread: CPU is read a few times a second, so that short waits rub off on their neighbours.
const WAIT_SHARE = 0.25;
const WAIT_OF_THREAD = 0.05;
const MIN_PIXELS = 4; // narrower frames cannot be read or hit: zooming in shows them

class Flame {
  constructor(choice) {
    this.choice = choice;
    this.stacks = choice.stacks;
    this.folding = new Folding(this.stacks);
    this.box = byId("frames");
    this.detail = byId("detail");
    this.zoom = null; // {thread, node}; null is the root
    this.looked = null;
    this.boxes = [];
    this.box.addEventListener("click", (event) => this.onClick(event));
    this.box.addEventListener("pointerover", (event) => this.look(this.boxOf(event)));
    this.box.addEventListener("pointerleave", () => this.look(null));
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
    choice.watch(() => this.update());
    this.update();
  }

  // -- sums ----------------------------------------------------------------------------------

  update() {
    this.sums = new Map(this.choice.sums().map((sums) => [sums.thread, this.folding.sums(sums)]));
    this.found = this.choice.find ? this.matching() : null;
    if (this.zoom && !this.sums.has(this.zoom.thread)) this.zoom = null;
    this.draw();
  }

  matching() {
    return new Set(
      this.stacks.functions
        .map(([name, , , place], index) => (this.choice.matches(`${name} ${place}`) ? index : -1))
        .filter((index) => index >= 0),
    );
  }

  value(thread, node) {
    return this.sums.get(thread).total[this.choice.weight][node];
  }

  get whole() {
    let sum = 0;
    for (const { total } of this.sums.values()) sum += total[this.choice.weight][0];
    return sum;
  }

  // What the found functions cost with all they called, each stack once.
  foundSum() {
    let sum = 0;
    const { parents, of } = this.stacks;
    for (const { total } of this.choice.sums()) {
      const inside = new Uint8Array(this.stacks.size);
      for (let node = 1; node < this.stacks.size; node += 1) {
        if (inside[parents[node]]) inside[node] = 1;
        else if (this.found.has(of[node])) {
          inside[node] = 1;
          sum += total[this.choice.weight][node];
        }
      }
    }
    return sum;
  }

  tell(value) {
    return this.choice.weight === 2 ? words.bytes(value) : words.seconds(value);
  }

  // -- layout --------------------------------------------------------------------------------

  // What a frame itself spent off CPU, 0 if that is too little to be told.
  waitOf(thread, node) {
    if (this.choice.weight !== 0 || thread < 0 || !node) return 0;
    const { own, total } = this.sums.get(thread);
    const wait = own[0][node] - own[1][node];
    return wait > Math.max(WAIT_SHARE * own[0][node], WAIT_OF_THREAD * total[0][0]) ? wait : 0;
  }

  // Boxes in rows: {x0, x1 (shares), depth, thread, node, value, more}; thread -1 is the root.
  // Of boxes with `more` or `wait` the node is the caller.
  layOut() {
    const top = this.zoom;
    const threads = [...this.sums.keys()];
    const whole = top ? this.value(top.thread, top.node) : this.whole;
    if (!(whole > 0)) return [];
    const least = whole * Math.max(MIN_SHARE, MIN_PIXELS / Math.max(this.box.clientWidth, 300));
    const root = top ?? (threads.length === 1 ? { thread: threads[0], node: 0 } : { thread: -1, node: 0 });
    const boxes = [{ x0: 0, x1: 1, depth: 0, ...root, value: whole, more: 0 }];
    for (let at = 0; at < boxes.length; at += 1) {
      const box = boxes[at];
      if (box.more || box.wait || box.depth > 511) continue;
      const callees = box.thread < 0
        ? threads.map((thread) => ({ thread, node: 0 }))
        : (this.sums.get(box.thread).children(box.node) ?? []).map((node) => ({ thread: box.thread, node }));
      let left = box.x0 * whole;
      const end = box.x1 * whole; // a cut box has less room than its frame has value
      let small = 0;
      let count = 0;
      for (const callee of callees) {
        const value = this.value(callee.thread, callee.node);
        const shown = Math.min(value, end - left);
        if (shown < least) {
          small += shown;
          count += value > 0 ? 1 : 0;
          continue;
        }
        boxes.push({ x0: left / whole, x1: (left + shown) / whole, depth: box.depth + 1, ...callee, value, more: 0 });
        left += shown;
      }
      const wait = Math.min(this.waitOf(box.thread, box.node), end - left);
      if (wait >= least) {
        boxes.push({
          x0: left / whole, x1: (left + wait) / whole, depth: box.depth + 1,
          thread: box.thread, node: box.node, value: wait, more: 0, wait: true,
        });
        left += wait;
      }
      small = Math.min(small, end - left);
      if (count && small >= least) {
        boxes.push({
          x0: left / whole, x1: (left + small) / whole, depth: box.depth + 1,
          thread: box.thread, node: box.node, value: small, more: count,
        });
      }
    }
    return boxes;
  }

  label(box) {
    if (box.more) return [`+${box.more} more`, ""];
    if (box.wait) return [this.waitLabel(box), ""];
    if (box.thread < 0) return ["all chosen threads", this.tell(box.value)];
    if (!box.node) return [this.stacks.threads[box.thread].name, this.tell(box.value)];
    const [name, , , place] = this.stacks.functions[this.stacks.of[box.node]];
    const fold = this.sums.get(box.thread).fold(box.node);
    return fold ? [`▸ ${fold}`, name] : [name, place];
  }

  // What a thread waited for is known of the whole part, and belongs where it waited most.
  waitLabel(box) {
    const { waiting } = this.stacks.threads[box.thread];
    if (!waiting || this.choice.range) return "off CPU";
    const { own } = this.sums.get(box.thread);
    const wait = (node) => own[0][node] - own[1][node];
    let most = 0;
    for (let node = 1; node < this.stacks.size; node += 1) if (wait(node) > wait(most)) most = node;
    return most === box.node ? waiting : "off CPU";
  }

  // -- drawing -------------------------------------------------------------------------------

  draw() {
    this.boxes = this.layOut();
    const width = Math.max(this.box.clientWidth, 1);
    const made = this.boxes.map((box, at) => this.frame(box, at, width));
    const depth = this.boxes.reduce((most, box) => Math.max(most, box.depth), -1) + 1;
    const floor = element("div");
    floor.style.height = `${depth * ROW}px`;
    this.box.replaceChildren(...made, floor);
    if (!this.boxes.length) this.box.replaceChildren(element("p", "empty", this.whyEmpty()));
    this.drawCrumbs();
    this.drawFound();
    this.look(null);
  }

  whyEmpty() {
    const what = ["no stacks were sampled", "no CPU was used", "no memory was gained", "nothing waited"][this.choice.weight];
    return `${what} on these threads in this range`;
  }

  frame(box, at, width) {
    const [name, place] = this.label(box);
    const made = element("div", "frame");
    const cells = (box.x1 - box.x0) * width;
    made.style.left = `${box.x0 * 100}%`;
    made.style.width = `${(box.x1 - box.x0) * 100}%`;
    made.style.top = `${box.depth * ROW}px`;
    made.dataset.at = at;
    if (cells > 14) {
      made.append(name);
      if (place && cells > 90) made.append(" ", element("span", "place", place));
    } else made.classList.add("slim");
    if (box.more) made.classList.add("rest");
    else if (box.wait) made.classList.add("wait");
    else if (box.thread < 0 || !box.node) made.classList.add("thread");
    else this.paint(made, box);
    return made;
  }

  paint(made, box) {
    const index = this.stacks.of[box.node];
    const [, , , , degrees, shade] = this.stacks.functions[index];
    if (degrees < 0) made.classList.add("std");
    else made.style.setProperty("--h", degrees);
    made.style.setProperty("--d", `${[0, 3.5, -3.5][shade]}%`);
    if (this.found) made.classList.add(this.hits(box) ? "hit" : "lost");
  }

  // Whether a box is of a function that was found, or folds one.
  hits({ node }) {
    const { of, entered, size } = this.stacks;
    if (this.found.has(of[node])) return true;
    if (entered[node] !== node || !this.folding.on) return false;
    for (let at = node; at < size; at += 1) {
      if (this.folding.shown[at] === node && this.found.has(of[at])) return true;
    }
    return false;
  }

  drawCrumbs() {
    const crumbs = byId("crumbs");
    const parts = [];
    if (this.zoom) {
      const { thread, node } = this.zoom;
      const path = [];
      const { above } = this.sums.get(thread);
      for (let at = above(node); node && at; at = above(at)) path.unshift(at);
      const steps = [null, ...(node ? [{ thread, node: 0 }] : []), ...path.map((at) => ({ thread, node: at }))];
      for (const step of steps) {
        const name = step ? this.label({ ...step, more: 0, value: 0 })[0] : "all";
        const button = element("button", "", name);
        button.addEventListener("click", () => this.zoomTo(step));
        parts.push(button, " › ");
      }
      parts.push(`${words.percent(this.value(thread, node), this.whole)} of ${this.tell(this.whole)}`);
    }
    crumbs.replaceChildren(...parts);
  }

  drawFound() {
    const told = byId("found");
    if (!this.found) told.textContent = "";
    else if (!this.found.size) told.textContent = "nothing found";
    else told.textContent = `${this.found.size} found, ${words.percent(this.foundSum(), this.whole)}`;
  }

  // -- looking at frames ---------------------------------------------------------------------

  boxOf(event) {
    const at = event.target.closest?.(".frame")?.dataset.at;
    return at === undefined ? null : Number(at);
  }

  look(at) {
    this.box.querySelector(".looked")?.classList.remove("looked");
    this.looked = at;
    if (at === null) {
      this.detail.replaceChildren(this.boxes.length ? "point at a frame to see what it is · click to zoom" : "");
      this.detail.classList.add("dim");
      return;
    }
    this.box.children[at].classList.add("looked");
    this.detail.classList.remove("dim");
    this.detail.replaceChildren(...this.details(this.boxes[at]));
  }

  details(box) {
    const whole = this.whole;
    const share = `${this.tell(box.value)}, ${words.percent(box.value, whole)} of ${this.tell(whole)}`;
    if (box.more) return [element("b", "", `${box.more} functions`), ` too narrow to draw: ${share}`];
    if (box.wait) {
      const name = this.label({ ...box, wait: false })[0];
      return [element("b", "", this.waitLabel(box)), `  in ${name} itself, without a core: ${share}`];
    }
    if (box.thread < 0) return [element("b", "", "all chosen threads"), ` ${share}`];
    const sums = this.sums.get(box.thread);
    const thread = this.stacks.threads[box.thread];
    const parts = [];
    if (box.node) {
      const [name, file, line] = this.stacks.functions[this.stacks.of[box.node]];
      const fold = this.sums.get(box.thread).fold(box.node);
      const told = fold ? `▸ ${fold}, by ${name}` : name;
      parts.push(element("b", "", told), file ? `  ${file}${line ? `:${line}` : ""}` : "", element("br"));
    } else parts.push(element("b", "", thread.name), `  thread ${thread.tid} of ${thread.pid}`, element("br"));
    const own = (w) => sums.own[w][box.node];
    const total = (w) => sums.total[w][box.node];
    const told = [share, `itself ${this.tell(own(this.choice.weight))}`];
    if (this.choice.weight !== 0) told.push(`wall ${words.seconds(total(0))}`);
    if (this.choice.weight !== 1) told.push(`CPU ${words.seconds(total(1))} (${words.percent(total(1), total(0))})`);
    if (this.choice.weight !== 2 && total(2) > 0) told.push(`memory ${words.signedBytes(total(2))}`);
    if (this.sums.size > 1 && box.node) told.push(thread.name);
    parts.push(element("span", "dim", told.join(" · ")));
    return parts;
  }

  onClick(event) {
    const at = this.boxOf(event);
    if (at !== null) this.enter(this.boxes[at]);
  }

  // Into a frame; into the one that is on top already: out.
  enter(box) {
    if (box.more || box.wait) return;
    if (box.thread >= 0 && box.node && this.sums.get(box.thread).fold(box.node)) {
      this.folding.open(box.node);
      this.update();
      return;
    }
    const isTop = this.zoom && box.thread === this.zoom.thread && box.node === this.zoom.node;
    if (isTop) this.zoomOut();
    else this.zoomTo(box.thread < 0 ? null : { thread: box.thread, node: box.node });
  }

  toggleFolding() {
    this.folding.toggle();
    this.zoom = null;
    this.update();
  }

  zoomTo(step) {
    this.zoom = step;
    this.draw();
  }

  zoomOut() {
    if (!this.zoom) return false;
    const { thread, node } = this.zoom;
    this.zoomTo(node ? { thread, node: this.sums.get(thread).above(node) } : null);
    return true;
  }

  onKey(event) {
    if (event.key === "Escape" && this.zoomOut()) {
      event.stopPropagation();
      return;
    }
    if (event.key === "Enter" && this.looked !== null) {
      this.enter(this.boxes[this.looked]);
      if (this.boxes.length) this.look(0);
      return;
    }
    const way = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" }[event.key];
    if (!way || !this.boxes.length) return;
    event.preventDefault();
    const next = this.looked === null ? 0 : this.neighbour(this.looked, way);
    if (next !== null) {
      this.look(next);
      this.box.children[next].scrollIntoView({ block: "nearest" });
    }
  }

  neighbour(at, way) {
    const box = this.boxes[at];
    const near = (depth, fits) => {
      const found = this.boxes.map((each, index) => ({ each, index })).filter(({ each }) => each.depth === depth && fits(each));
      return found;
    };
    if (way === "up") return near(box.depth - 1, (b) => b.x0 <= box.x0 && box.x0 < b.x1)[0]?.index ?? null;
    if (way === "down") {
      const inside = near(box.depth + 1, (b) => box.x0 <= b.x0 && b.x1 <= box.x1 + 1e-9);
      inside.sort((a, b) => (b.each.x1 - b.each.x0) - (a.each.x1 - a.each.x0));
      return inside[0]?.index ?? null;
    }
    if (way === "right") return near(box.depth, (b) => b.x0 >= box.x1 - 1e-9)[0]?.index ?? null;
    return near(box.depth, (b) => b.x1 <= box.x0 + 1e-9).at(-1)?.index ?? null;
  }
}
