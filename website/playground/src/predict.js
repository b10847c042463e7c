/** Predicts with an exported ONNX file, and shows what its Cells give for a sample. */
// @ts-ignore what esbuild leaves as it is: the file beside this one
import * as ort from "./onnxruntime/ort.wasm.min.mjs";
import { npy, npz } from "./arrays.js";
import { by, element } from "./dom.js";
import { read, withOutputs } from "./onnx.js";
import { themed } from "./theme.js";

const FLOAT = 1;
const BATCH = 64;
const MOST_SHOWN = 200;
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("onnxruntime/", document.baseURI).href;

/** @type {{session: any, about: ReturnType<typeof read>} | null} */
let model = null;
/** @type {Record<string, import("./arrays.js").Array_>} */
let arrays = {};
/** @type {{rows: any[], cells: Record<string, {dims: number[], values: Float32Array}>}} */
let found = { rows: [], cells: {} };

/** @param {FileList | File[]} files */
async function take(files) {
  for (const file of files) {
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (file.name.endsWith(".onnx")) await open(file.name, bytes);
      else if (file.name.endsWith(".npz")) arrays = { ...arrays, ...(await npz(bytes)) };
      else if (file.name.endsWith(".npy")) arrays[file.name.replace(/\.npy$/, "")] = npy(bytes);
      else throw new Error("drop a .onnx file, and features as .npz or .npy");
      say("");
    } catch (fault) {
      say(`${file.name}: ${fault instanceof Error ? fault.message : fault}`);
      return;
    }
  }
  await predict();
}

/** @param {string} text */
const say = (text) => (by("told").textContent = text);

/** @param {string} name @param {Uint8Array} bytes */
async function open(name, bytes) {
  const about = read(bytes);
  const whole = withOutputs(bytes, about.cells.map((cell) => cell.output));
  const session = await ort.InferenceSession.create(whole, { executionProviders: ["wasm"] });
  model = { session, about };
  const spec = about.metadata["fusewright.spec"] ?? "";
  by("about").textContent = spec || `${name} holds no specification: it was not written by Fusewright.`;
  by("inputs").replaceChildren(
    ...about.inputs.map((i) => element("li", {}, element("code", {}, `${i.name}(${i.axes.join(", ")})`))),
  );
  by("cells").replaceChildren(...[...about.cells, ...about.steps].map((f) => element("li", {}, element("b", {}, f.name), " ", element("code", {}, f.says ?? ""))));
  by("model").hidden = false;
}

/** The features that the model wants of the samples from one place to another. */
function feeds(/** @type {number} */ begin, /** @type {number} */ end) {
  /** @type {Record<string, any>} */
  const given = {};
  for (const { name, type } of model?.about.inputs ?? []) {
    if (type !== FLOAT || !(name in arrays)) continue;
    const { shape, values } = arrays[name];
    const each = shape.slice(1).reduce((a, b) => a * b, 1);
    const part = Float32Array.from(/** @type {ArrayLike<number>} */ (values).length ? Array.prototype.slice.call(values, begin * each, end * each) : []);
    given[name] = new ort.Tensor("float32", part, [end - begin, ...shape.slice(1)]);
  }
  return given;
}

async function predict() {
  if (!model) return;
  const wanted = model.about.inputs.filter((i) => i.type === FLOAT && !i.name.includes("."));
  const missing = wanted.filter((i) => !(i.name in arrays)).map((i) => i.name);
  if (missing.length) {
    say(`Features that are still missing: ${missing.join(", ")}`);
    return;
  }
  const counts = new Set(wanted.map((i) => arrays[i.name].shape[0]));
  if (counts.size !== 1) {
    say(`Features differ in how many samples they have: ${[...counts].join(", ")}`);
    return;
  }
  const [count] = counts;
  const heads = model.session.outputNames.filter((/** @type {string} */ n) => /\.(logits|probabilities)$/.test(n));
  if (heads.length) {
    say(`The model has heads of their own names (${heads.join(", ")}), which this page does not show: use fusewright predict.`);
    return;
  }
  const classes = names(model.about.metadata["fusewright.classes"]);
  found = { rows: [], cells: {} };
  try {
    for (let begin = 0; begin < count; begin += BATCH) collect(begin, await model.session.run(feeds(begin, Math.min(count, begin + BATCH))), classes);
  } catch (fault) {
    say(`The model does not take these features: ${fault instanceof Error ? fault.message : fault}`);
    return;
  }
  show();
}

/** @param {string | undefined} json @returns {string[]} */
function names(json) {
  try {
    const list = JSON.parse(json ?? "[]");
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {number} begin @param {any} results @param {string[]} classes */
function collect(begin, results, classes) {
  const [first] = model?.session.outputNames ?? [];
  const { dims, data } = results[first];
  for (let row = 0; row < dims[0]; row++) {
    const logits = Array.from(data.subarray(row * dims[1], (row + 1) * dims[1]), Number);
    found.rows.push({ sample: begin + row, logits, ...meaning(logits, classes), label: labelOf(begin + row, classes) });
  }
  for (const cell of model?.about.cells ?? []) {
    const value = results[cell.output];
    const before = found.cells[cell.name]?.values ?? new Float32Array();
    const values = new Float32Array(before.length + value.data.length);
    values.set(before);
    values.set(value.data, before.length);
    found.cells[cell.name] = { dims: value.dims.slice(1), values };
  }
}

/**
 * What logits say: the likeliest class with its share, the labels that are likelier than not, or the
 * values themselves.
 * @param {number[]} logits
 * @param {string[]} classes
 */
function meaning(logits, classes) {
  const named = (/** @type {number} */ place) => classes[place] ?? String(place);
  switch (/\bpredict\s+\w+\s+(\w+)/.exec(model?.about.metadata["fusewright.spec"] ?? "")?.[1]) {
    case "labels":
      return { name: logits.flatMap((x, place) => (x > 0 ? [named(place)] : [])).join(", ") || "none", share: "" };
    case "values":
      return { name: logits.map((x) => x.toPrecision(5)).join(", "), share: "" };
    default: {
      const most = logits.indexOf(Math.max(...logits));
      const sum = logits.reduce((total, x) => total + Math.exp(x - logits[most]), 0);
      return { name: named(most), share: (1 / sum).toFixed(3) };
    }
  }
}

/** @param {number} sample @param {string[]} classes */
function labelOf(sample, classes) {
  const { shape, values } = arrays.labels ?? { shape: [], values: [] };
  if (shape.length !== 1) return "";
  const label = values[sample];
  return typeof label === "number" ? (classes[label] ?? String(label)) : String(label ?? "");
}

function show() {
  const known = found.rows.filter((r) => r.label !== "");
  const right = known.filter((r) => r.label === r.name).length;
  const score = known.length ? `; ${right} of ${known.length} are as their labels say (${((100 * right) / known.length).toFixed(1)} %)` : "";
  by("score").textContent = `${found.rows.length} samples${score}`;
  const rows = found.rows.slice(0, MOST_SHOWN).map((r) => {
    const pick = element("button", { type: "button" }, String(r.sample));
    pick.onclick = () => look(r.sample);
    return element("tr", {}, element("td", {}, pick), element("td", {}, r.name), element("td", { class: "number" }, r.share), element("td", {}, r.label));
  });
  const head = element("tr", {}, ...["sample", "predicted", "softmax", "label"].map((name) => element("th", { scope: "col" }, name)));
  by("predictions").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
  by("results").hidden = false;
  look(0);
}

/**
 * What each Cell gives for a sample, as a picture: a row for each of its L, a column for each channel.
 * @param {number} sample
 */
function look(sample) {
  by("looked").textContent = `What the Cells give for sample ${sample}: rows are positions, columns are channels; orange is positive, blue negative.`;
  by("values").replaceChildren(
    ...Object.entries(found.cells).map(([name, { dims, values }]) => {
      const size = dims.reduce((a, b) => a * b, 1);
      const own = values.subarray(sample * size, (sample + 1) * size);
      const most = Math.max(1e-12, ...own.map(Math.abs));
      return element("figure", {}, drawn(own, dims, most, name), element("figcaption", {}, `${name}: ${dims.join(" × ")}, at most ${most.toPrecision(3)}`));
    }),
  );
}

/** @param {Float32Array} own @param {number[]} dims @param {number} most @param {string} name */
function drawn(own, dims, most, name) {
  const [height, width] = dims.length === 2 ? dims : [1, own.length];
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { width: String(width), height: String(height), role: "img", "aria-label": `what ${name} gives` }));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const picture = context.createImageData(width, height);
  own.forEach((value, at) => {
    const part = value / most;
    const [r, g, b] = part > 0 ? [213, 94, 0] : [0, 114, 178];
    picture.data.set([r, g, b].map((c) => 255 - (255 - c) * Math.abs(part)).concat(255), 4 * at);
  });
  context.putImageData(picture, 0, 0);
  return canvas;
}

function save() {
  const line = (/** @type {any} */ r) => [r.sample, JSON.stringify(r.name), r.share, JSON.stringify(r.label), ...r.logits].join(",");
  const made = new Blob([["sample,predicted,softmax,label,logits…", ...found.rows.map(line)].join("\n")], { type: "text/csv" });
  element("a", { href: URL.createObjectURL(made), download: "predictions.csv" }).click();
}

by("files").onchange = () => take(by("files").files);
by("save").onclick = save;
document.body.ondragover = (event) => event.preventDefault();
document.body.ondrop = (event) => {
  event.preventDefault();
  if (event.dataTransfer) take(event.dataTransfer.files);
};
themed(by("theme"), () => {});
