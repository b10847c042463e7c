import {
  LRLanguage,
  LanguageSupport,
  continuedIndent,
  delimitedIndent,
  foldInside,
  foldNodeProp,
  indentNodeProp,
} from "@codemirror/language";
import { parser } from "./fuse.parser.js";

const blocks = "FeatureBody CellBody Block";
const language = LRLanguage.define({
  name: "fuse",
  parser: parser.configure({
    props: [
      indentNodeProp.add({
        [blocks]: delimitedIndent({ closing: "}" }),
        "Pool Output Op Role": continuedIndent(),
      }),
      foldNodeProp.add({ [blocks]: foldInside }),
    ],
  }),
  languageData: {
    commentTokens: { line: "#" },
    closeBrackets: { brackets: ["(", "[", "{", '"', "`"] },
    indentOnInput: /^\s*\}$/,
  },
});

/** Fuse for CodeMirror: highlighting, folding, indents. */
export const fuse = () => new LanguageSupport(language);
