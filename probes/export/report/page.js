// Puts the page together: header, range, chips, keys.

const data = JSON.parse(byId("data").textContent);
const stacks = data.stacks ? new Stacks(data.stacks) : null;
const choice = new Choice(data.span, stacks);

function drawHead() {
  byId("title").textContent = data.title;
  const machine = new Map(data.machine);
  const about = [data.recording, machine.get("recorded"), machine.get("CPU")];
  byId("about").textContent = about.filter(Boolean).join(" · ");
  const more = data.more ? ` · ${data.more} more: perftui explain` : "";
  byId("verdict").textContent = data.findings.length ? `what happened${more}` : data.verdict;
  byId("verdict").className = data.severity;
  drawFindings();
  for (const [name, value, detail, isBad] of data.figures) {
    const made = element("div", "", null, element("dt", "", name), element("dd", isBad ? "bad" : "", value), element("small", "", detail));
    byId("figures").append(made);
  }
}

// What matters, by impact; a click chooses its range.
function drawFindings() {
  for (const { text, code, severity, evidence, unsure, next, range } of data.findings) {
    const made = element("li", severity, null, element("span", "what", text));
    if (code) made.append(element("code", "", code));
    if (unsure) made.append(element("span", "dim", `unsure: ${unsure}`));
    if (next) made.append(element("small", "dim", `next: ${next}`));
    made.title = evidence;
    actsAs(made, () => choice.setRange(range[0], range[1]));
    byId("findings").append(made);
  }
  byId("findings").hidden = data.findings.length === 0;
}

// -- the range -----------------------------------------------------------------------------------

function drawRange() {
  const [from, to] = choice.seen;
  const span = data.span[1] - data.span[0];
  const bar = byId("range");
  bar.classList.toggle("chosen", choice.range !== null);
  const told = choice.range
    ? `${words.moment(from, span)} – ${words.moment(to, span)} · ${words.seconds(to - from)}`
    : `everything · ${words.seconds(span)}`;
  byId("range-what").textContent = told;
  byId("range-note").textContent = choice.what || (choice.range ? "" : rangeHint());
  byId("range-from").value = Number(from.toFixed(3));
  byId("range-to").value = Number(to.toFixed(3));
  byId("range-clear").hidden = choice.range === null;
}

function rangeHint() {
  if (!stacks) return "no stacks were sampled in this part";
  let text = `drag over a timeline, click a phase or an alert; stacks in steps of ${words.seconds(stacks.step)}`;
  if (data.stacks.smaller) text += `, those below ${words.digits(data.stacks.smaller * 100)} % put together`;
  return text;
}

function listenToRange() {
  const typed = () => {
    const [from, to] = [byId("range-from"), byId("range-to")].map((input) => Number.parseFloat(input.value));
    if (Number.isFinite(from) && Number.isFinite(to) && from !== to) choice.setRange(from, to);
    else drawRange();
  };
  byId("range-from").addEventListener("change", typed);
  byId("range-to").addEventListener("change", typed);
  byId("range-clear").addEventListener("click", () => choice.clearRange());
}

// -- threads, weights, search --------------------------------------------------------------------

function chips(id, labels, isOn, act) {
  const made = labels.map(([text, title], at) => {
    const button = element("button", "", text);
    button.type = "button";
    button.title = title;
    button.addEventListener("click", () => act(at));
    return button;
  });
  byId(id).replaceChildren(...made);
  const show = () => made.forEach((button, at) => button.setAttribute("aria-pressed", String(isOn(at))));
  choice.watch(show);
  show();
}

function drawThreads() {
  const all = stacks.threads.map((_, at) => at);
  const busy = all.filter((at) => stacks.threads[at].busy);
  const sets = all.length > 1 ? [null] : [];
  const labels = all.length > 1 ? [["all", `all ${all.length} threads`]] : [];
  if (busy.length > 1 && busy.length < all.length) {
    sets.push(busy);
    labels.push(["busy", `the ${busy.length} threads that used CPU, and the main one`]);
  }
  for (const at of all.slice(0, 24)) {
    const { name, wall, tid } = stacks.threads[at];
    sets.push([at]);
    labels.push([name, `thread ${tid}, ${words.seconds(wall)} sampled`]);
  }
  const same = (a, b) => a === b || (a && b && a.join() === b.join());
  choice.threads = busy.length < all.length ? busy : all.length > 1 ? null : all;
  chips("threads", labels, (at) => same(sets[at], choice.threads), (at) => choice.set({ threads: sets[at] }));
}

function drawWeights() {
  const labels = [["time", "wall time"], ["CPU", "time on a core"], ["memory", "RSS gained meanwhile: an estimate"], ["waiting", "time off a core"]];
  chips("weights", labels, (at) => at === choice.weight, (at) => choice.set({ weight: at }));
}

function listenToFolding() {
  const button = byId("fold");
  button.hidden = !flame.folding.possible;
  const show = () => button.setAttribute("aria-pressed", String(flame.folding.on));
  button.addEventListener("click", () => {
    flame.toggleFolding();
    show();
  });
  show();
}

// What the program never had to tell takes no room.
function hideEmpty() {
  const told = { phases: data.phases.length, imports: data.imports.length, log: data.log.length };
  told.calls = data.calls.length + data.counters.length;
  for (const [id, count] of Object.entries(told)) byId(id).hidden = !count;
  for (const columns of document.querySelectorAll(".columns")) {
    const seen = [...columns.children].filter((section) => !section.hidden);
    columns.hidden = !seen.length;
    columns.classList.toggle("alone", seen.length === 1);
  }
}

// -- theme and keys ------------------------------------------------------------------------------

function listenToTheme(timelines) {
  const order = ["", "dark", "light"];
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  let at = 0;
  const show = () => {
    if (order[at]) document.documentElement.dataset.theme = order[at];
    else delete document.documentElement.dataset.theme;
    button.textContent = order[at] || "system";
    timelines.redraw();
  };
  button.addEventListener("click", () => {
    at = (at + 1) % order.length;
    show();
  });
  system.addEventListener("change", show);
  addEventListener("beforeprint", () => timelines.redraw());
  show();
}

function listenToKeys() {
  const find = byId("find");
  find.addEventListener("input", () => choice.set({ find: find.value.trim() }));
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape") {
      if (typing && choice.find) {
        find.value = "";
        choice.set({ find: "" });
      } else choice.clearRange();
      event.target.blur?.();
    }
  });
}

drawHead();
const timelines = new Timelines(data, choice);
drawAlerts(data, choice);
drawPhases(data, choice);
choice.watch(drawRange);
drawRange();
listenToRange();
let flame = null;
if (stacks) {
  drawThreads();
  drawWeights();
  flame = new Flame(choice);
  listenToFolding();
  new Functions(choice);
} else {
  byId("frames").replaceChildren(element("p", "empty", "no stacks were sampled in this part"));
  fill("top", null, "no stacks were sampled in this part");
}
new Imports(data, choice);
drawCalls(data);
drawLog(data, choice);
drawPairs("machine", [["command", data.command], ...data.machine]);
drawPairs("cost", data.cost, data.missing);
hideEmpty();
listenToTheme(timelines);
listenToKeys();
