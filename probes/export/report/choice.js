// What the person has chosen. Parts of the page watch it and draw themselves again.

class Choice {
  constructor(span, stacks) {
    this.span = span;
    this.stacks = stacks;
    this.range = null; // [from, to] in seconds; null is everything
    this.what = "";    // what the range is of: a phase, an alert
    this.threads = null; // places in stacks.threads; null is all
    this.weight = 0;
    this.find = "";
    this.watchers = [];
  }

  watch(watcher) {
    this.watchers.push(watcher);
  }

  set(changes) {
    Object.assign(this, changes);
    for (const watcher of this.watchers) watcher(changes);
  }

  // Choose a range; stacks are kept in steps, so that it begins and ends where a step does.
  setRange(from, to, what = "") {
    const [begin, end] = this.span;
    let low = Math.max(Math.min(from, to), begin);
    let high = Math.min(Math.max(from, to), end);
    if (this.stacks) {
      const [first, last] = this.stacks.stepsOf(low, high);
      low = Math.max(this.stacks.begin + first * this.stacks.step, begin);
      high = Math.min(this.stacks.begin + last * this.stacks.step, end);
    }
    const all = low <= begin && high >= end;
    if (high > low) this.set({ range: all ? null : [low, high], what: all ? "" : what });
  }

  clearRange() {
    if (this.range) this.set({ range: null, what: "" });
  }

  get seen() {
    return this.range ?? this.span;
  }

  // Sums of the chosen threads in the chosen range, the hottest first.
  sums() {
    const { stacks } = this;
    const [first, last] = this.range ? stacks.stepsOf(...this.range) : [0, stacks.steps];
    const threads = this.threads ?? stacks.threads.map((_, index) => index);
    return threads.map((thread) => stacks.sums(thread, first, last));
  }

  matches(text) {
    return text.toLowerCase().includes(this.find.toLowerCase());
  }
}
