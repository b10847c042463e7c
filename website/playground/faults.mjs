/**
 * Where the grammar for CodeMirror cannot read texts: a list of offsets for each, as JSON.
 * Texts come as a JSON list on standard input.
 */
import { readFileSync } from "node:fs";
import { parser } from "./src/fuse.parser.js";

const texts = JSON.parse(readFileSync(0, "utf8"));
const faults = texts.map((text) => {
  const found = [];
  parser.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError) found.push(node.from);
    },
  });
  return found;
});
process.stdout.write(JSON.stringify(faults));
