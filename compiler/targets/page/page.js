// @ts-check
"use strict";
(() => {
  /** @typedef {{ title: string, open: boolean, names: string[], nodes: string[] }} Slot */
  /** @typedef {{ name: string, latex: string, mathml: string, parameters: number | null,
   *   macs: number | null }} Operation */
  /** @typedef {{ kind: string, name: string, what: string, cell: string, shape: string,
   *   operations: number[], slots: Slot[], parameters: number | null,
   *   macs: number | null }} Fact */
  /** @typedef {{ node: string, slot: number | null, bars: number[] }} Mixture */
  /** @typedef {{ number: number, score: number | null,
   *   weights: (number[] | null)[] }} Round */
  /** @typedef {{ name: string, kept: number | null, rounds: Round[] }} Course */
  /** @typedef {{ network: { name: string, kind: string, parameters: number, macs: number,
   *   architectures: string }, nodes: Record<string, Fact>, operations: Operation[],
   *   metric: string, mixtures: Mixture[], courses: Course[] }} Data */
  /** @typedef {{ x: number, y: number, width: number, height: number }} Box */

  const SVG = "http://www.w3.org/2000/svg";
  /** Milliseconds between rounds while they are played. */
  const PACE = 400;
  /** Rows of a table of holes. */
  const MOST_ROWS = 60;
  /** Units between a box and the first turn of a line, and the length of its head. */
  const [CLEAR, HEAD] = [7, 6];
  /** Candidates of a hole that are named. */
  const MOST_NAMES = 6;

  /** @param {string} id @returns {HTMLElement} */
  const element = (id) => {
    const found = document.getElementById(id);
    if (!found) throw new Error(`there is no element ${id}`);
    return found;
  };
  /** @template {keyof HTMLElementTagNameMap} K
   * @param {K} tag @param {string} [text] @returns {HTMLElementTagNameMap[K]} */
  const made = (tag, text) => {
    const found = document.createElement(tag);
    if (text !== undefined) found.textContent = text;
    return found;
  };
  /** @param {string} tag @param {Record<string, string | number>} attributes */
  const drawn = (tag, attributes) => {
    const found = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, `${value}`);
    return found;
  };
  /** @param {number | null} value */
  const counted = (value) => (value === null ? "not known" : value.toLocaleString("en"));

  /** @type {Data} */
  const data = JSON.parse(element("data").textContent ?? "");
  Object.setPrototypeOf(data.nodes, null);
  const slider = /** @type {HTMLInputElement} */ (element("round"));
  const numbers = data.courses.flatMap((course) => course.rounds.map((round) => round.number));
  /** The numbers of all rounds of all searches. */
  const moments = [...new Set(numbers)].sort((a, b) => a - b);
  const last = Math.max(0, moments.length - 1);
  let selected = "";
  let moment = last;

  /** Where a search was at the moment: its last round until then. @param {Course} course */
  const reached = (course) => {
    const after = course.rounds.findIndex((round) => round.number > moments[moment]);
    return after < 0 ? course.rounds.length - 1 : Math.max(0, after - 1);
  };
  /** @param {Course} course */
  const now = (course) => course.rounds[reached(course)];
  /** A name from right to left, kept apart from what stands beside it. @param {string} name */
  const apart = (name) => (/[\u0590-\u08ff]/.test(name) ? `\u2068${name}\u2069` : name);
  /** @param {number[]} row */
  const heaviest = (row) => row.reduce((best, weight, i) => (weight > row[best] ? i : best), 0);
  /** @param {Mixture} mixture */
  const candidates = (mixture) => {
    const fact = data.nodes[mixture.node];
    return mixture.slot === null
      ? fact.operations.map((place) => data.operations[place].name)
      : fact.slots[mixture.slot].names;
  };
  /** @param {Mixture} mixture */
  const place = (mixture) => {
    const fact = data.nodes[mixture.node];
    const cell = fact.cell ? `${apart(data.nodes[fact.cell].name)}, ` : "";
    const part = mixture.slot === null ? ": operation" : `: ${fact.slots[mixture.slot].title}`;
    return `${cell}${apart(fact.name)}${part}`;
  };

  /** One picture, of a network or of a search of it. */
  class Panel {
    /** @param {HTMLElement} figure @param {Course | null} course */
    constructor(figure, course) {
      this.course = course;
      this.caption = /** @type {HTMLElement} */ (figure.querySelector("figcaption"));
      this.svg = /** @type {SVGSVGElement} */ (figure.querySelector("svg"));
      /** @type {Map<string, SVGGElement>} */
      this.parts = new Map();
      /** @type {Map<string, Box>} */
      this.boxes = new Map();
      this.whole = this.svg.getAttribute("viewBox") ?? "";
      this.prepare();
      /** @type {(SVGElement | null)[][]} */
      this.lines = data.mixtures.map(() => []);
      this.bars = data.mixtures.map((mixture) => this.barsOf(mixture));
      this.over = drawn("g", { class: "lines" });
      this.svg.querySelector("g.graph")?.append(this.over);
      /** @type {Record<string, ReturnType<typeof routesAround>>} */
      this.routes = {};
      if (course) {
        this.chart = chart([course.rounds.map((round) => round.score)], 0);
        if (this.chart) figure.append(this.chart.picture);
      }
    }

    /** Makes the parts of the picture buttons, with their own words. */
    prepare() {
      this.svg.setAttribute("role", "group");
      const search = this.course ? `, ${this.course.name}` : "";
      this.svg.setAttribute("aria-label", `diagram of ${data.network.name}${search}`);
      for (const one of this.svg.querySelectorAll("[id]")) one.removeAttribute("id");
      for (const link of this.svg.querySelectorAll("a")) link.replaceWith(...link.childNodes);
      for (const group of this.svg.querySelectorAll("g")) {
        const title = group.querySelector(":scope > title");
        if (!title) continue;
        const text = title.textContent ?? "";
        const isFrame = group.classList.contains("cluster");
        const name = isFrame ? text.replace(/^cluster_/, "") : text;
        const fact = isFrame || group.classList.contains("node") ? data.nodes[name] : undefined;
        if (!fact) {
          title.remove();
          continue;
        }
        const isMerge = fact.kind === "cell" && !isFrame;
        title.textContent = isMerge ? `merge of ${fact.name}` : `${fact.name}, ${fact.what}`;
        group.dataset.node = name;
        if (isMerge) continue;
        group.setAttribute("role", "button");
        group.setAttribute("tabindex", "-1");
        const words = [...group.querySelectorAll("text")].map((one) => one.textContent?.trim());
        group.setAttribute("aria-label", `${words.join(" ")}, ${fact.what}`);
        group.querySelector("path, polygon")?.classList.add("outline");
        this.parts.set(name, group);
        this.boxes.set(name, group.getBBox());
      }
      this.parts.values().next().value?.setAttribute("tabindex", "0");
      this.svg.addEventListener("click", (event) => {
        const target = /** @type {Element} */ (event.target);
        const group = /** @type {SVGGElement | null} */ (target.closest("[data-node]"));
        select(group?.dataset.node ?? "");
      });
      this.svg.addEventListener("keydown", (event) => this.key(event));
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const group = /** @type {SVGGElement} */ (event.target);
      const from = group.dataset.node ?? "";
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        select(from);
      } else if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        const next = this.beside(from, event.key);
        if (next) this.focus(next);
      }
    }

    /** @param {string} name */
    focus(name) {
      const group = this.parts.get(name);
      if (!group) return;
      for (const one of this.svg.querySelectorAll('[tabindex="0"]')) {
        one.setAttribute("tabindex", "-1");
      }
      group.setAttribute("tabindex", "0");
      const box = this.boxes.get(name);
      if (box && !this.sees(box)) this.svg.setAttribute("viewBox", this.whole);
      group.focus({ preventScroll: true });
    }

    /** Whether a box is in the view. @param {Box} box */
    sees(box) {
      const [x, y, width, height] = (this.svg.getAttribute("viewBox") ?? "").split(" ").map(Number);
      const { e, f } = this.moved();
      const [left, top] = [box.x + e, box.y + f];
      return (
        left >= x && top >= y && left + box.width <= x + width && top + box.height <= y + height
      );
    }

    /** How far the picture is moved inside its view. */
    moved() {
      const graph = /** @type {SVGGElement | null} */ (this.svg.querySelector("g.graph"));
      return graph?.transform.baseVal.consolidate()?.matrix ?? { e: 0, f: 0 };
    }

    /** The nearest part in a direction. @param {string} name @param {string} key */
    beside(name, key) {
      const from = this.boxes.get(name);
      if (!from) return "";
      const isFlat = key === "ArrowLeft" || key === "ArrowRight";
      const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
      let best = "";
      let least = Infinity;
      for (const [other, box] of this.boxes) {
        const dx = box.x + box.width / 2 - from.x - from.width / 2;
        const dy = box.y + box.height / 2 - from.y - from.height / 2;
        const along = sign * (isFlat ? dx : dy);
        const distance = along + 2 * Math.abs(isFlat ? dy : dx);
        if (other !== name && along > 1 && distance < least) [best, least] = [other, distance];
      }
      return best;
    }

    /** The bars of a Step's operations, each with its ends. @param {Mixture} mixture */
    barsOf(mixture) {
      if (mixture.slot !== null) return [];
      const group = this.parts.get(mixture.node);
      const found = [...(group?.querySelectorAll("polygon") ?? [])];
      const full = found.filter((p) => p.getAttribute("fill") === "var(--bar)");
      const rest = found.filter((p) => p.getAttribute("fill") === "var(--track)");
      return full.map((bar, i) => {
        const start = bar.getBBox();
        const end = rest[i].getBBox();
        return { bar, rest: rest[i], start, right: end.x + end.width };
      });
    }

    /** Shows a round: the weights as lines and bars, the score as text and in the chart. */
    show() {
      if (!this.course) return;
      const round = now(this.course);
      data.mixtures.forEach((mixture, number) => {
        const row = round.weights[number] ?? [];
        if (mixture.slot === null) this.showBars(mixture, number, row);
        else this.showLines(mixture, mixture.slot, number, row);
      });
      const score = round.score === null ? "" : `: ${data.metric} ${round.score.toFixed(4)}`;
      const kept = round.number === this.course.kept ? ", kept" : "";
      this.caption.textContent = `${apart(this.course.name)}, round ${round.number}${kept}${score}`;
      this.chart?.mark(reached(this.course));
    }

    /** @param {Mixture} mixture @param {number} number @param {number[]} row */
    showBars(mixture, number, row) {
      this.bars[number].forEach(({ bar, rest, start, right }, i) => {
        const weight = row[mixture.bars[i]] ?? 0;
        const x = start.x + weight * (right - start.x);
        bar.setAttribute("points", rectangle(start.x, x, start));
        rest.setAttribute("points", rectangle(x, right, start));
      });
    }

    /** @param {Mixture} mixture @param {number} slot @param {number} number
     * @param {number[]} row */
    showLines(mixture, slot, number, row) {
      const lines = this.lines[number];
      const nodes = data.nodes[mixture.node].slots[slot].nodes;
      const least = Math.min(0.5 / nodes.length, Math.max(...row));
      nodes.forEach((source, i) => {
        const weight = row[i] ?? 0;
        const isSeen = weight >= least && weight > 0;
        if (!isSeen && !lines[i]) return;
        const line = (lines[i] ??= this.line(source, mixture.node, slot));
        if (!line) return;
        line.style.display = isSeen ? "" : "none";
        line.style.strokeWidth = `${0.5 + 2.8 * weight}`;
        line.style.opacity = `${0.15 + 0.85 * weight}`;
      });
    }

    /** Where the boxes stand that lines of a level go around: of a Cell, or of the whole.
     * @param {string} cell */
    obstacles(cell) {
      const names = [...this.boxes.keys()].filter((name) => {
        const fact = data.nodes[name];
        if (!cell) return fact.kind === "feature" || fact.kind === "cell";
        return fact.cell === cell && fact.kind !== "cell";
      });
      return names.flatMap((name) => this.boxes.get(name) ?? []);
    }

    /** The lower end of a slot: its own small box, where a Step has one.
     * @param {string} name @param {number} slot */
    entry(name, slot) {
      const group = this.parts.get(name);
      const own = [...(group?.querySelectorAll("path:not(.outline)") ?? [])][slot];
      const box = own instanceof SVGGraphicsElement ? own.getBBox() : this.boxes.get(name);
      const whole = this.boxes.get(name);
      if (!box || !whole) return null;
      const x = box.x + box.width / 2;
      return { port: { x, y: box.y + box.height }, edge: { x, y: whole.y + whole.height } };
    }

    /** A line from a part to a slot of another, around what stands between.
     * @param {string} tail @param {string} head @param {number} slot */
    line(tail, head, slot) {
      const from = this.boxes.get(tail);
      const entry = this.entry(head, slot);
      if (!from || !entry) return null;
      const isUpper = data.nodes[head].kind === "input" || data.nodes[head].kind === "output";
      const level = isUpper ? "" : data.nodes[head].cell;
      const route = (this.routes[level] ??= routesAround(this.obstacles(level)));
      const frame = isUpper ? this.boxes.get(data.nodes[head].cell) : undefined;
      const foot = frame ? frame.y + frame.height : entry.edge.y;
      const start = { x: from.x + from.width / 2, y: from.y };
      const [out, into] = [
        { x: start.x, y: start.y - CLEAR },
        { x: entry.port.x, y: foot + CLEAR },
      ];
      const path = rounded([start, ...route(out, into), entry.port]);
      const line = drawn("g", { class: isUpper ? "upper" : "lower" });
      const { x, y } = entry.port;
      const tip = `${x},${y} ${x - HEAD / 2},${y + HEAD} ${x + HEAD / 2},${y + HEAD}`;
      line.append(drawn("path", { d: path }), drawn("polygon", { points: tip }));
      this.over.append(line);
      return line;
    }

    /** Marks what is selected, and shows its Cell as large as it gets. */
    select() {
      for (const one of this.svg.querySelectorAll(".selected")) one.classList.remove("selected");
      this.parts.get(selected)?.classList.add("selected");
      const fact = data.nodes[selected];
      const box = fact?.cell ? this.boxes.get(fact.cell) : undefined;
      this.svg.setAttribute("viewBox", box ? this.around(box) : this.whole);
    }

    /** The view of a box with a margin. @param {Box} box */
    around(box) {
      const { e, f } = this.moved();
      const margin = 24;
      const x = box.x + e - margin;
      const y = box.y + f - margin;
      return `${x} ${y} ${box.width + 2 * margin} ${box.height + 2 * margin}`;
    }
  }

  /** @param {number} left @param {number} right @param {Box} box */
  const rectangle = (left, right, box) => {
    const bottom = box.y + box.height;
    return `${left},${bottom} ${left},${box.y} ${right},${box.y} ${right},${bottom}`;
  };

  /** Rows of numbers over rounds, with a mark at one of them.
   * @param {(number | null)[][]} rows @param {number} first which row stands out */
  function chart(rows, first) {
    const [width, height, edge] = [300, 90, 8];
    const known = rows.flat().filter((value) => value !== null);
    const count = Math.max(...rows.map((row) => row.length));
    if (!known.length || count < 2) return null;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    /** @param {number} i */
    const x = (i) => edge + ((width - 2 * edge) * i) / (count - 1);
    /** @param {number} value */
    const y = (value) =>
      height - 18 - (height - 26) * (high > low ? (value - low) / (high - low) : 0.5);
    const picture = drawn("svg", { class: "chart", viewBox: `0 0 ${width} ${height}` });
    picture.setAttribute("aria-hidden", "true");
    rows.forEach((row, number) => {
      const points = row.flatMap((v, i) => (v === null ? [] : [`${x(i)},${y(v)}`])).join(" ");
      picture.append(drawn("polyline", { points, class: number === first ? "first" : "" }));
    });
    const line = drawn("line", { y1: 4, y2: height - 16 });
    const ends = drawn("text", { x: edge, y: height - 3 });
    ends.textContent = `from ${low.toFixed(3)} to ${high.toFixed(3)}`;
    picture.append(line, ends);
    /** @param {number} i */
    const mark = (i) => {
      line.setAttribute("x1", `${x(i)}`);
      line.setAttribute("x2", `${x(i)}`);
    };
    mark(0);
    return { picture, mark };
  }

  // Words about what is selected

  /** @param {number | undefined} weight */
  const shown = (weight) => (weight === undefined ? "not known" : weight.toFixed(3));

  /** @param {[string, string][]} rows */
  const described = (rows) => {
    const list = made("dl");
    for (const [term, text] of rows) list.append(made("dt", term), made("dd", text));
    return list;
  };

  /** @param {string} caption @param {string[]} heads @param {string[][]} rows
   * @param {number} first */
  const table = (caption, heads, rows, first = -1) => {
    const found = made("table");
    found.append(made("caption", caption));
    const columns = found.createTHead().insertRow();
    for (const text of heads) {
      const head = made("th", text);
      head.scope = "col";
      columns.append(head);
    }
    const body = found.createTBody();
    rows.forEach(([head, ...cells], number) => {
      const row = body.insertRow();
      if (number === first) row.className = "first";
      const heading = made("th", head);
      heading.scope = "row";
      row.append(heading);
      for (const text of cells) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = text;
      }
    });
    return found;
  };

  /** @param {Operation} operation @param {boolean} isAlone */
  const equation = (operation, isAlone) => {
    const found = made("div");
    if (!isAlone) found.append(made("h3", operation.name));
    const shown = made("div");
    shown.className = "equation";
    shown.tabIndex = 0;
    shown.setAttribute("role", "group");
    shown.setAttribute("aria-label", `equation of ${operation.name}`);
    shown.innerHTML = operation.mathml;
    shown.append(made("code", operation.latex));
    found.append(shown);
    if (!isAlone) {
      const sizes = `${counted(operation.parameters)} parameters, ${counted(operation.macs)} MACs`;
      found.append(made("p", sizes));
    }
    return found;
  };

  /** How a hole settled, in every search. @param {Mixture} mixture @param {number} number */
  const settled = (mixture, number) => {
    const names = candidates(mixture);
    const rows = data.courses.map((course) => now(course).weights[number]);
    const known = rows.find((row) => row);
    const first = known ? heaviest(known) : -1;
    const listed = names.map((name, i) => [name, ...rows.map((r) => shown(r?.[i]))]);
    const found = made("div");
    const heads = ["candidate", ...data.courses.map((course) => apart(course.name))];
    found.append(table(`${place(mixture)}: weights`, heads, listed, first));
    const history = data.courses[0].rounds.map((round) => round.weights[number]);
    const lines = chart(names.map((_, i) => history.map((row) => row?.[i] ?? null)), first);
    if (lines) {
      lines.mark(reached(data.courses[0]));
      found.append(lines.picture);
    }
    return found;
  };

  /** The heaviest candidate of every hole, of a Cell or of the whole network.
   * @param {string} cell */
  const heaviestIn = (cell) => {
    if (!data.courses.length) return [];
    /** @type {string[][]} */
    const rows = [];
    data.mixtures.forEach((mixture, number) => {
      if (cell && data.nodes[mixture.node].cell !== cell) return;
      if (rows.length === MOST_ROWS) return;
      const row = now(data.courses[0]).weights[number];
      const best = row ? heaviest(row) : -1;
      rows.push([place(mixture), candidates(mixture)[best] ?? "", shown(row?.[best])]);
    });
    const caption = `heaviest candidates of ${apart(data.courses[0].name)}`;
    const found = table(caption, ["hole", "candidate", "weight"], rows);
    const more = made("p", "A Cell shows the others.");
    return rows.length === MOST_ROWS && !cell ? [found, more] : [found];
  };

  /** Everything about the network. */
  function aboutNetwork() {
    const { network } = data;
    const found = [
      made("h2", network.name),
      described([
        ["kind", network.kind],
        ["parameters", counted(network.parameters)],
        ["MACs of a sample", counted(network.macs)],
        ["architectures", network.architectures],
      ]),
    ];
    return found;
  }

  /** Everything about a part. @param {string} name */
  function aboutPart(name) {
    const fact = data.nodes[name];
    const rows = /** @type {[string, string][]} */ ([["is", fact.what]]);
    if (fact.shape) rows.push(["shape", fact.shape]);
    if (fact.kind !== "input" && fact.kind !== "output") {
      rows.push(["parameters", counted(fact.parameters)], ["MACs", counted(fact.macs)]);
    }
    for (const slot of fact.slots) {
      const isListed = slot.names.length <= MOST_NAMES;
      rows.push([slot.title, isListed ? slot.names.join(" | ") : `any of ${slot.names.length}`]);
    }
    const found = [made("h2", fact.name), described(rows)];
    const operations = fact.operations.map((place) => data.operations[place]);
    for (const one of operations) found.push(equation(one, operations.length === 1));
    return found;
  }

  /** What a round says of the selected part. */
  function aboutRound() {
    const fact = data.nodes[selected];
    if (!data.courses.length) return [];
    if (!fact) return heaviestIn("");
    if (fact.kind === "cell") return heaviestIn(selected);
    return data.mixtures.flatMap((mixture, number) =>
      mixture.node === selected ? [settled(mixture, number)] : [],
    );
  }

  const describe = () => {
    element("facts").replaceChildren(...(selected ? aboutPart(selected) : aboutNetwork()));
    element("settled").replaceChildren(...aboutRound());
  };

  // Where one is

  /** @param {string} text @param {string} name @param {boolean} isHere */
  const link = (text, name, isHere) => {
    const button = made("button", text);
    button.type = "button";
    button.dataset.part = name;
    if (isHere) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => select(name));
    return button;
  };

  const showPath = () => {
    const fact = data.nodes[selected];
    const names = ["", ...(fact?.cell && fact.cell !== selected ? [fact.cell] : [])];
    if (selected) names.push(selected);
    const items = names.map((name) => {
      const item = made("li");
      const text = name ? data.nodes[name].name : data.network.name;
      item.append(link(text, name, name === selected));
      return item;
    });
    element("path").replaceChildren(...items);
    for (const button of element("tree").querySelectorAll("button")) {
      if (button.dataset.part === selected) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  };

  const plantTree = () => {
    const list = made("ul");
    /** @type {Map<string, HTMLUListElement>} */
    const inside = new Map();
    /** @param {string} text @param {string} name @param {HTMLUListElement} into */
    const add = (text, name, into) => {
      const item = made("li");
      item.append(link(text, name, false));
      into.append(item);
      return item;
    };
    add(data.network.name, "", list);
    for (const [name, fact] of Object.entries(data.nodes)) {
      if (fact.kind !== "cell") continue;
      const steps = made("ul");
      add(fact.name, name, list).append(steps);
      inside.set(name, steps);
    }
    for (const [name, fact] of Object.entries(data.nodes)) {
      const steps = inside.get(fact.cell);
      if (fact.kind === "step" && steps) add(fact.name, name, steps);
    }
    element("tree").append(list);
  };

  /** @param {string} name */
  function select(name) {
    selected = name;
    for (const panel of panels) panel.select();
    showPath();
    describe();
    const fact = data.nodes[name];
    element("said").textContent = fact ? `${fact.name}, ${fact.what}` : data.network.name;
  }

  /** @param {number} place */
  function showRound(place) {
    moment = place;
    slider.value = `${place}`;
    for (const panel of panels) panel.show();
    const text = `${moments[moment]} of ${moments[last]}`;
    element("now").textContent = text;
    slider.setAttribute("aria-valuetext", `round ${text}`);
    element("settled").replaceChildren(...aboutRound());
  }

  // Searches side by side, and their rounds

  const figure = /** @type {HTMLElement} */ (document.querySelector(".panel"));
  const copies = data.courses.slice(1).map(() => /** @type {HTMLElement} */ (figure.cloneNode(true)));
  figure.after(...copies);
  /** @type {Panel[]} */
  const panels = [figure, ...copies].map((one, i) => new Panel(one, data.courses[i] ?? null));
  plantTree();
  select("");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && selected) {
      const fact = data.nodes[selected];
      select(fact.cell && fact.cell !== selected ? fact.cell : "");
    }
  });
  if (data.courses.length) {
    element("course").hidden = false;
    slider.max = `${last}`;
    slider.addEventListener("input", () => showRound(Number(slider.value)));
    const play = element("play");
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      play.textContent = "Play";
    };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (moment === last) showRound(0);
      play.textContent = "Stop";
      timer = window.setInterval(() => (moment < last ? showRound(moment + 1) : stop()), PACE);
    });
    showRound(last);
  }
})();
