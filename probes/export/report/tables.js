// Tables: functions of the chosen range, phases and alerts that choose one, and what was told.

const FIRST_ROWS = 40;

function table(columns, rows, click) {
  const head = element("tr");
  for (const [name, kind] of columns) head.append(element("th", kind, name));
  const body = element("tbody");
  for (const cells of rows) {
    const row = element("tr");
    cells.forEach((cell, at) => {
      const made = element("td", columns[at][1]);
      if (cell instanceof Node) made.append(cell);
      else made.textContent = cell;
      if (typeof cell === "string" && columns[at][1] === "name") made.title = cell;
      row.append(made);
    });
    body.append(row);
  }
  if (click) {
    [...body.rows].forEach((row, at) => actsAs(row, () => click(at, row)));
  }
  return element("table", "", null, element("thead", "", null, head), body);
}

// Something that can be clicked, and reached by keys.
function actsAs(made, act) {
  made.tabIndex = 0;
  made.addEventListener("click", act);
  made.addEventListener("keydown", (event) => {
    if (event.target === made && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      act();
    }
  });
}

function fill(id, content, why) {
  byId(id).querySelector(".scroll").replaceChildren(content ?? element("p", "empty", why));
}

// -- functions -----------------------------------------------------------------------------------

class Functions {
  constructor(choice) {
    this.choice = choice;
    this.sort = "self";
    this.most = FIRST_ROWS;
    choice.watch(() => this.draw());
    this.draw();
  }

  draw() {
    const { choice } = this;
    const { stacks, weight } = choice;
    const sums = choice.sums();
    const whole = sums.reduce((sum, { total }) => sum + total[weight][0], 0);
    const tell = weight === 2 ? words.bytes : words.seconds;
    let rows = stacks.byFunction(sums).filter((row) => row.total[weight] > 0);
    if (choice.find) {
      rows = rows.filter(({ index }) => {
        const [name, , , place] = stacks.functions[index];
        return choice.matches(`${name} ${place}`);
      });
    }
    const by = this.sort;
    const other = by === "self" ? "total" : "self";
    rows.sort((a, b) => b[by][weight] - a[by][weight] || b[other][weight] - a[other][weight]);
    const made = table(
      [["function", "name"], ["", ""], ["", "share"], ["", ""], ["", "share"]],
      rows.slice(0, this.most).map((row) => [
        this.name(row.index), tell(row.self[weight]), words.percent(row.self[weight], whole),
        tell(row.total[weight]), words.percent(row.total[weight], whole),
      ]),
      (at) => this.toggle(stacks.functions[rows[at].index][0]),
    );
    made.className = `by-${WEIGHTS[weight]}`;
    this.heads(made);
    this.bars(made, rows, whole, weight);
    const box = element("div", "", null, made);
    if (rows.length > this.most) box.append(this.moreButton(rows.length));
    fill("top", rows.length ? box : null, choice.find ? "no function matches" : "no stacks in this range");
  }

  name(index) {
    const [name, , , place] = this.choice.stacks.functions[index];
    return element("span", "", null, name, " ", element("span", "place", place));
  }

  heads(made) {
    const cells = made.tHead.rows[0].cells;
    for (const [at, sort] of [[1, "self"], [3, "total"]]) {
      const button = element("button", "", sort);
      button.setAttribute("aria-pressed", String(this.sort === sort));
      button.addEventListener("click", () => {
        this.sort = sort;
        this.draw();
      });
      cells[at].append(button);
    }
  }

  bars(made, rows, whole, weight) {
    [...made.tBodies[0].rows].forEach((row, at) => {
      const { index, self, total } = rows[at];
      const [name, file, line] = this.choice.stacks.functions[index];
      row.cells[0].title = `${name}\n${file}${line ? `:${line}` : ""}`;
      row.cells[2].style.setProperty("--bar", words.percent(self[weight], whole).replace(" ", ""));
      row.cells[4].style.setProperty("--bar", words.percent(total[weight], whole).replace(" ", ""));
    });
  }

  moreButton(count) {
    const button = element("button", "more", `all ${count} functions`);
    button.addEventListener("click", () => {
      this.most = Infinity;
      this.draw();
    });
    return button;
  }

  toggle(name) {
    const find = this.choice.find === name ? "" : name;
    byId("find").value = find;
    this.choice.set({ find });
  }
}

// -- alerts and phases ---------------------------------------------------------------------------

function drawAlerts(data, choice) {
  const [begin, end] = data.span;
  const made = data.alerts.map((alert) => {
    const to = alert.clear ?? end;
    const lasts = `${words.moment(alert.onset, end - begin)}, ${alert.clear === null ? "to the end" : `for ${words.seconds(to - alert.onset)}`}`;
    const head = element("h3", "", `${alert.severity === "info" ? "·" : "▲"} ${alert.kind}`, element("small", "", `${alert.severity} · ${lasts}`));
    const article = element("article", alert.severity, null, head, element("p", "", alert.message));
    if (alert.evidence) article.append(element("p", "evidence", alert.evidence));
    article.title = "choose its span";
    actsAs(article, () => {
      choice.setRange(alert.onset, to, alert.kind);
      for (const each of made) each.classList.toggle("chosen", each === article);
    });
    return article;
  });
  choice.watch(({ what }) => what === "" && made.forEach((each) => each.classList.remove("chosen")));
  fill("alerts", made.length ? element("div", "", null, ...made) : null, "none: nothing in this part met what the detectors look for");
  const marks = data.alerts.filter(({ severity }) => severity === "info").length;
  const alerts = made.length - marks;
  const told = [alerts ? String(alerts) : "", marks ? `${marks} ${marks === 1 ? "mark" : "marks"}` : ""];
  noteIn("alerts", told.filter(Boolean).join(", "));
}

function drawPhases(data, choice) {
  const [, end] = data.span;
  const rows = data.phases.map(([name, depth, from, until, cpu, kept, peak, process]) => {
    const label = element("span", "", `${process ? `${process}: ` : ""}${name}`);
    label.style.paddingLeft = `${depth * 12}px`;
    return [
      label,
      until === null ? "not ended" : words.seconds(until - from),
      cpu === null ? "" : words.seconds(cpu),
      peak === null ? "" : words.bytes(peak),
      kept === null ? "" : words.signedBytes(kept),
    ];
  });
  const columns = [["phase", "name"], ["took", ""], ["CPU", ""], ["peak RSS", ""], ["kept", ""]];
  const made = table(columns, rows, (at, row) => {
    const [name, , from, until] = data.phases[at];
    choice.setRange(from, until ?? end, `phase ${name}`);
    for (const each of made.tBodies[0].rows) each.classList.toggle("chosen", each === row);
  });
  choice.watch(({ what }) => {
    if (what === "") for (const each of made.tBodies[0].rows) each.classList.remove("chosen");
  });
  fill("phases", rows.length ? made : null, "the program named no phases");
  countIn("phases", rows.length);
}

function countIn(id, count) {
  if (count > 1) noteIn(id, count);
}

function noteIn(id, text) {
  if (text) byId(id).querySelector("h2").append(element("span", "dim", `  ${text}`));
}

// -- the rest ------------------------------------------------------------------------------------

function drawCalls(data) {
  const parts = [];
  if (data.calls.length) {
    parts.push(table(
      [["call", "name"], ["n", ""], ["first", ""], ["median of the others", ""], ["ratio", ""], ["failed", ""]],
      data.calls.map(([name, n, first, warm, ratio, failed]) => [
        name, String(n), words.seconds(first), warm === null ? "" : words.seconds(warm),
        ratio === null ? "" : `${ratio.toFixed(1)}×`, failed ? String(failed) : "",
      ]),
    ));
  }
  if (data.counters.length) {
    parts.push(table(
      [["counter", "name"], ["total", ""], ["per second", ""]],
      data.counters.map(([name, total, rate]) => [name, words.count(total), rate === null ? "" : `${words.count(rate)}/s`]),
    ));
  }
  fill("calls", parts.length ? element("div", "", null, ...parts) : null, "the program timed no calls and counted nothing");
}

function drawLog(data, choice) {
  const draw = () => {
    const [from, to] = choice.seen;
    const lines = data.log.filter(([t]) => t >= from && t <= to);
    const made = element("pre", "log");
    for (const [t, stream, text] of lines) {
      made.append(element("div", stream, null, element("time", "", words.moment(t, to - from)), text));
    }
    fill("log", lines.length ? made : null, "the program wrote nothing in this range");
  };
  choice.watch((changes) => "range" in changes && draw());
  draw();
}

function drawPairs(id, pairs, told = []) {
  const columns = [["", "label"], ["", "words"]];
  const made = table(columns, pairs);
  made.tHead.remove();
  fill(id, element("div", "", null, made, ...told.map((text) => element("p", "dim", text))));
}
