/** The front end, in a thread of its own: Pyodide, and Fusewright in it. */
// @ts-ignore what esbuild leaves as it is: the file beside this one
import { loadPyodide } from "./pyodide/pyodide.mjs";

const here = new URL(".", self.location.href);

async function started() {
  const [python, packages] = await Promise.all([
    loadPyodide({ indexURL: new URL("pyodide/", here).href }),
    fetch(new URL("python.zip", here)).then((found) => found.arrayBuffer()),
  ]);
  python.FS.writeFile("/python.zip", new Uint8Array(packages));
  python.runPython(`
import sys, zipfile
with zipfile.ZipFile("/python.zip") as packages:
    packages.extractall("/front", [n for n in packages.namelist() if n.startswith("fusewright")])
sys.path[:0] = ["/front", "/python.zip"]
sys.dont_write_bytecode = True
from fusewright.playground import Playground
page = Playground()
`);
  return python.globals.get("page").answer;
}

const ready = started();
ready.then(
  () => postMessage({ ready: true }),
  (fault) => postMessage({ fault: String(fault) }),
);

self.onmessage = async ({ data: { id, question, given } }) => {
  try {
    const answer = (await ready)(question, JSON.stringify(given));
    postMessage({ id, answer: JSON.parse(answer) });
  } catch (fault) {
    postMessage({ id, fault: String(fault) });
  }
};
