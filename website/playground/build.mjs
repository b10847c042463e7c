/** Builds the playground: node build.mjs SOURCES.zip EXAMPLES OUT */
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildParserFile } from "@lezer/generator";
import { build } from "esbuild";
import { loadPyodide } from "pyodide";

const [sources, examples, out] = process.argv.slice(2).map((path) => resolve(path));
const modules = join(import.meta.dirname, "node_modules");
rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "pyodide"), { recursive: true });

// What is typed and drawn
const grammar = readFileSync(join(import.meta.dirname, "src/fuse.grammar"), "utf8");
const { parser } = buildParserFile(grammar, { fileName: "fuse.grammar", includeNames: true });
writeFileSync(join(import.meta.dirname, "src/fuse.parser.js"), `// @ts-nocheck\n${parser}`);
const texts = Object.fromEntries(
  readdirSync(examples)
    .filter((name) => name.endsWith(".fuse"))
    .sort()
    .map((name) => [name.replace(".fuse", ""), readFileSync(join(examples, name), "utf8")]),
);
writeFileSync(join(import.meta.dirname, "src/examples.json"), JSON.stringify(texts));
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ["main", "worker", "layout", "predict"].map((name) => `src/${name}.js`),
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  external: ["./pyodide/pyodide.mjs", "./onnxruntime/ort.wasm.min.mjs"],
  legalComments: "linked",
  logLevel: "warning",
});
cpSync(join(import.meta.dirname, "playground.css"), join(out, "playground.css"));

// Pages, whose bodies stand in files of their own; ONNX Runtime starts its worker from a blob
const pages = {
  index: { title: "Playground", script: "main", workers: "'self'" },
  predict: { title: "Predict", script: "predict", workers: "'self' blob:" },
};
const template = readFileSync(join(import.meta.dirname, "page.html"), "utf8");
for (const [name, about] of Object.entries(pages)) {
  const body = readFileSync(join(import.meta.dirname, `${name}.html`), "utf8");
  const parts = Object.entries({ ...about, body });
  const page = parts.reduce((text, [part, said]) => text.replace(`{${part}}`, () => said), template);
  writeFileSync(join(out, `${name}.html`), page);
}

// What is compiled: Python's own files, and Fusewright's
for (const name of ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]) {
  cpSync(join(modules, "pyodide", name), join(out, "pyodide", name));
}
mkdirSync(join(out, "onnxruntime"));
for (const name of ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) {
  cpSync(join(modules, "onnxruntime-web/dist", name), join(out, "onnxruntime", name));
}
const python = await loadPyodide();
python.FS.writeFile("/sources.zip", new Uint8Array(readFileSync(sources)));
python.runPython(readFileSync(join(import.meta.dirname, "compile.py"), "utf8"));
writeFileSync(join(out, "python.zip"), python.FS.readFile("/python.zip"));
