/** Arrays in the files of numpy: `.npy`, and `.npz`, which is a ZIP archive of them. */

/** @typedef {{shape: number[], values: ArrayLike<number> | string[]}} Array_ */
const KINDS = /** @type {Record<string, any>} */ ({
  "<f4": Float32Array, "<f8": Float64Array, "|i1": Int8Array, "|u1": Uint8Array, "<i2": Int16Array,
  "<u2": Uint16Array, "<i4": Int32Array, "<u4": Uint32Array, "<i8": BigInt64Array,
  "<u8": BigUint64Array, "|b1": Uint8Array,
});

/**
 * The array of a `.npy` file; throws an Error that says what is wrong.
 * @param {Uint8Array} bytes
 * @returns {Array_}
 */
export function npy(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || bytes[0] !== 0x93 || String.fromCharCode(...bytes.subarray(1, 6)) !== "NUMPY") {
    throw new Error("it is no array of numpy");
  }
  const begins = bytes[6] === 1 ? 10 : 12;
  const length = bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder("latin1").decode(bytes.subarray(begins, begins + length));
  const kind = /'descr': '([^']+)'/.exec(header)?.[1] ?? "";
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").filter((n) => n.trim()).map(Number);
  if (/'fortran_order': True/.test(header)) throw new Error("its axes are in Fortran's order: save it with np.ascontiguousarray");
  const size = shape.reduce((a, b) => a * b, 1);
  const content = bytes.slice(begins + length);
  const letters = /^<U(\d+)$/.exec(kind);
  if (letters) return { shape, values: words(content, Number(letters[1]), size) };
  const Kind = KINDS[kind];
  if (!Kind) throw new Error(`its numbers are of type ${kind || "unknown"}, which is not read here`);
  if (content.length < size * Kind.BYTES_PER_ELEMENT) throw new Error("it is cut off");
  const values = new Kind(content.buffer, 0, size);
  return { shape, values: typeof values[0] === "bigint" ? Float64Array.from(values, Number) : values };
}

/** @param {Uint8Array} content @param {number} length @param {number} size */
function words(content, length, size) {
  const codes = new Uint32Array(content.buffer, 0, length * size);
  const word = (/** @type {number} */ at) => String.fromCodePoint(...codes.subarray(at * length, (at + 1) * length)).replace(/\0+$/, "");
  return Array.from({ length: size }, (_, at) => word(at));
}

/**
 * The arrays of a `.npz` file by their names.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Record<string, Array_>>}
 */
export async function npz(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error("it is no .npz file");
  /** @type {Record<string, Array_>} */
  const arrays = {};
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left; left--) {
    const [method, packed, nameLength] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint16(at + 28, true)];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const local = view.getUint32(at + 42, true);
    const begins = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const content = bytes.slice(begins, begins + packed);
    arrays[name.replace(/\.npy$/, "")] = npy(method === 8 ? await inflated(content) : content);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return arrays;
}

/** @param {Uint8Array<ArrayBuffer>} content */
async function inflated(content) {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
