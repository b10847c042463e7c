/** The playground: a specification on the left, what it means on the right. */
import written from "./examples.json";
import { by, element, inline, markdown } from "./dom.js";
import { editor, mark, repair, replace } from "./editor.js";
import { packed, unpacked } from "./link.js";
import { dark, themed } from "./theme.js";
import { Thread } from "./thread.js";

const FIRST = "mmimdb1";
const examples = /** @type {Record<string, string>} */ (written);
const PAUSE = 120;
const front = new Thread("worker.js");
const graphviz = new Thread("layout.js");
const view = editor(by("editor"), front, changed);
let wanted = "";
let asking = false;
let wrong = true;
/** @type {number | undefined} */
let pause;

/** @param {string} text */
function changed(text) {
  wanted = text;
  performance.mark("typed");
  if (!asking) diagnose();
}

/** Diagnoses the newest text; texts that were typed over meanwhile are left out. */
async function diagnose() {
  asking = true;
  const text = wanted;
  const since = performance.now();
  const found = await front.ask("diagnose", [text]);
  asking = false;
  performance.measure("diagnostics", { start: since });
  if (text !== wanted) {
    diagnose();
    return;
  }
  wrong = found.some((/** @type {any} */ d) => d.severity === "error");
  mark(view, found);
  list(found);
  performance.measure("keystroke", "typed");
  clearTimeout(pause);
  pause = setTimeout(show, PAUSE);
}

/** @param {any[]} found */
function list(found) {
  const errors = found.filter((d) => d.severity === "error").length;
  const warnings = found.length - errors;
  const counted = (/** @type {number} */ n, /** @type {string} */ what) => `${n || "no"} ${what}${n === 1 ? "" : "s"}`;
  by("count").textContent = counted(errors, "error") + (warnings ? `, ${counted(warnings, "warning")}` : "");
  by("problems").replaceChildren(...found.map(problem));
}

/** @param {any} d */
function problem(d) {
  const place = element("button", { type: "button", class: "place" }, d.line ? `${d.line}:${d.column}` : "–");
  place.onclick = () => {
    view.dispatch({ selection: { anchor: d.from, head: d.to }, scrollIntoView: true });
    view.focus();
  };
  const code = element("button", { type: "button", class: `code ${d.severity}` }, d.code);
  code.onclick = async () => said((await front.ask("explain", [d.code])).markdown);
  const row = element("li", {}, place, code, element("span", {}, ...inline(d.message)));
  if (d.help) row.append(element("span", { class: "help" }, ...inline(`help: ${d.help}`)));
  if (d.edits.length) {
    const mend = element("button", { type: "button" }, "mend");
    mend.onclick = () => repair(view, d.edits);
    row.append(mend);
  }
  return row;
}

/** @param {string} text */
function said(text) {
  by("explanation").replaceChildren(markdown(text));
  by("said").showModal();
}

// What it means: the tab that is open, redrawn after each pause in typing

const tabs = /** @type {Record<string, () => Promise<void>>} */ ({ diagram, size, equations, code });
let open = "diagram";

/** @param {string} name */
function choose(name) {
  open = name;
  for (const tab of Object.keys(tabs)) {
    by(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
    by(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    by(tab).hidden = tab !== name;
  }
  show();
}

async function show() {
  by(open).classList.toggle("stale", wrong);
  if (!wrong) await tabs[open]();
}

async function diagram() {
  const text = wanted;
  const since = performance.now();
  const drawn = await front.ask("diagram", [dark() ? "dark" : "screen", by("compact").checked]);
  if (drawn.wrong) return;
  const svg = await graphviz.ask("layout", drawn.dot);
  const picture = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", "diagram of the network");
  if (text === wanted) by("picture").replaceChildren(document.importNode(picture, true));
  performance.measure("diagram", { start: since });
}

async function size() {
  const found = await front.ask("describe", []);
  if (!found.wrong) by("facts").textContent = found.text;
}

async function equations() {
  const found = await front.ask("equations", []);
  if (found.wrong) return;
  const rows = found.map((/** @type {any} */ o) => {
    const shown = new DOMParser().parseFromString(o.mathml, "text/html").body.firstChild;
    const number = (/** @type {any} */ n) => element("td", { class: "number" }, n === null ? "not known" : n.toLocaleString("en"));
    return element("tr", {}, element("td", {}, document.importNode(/** @type {Node} */ (shown), true)), number(o.parameters), number(o.macs));
  });
  const head = element("tr", {}, ...["equation", "parameters", "multiply-adds"].map((name) => element("th", { scope: "col" }, name)));
  by("rows").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

async function code() {
  const found = await front.ask("code", []);
  by("python").textContent = found.python ?? found.wrong.map((/** @type {any} */ d) => `# ${d.message}\n# ${d.help}`).join("\n");
  by("save").hidden = !found.python;
}

// The bar above

function save() {
  const made = new Blob([by("python").textContent], { type: "text/x-python" });
  const link = element("a", { href: URL.createObjectURL(made), download: "network.py" });
  link.click();
}

async function copy() {
  location.replace(await packed(wanted));
  try {
    await navigator.clipboard.writeText(location.href);
    by("told").textContent = "The link is copied; it holds the whole specification.";
  } catch {
    by("told").textContent = "The address of this page holds the specification now.";
  }
}

async function format() {
  const found = await front.ask("format", [wanted]);
  if (found.text !== undefined && found.text !== wanted) replace(view, found.text);
}

function prepare() {
  for (const name of Object.keys(examples)) by("examples").append(element("option", { value: name }, name));
  by("examples").onchange = () => replace(view, examples[by("examples").value]);
  by("format").onclick = format;
  by("link").onclick = copy;
  by("save").onclick = save;
  by("compact").onchange = show;
  for (const name of Object.keys(tabs)) by(`tab-${name}`).onclick = () => choose(name);
  by("tabs").onkeydown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const names = Object.keys(tabs);
    choose(names[(names.indexOf(open) + step + names.length) % names.length]);
    by(`tab-${open}`).focus();
  };
  themed(by("theme"), show);
}

async function begin() {
  prepare();
  const given = await unpacked(location.hash);
  by("examples").value = given === null ? FIRST : "";
  replace(view, given ?? examples[FIRST]);
  try {
    await front.ready;
    by("told").textContent = "";
    performance.mark("ready");
  } catch (fault) {
    by("told").textContent = `The front end did not start: ${fault}`;
  }
}

window.addEventListener("hashchange", async () => {
  const given = await unpacked(location.hash);
  if (given !== null && given !== wanted) replace(view, given);
});
Object.assign(window, { fusewright: { view, ask: front.ask.bind(front) } });  // for whoever looks from outside
begin();
