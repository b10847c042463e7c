import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";
import { element, markdown } from "./dom.js";
import { fuse } from "./language.js";

const colours = HighlightStyle.define([
  { tag: t.keyword, class: "c-keyword" },
  { tag: t.lineComment, class: "c-comment" },
  { tag: [t.string, t.number, t.literal], class: "c-value" },
  { tag: [t.definition(t.typeName), t.definition(t.variableName)], class: "c-declared" },
  { tag: [t.function(t.variableName), t.definition(t.function(t.variableName))], class: "c-operation" },
  { tag: [t.propertyName, t.namespace], class: "c-word" },
  { tag: t.atom, class: "c-hole" },
]);
const kinds = /** @type {Record<string, string>} */ ({
  Field: "property", Class: "class", Method: "method", Variable: "variable", Module: "namespace",
  Constant: "constant", Keyword: "keyword", Function: "function", Property: "property",
  Interface: "interface",
});

/**
 * The editor: what is typed is told to `changed`; completion and hover are asked of `thread`.
 * @param {HTMLElement} parent
 * @param {import("./thread.js").Thread} thread
 * @param {(text: string) => void} changed
 */
export function editor(parent, thread, changed) {
  /** @param {import("@codemirror/autocomplete").CompletionContext} context */
  async function complete(context) {
    const before = context.matchBefore(/[\w`]+|[ .([{,=|@]/);
    if (!context.explicit && !before) return null;
    if (!context.explicit && before && /^\s$/.test(before.text)) return null;
    const found = await thread.ask("complete", [context.state.doc.toString(), context.pos]);
    if (context.aborted || !found.choices?.length) return null;
    return {
      from: found.start,
      validFor: /^[\w`]*$/,
      options: found.choices.map((/** @type {any} */ c) => ({
        label: c.label,
        apply: c.text,
        detail: c.detail,
        type: kinds[c.kind],
        ...(c.documentation && { info: () => element("div", {}, markdown(c.documentation)) }),
      })),
    };
  }

  const hover = hoverTooltip(async (view, place) => {
    const found = await thread.ask("hover", [place]);
    if (!found || found.wrong || found.to > view.state.doc.length) return null;
    return {
      pos: found.from,
      end: found.to,
      create: () => ({ dom: element("div", { class: "said" }, markdown(found.markdown)) }),
    };
  });

  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), indentOnInput(),
        bracketMatching(), closeBrackets(), highlightActiveLine(), highlightSelectionMatches(),
        fuse(), syntaxHighlighting(colours), hover,
        autocompletion({ override: [complete], activateOnTyping: true }),
        keymap.of([
          ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap,
          ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab,
        ]),
        EditorView.contentAttributes.of({ "aria-label": "specification" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  view.scrollDOM.tabIndex = 0; // what can be scrolled can be reached by keys
  return view;
}

/**
 * Shows diagnostics at their places; one whose remedy is an edit has a button for it.
 * @param {EditorView} view
 * @param {any[]} diagnostics
 */
export function mark(view, diagnostics) {
  const length = view.state.doc.length;
  const marks = diagnostics.map((d) => ({
    from: Math.min(d.from, length),
    to: Math.min(d.to, length),
    severity: d.severity,
    source: d.code,
    message: [d.message, ...(d.help ? [`help: ${d.help}`] : [])].join("\n"),
    actions: d.edits.length ? [{ name: d.help || "mend", apply: () => repair(view, d.edits) }] : [],
  }));
  view.dispatch(setDiagnostics(view.state, marks));
}

/**
 * @param {EditorView} view
 * @param {{from: number, to: number, text: string}[]} edits
 */
export function repair(view, edits) {
  view.dispatch({ changes: edits.map((e) => ({ from: e.from, to: e.to, insert: e.text })) });
  view.focus();
}

/**
 * @param {EditorView} view
 * @param {string} text
 */
export function replace(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}
