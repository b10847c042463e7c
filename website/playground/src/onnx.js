/**
 * What an ONNX file says of itself, read from its bytes: onnxruntime-web tells of inputs and outputs
 * alone. Numbers of fields are those of onnx.proto.
 */

/**
 * The fields of a message: their numbers, with bytes, or numbers where they are that.
 * @param {Uint8Array} bytes
 * @returns {Generator<[number, any]>}
 */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      if (at >= bytes.length || shift > 2 ** 49) throw new Error("the file is cut off, or no ONNX file");
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const kind = key % 8;
    if (kind === 0) yield [Math.floor(key / 8), varint()];
    else {
      const length = kind === 2 ? varint() : { 1: 8, 5: 4 }[kind];
      if (length === undefined || at + length > bytes.length) throw new Error("the file is cut off, or no ONNX file");
      yield [Math.floor(key / 8), bytes.subarray(at, at + length)];
      at += length;
    }
  }
}

const decoder = new TextDecoder();
const text = (/** @type {Uint8Array} */ bytes) => decoder.decode(bytes);
const all = (/** @type {Uint8Array} */ bytes, /** @type {number} */ number) =>
  [...fields(bytes)].filter(([n]) => n === number).map(([, value]) => value);
const one = (/** @type {Uint8Array} */ bytes, /** @type {number} */ number) => all(bytes, number)[0];
const named = (/** @type {Uint8Array | undefined} */ bytes) => (bytes ? text(bytes) : "");

/**
 * The network of a model: its metadata, its features, its Cells with what their equations say.
 * @param {Uint8Array} model
 */
export function read(model) {
  const graph = one(model, 7);
  if (!(graph instanceof Uint8Array)) throw new Error("this is no ONNX file");
  const metadata = Object.fromEntries(all(model, 14).map((entry) => [named(one(entry, 1)), named(one(entry, 2))]));
  const functions = new Map(
    all(model, 25).map((f) => [named(one(f, 1)), { name: named(one(f, 1)), says: named(one(f, 8)) }]),
  );
  const held = new Set(all(graph, 5).map((tensor) => named(one(tensor, 8))));
  const inputs = all(graph, 11).map(input).filter(({ name }) => !held.has(name));
  const cells = all(graph, 1)
    .map((node) => ({ calls: named(one(node, 4)), gives: all(node, 2).map(text) }))
    .filter(({ calls }) => functions.has(calls))
    .map(({ calls, gives }) => ({ ...functions.get(calls), name: calls, output: gives[0] }));
  const steps = [...functions.values()].filter(({ name }) => !cells.some((cell) => cell.name === name));
  return { metadata, inputs, cells, steps };
}

/** @param {Uint8Array} value */
function input(value) {
  const tensor = one(one(value, 2) ?? new Uint8Array(), 1) ?? new Uint8Array();
  const shape = one(tensor, 2) ?? new Uint8Array();
  const axes = all(shape, 1).map((axis) => one(axis, 1) ?? named(one(axis, 2)));
  return { name: named(one(value, 1)), type: Number(one(tensor, 1) ?? 0), axes };
}

/** @param {number} number @param {Uint8Array} bytes */
function field(number, bytes) {
  const length = [];
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest % 128 | (rest >= 128 ? 128 : 0));
    if (rest < 128) break;
  }
  return Uint8Array.of(...[number * 8 + 2], ...length, ...bytes);
}

/**
 * The model with further values of its graph as outputs. A message that stands twice is merged, so
 * that a second graph which has these outputs alone is written behind the first.
 * @param {Uint8Array} model
 * @param {string[]} values
 */
export function withOutputs(model, values) {
  const outputs = values.map((value) => field(12, field(1, new TextEncoder().encode(value))));
  const more = field(7, Uint8Array.from(outputs.flatMap((output) => [...output])));
  const whole = new Uint8Array(model.length + more.length);
  whole.set(model);
  whole.set(more, model.length);
  return whole;
}
