/** Lays pictures out, in a thread of its own: Graphviz, compiled to WebAssembly. */
import { instance } from "@viz-js/viz";

const ready = instance();

self.onmessage = async ({ data: { id, given } }) => {
  try {
    postMessage({ id, answer: (await ready).renderString(given, { format: "svg" }) });
  } catch (fault) {
    postMessage({ id, fault: String(fault) });
  }
};
