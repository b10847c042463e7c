"use strict";

const { ColorThemeKind, ViewColumn, window } = require("vscode");

const PAUSE = 200;
const DARK = [ColorThemeKind.Dark, ColorThemeKind.HighContrast];

/** The diagram beside the text, with what stands at the cursor marked in it. */
class Panel {
  /** @param ask what the language server is asked for a picture */
  constructor(ask) {
    this.ask = ask;
    this.panel = undefined;
    this.pause = undefined;
  }

  open() {
    if (this.panel) return this.panel.reveal(ViewColumn.Beside, true);
    const beside = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    this.panel = window.createWebviewPanel("fuse.diagram", "Diagram", beside, { enableScripts: true });
    this.panel.onDidDispose(() => (this.panel = undefined));
    this.panel.webview.html = page();
    this.follow(window.activeTextEditor);
  }

  /** Shows the diagram of an editor's text after a pause in typing. */
  follow(editor) {
    if (!this.panel || editor?.document.languageId !== "fuse") return;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.show(editor), PAUSE);
  }

  async show(editor) {
    const { line, character } = editor.selection.active;
    try {
      const found = await this.ask({
        textDocument: { uri: editor.document.uri.toString() },
        position: { line, character },
        dark: DARK.includes(window.activeColorTheme.kind),
      });
      this.panel?.webview.postMessage(found);
    } catch (fault) {
      this.panel?.webview.postMessage({ fault: String(fault.message ?? fault) });
    }
  }
}

/** The page, which may run its own script alone and fetches nothing. */
function page() {
  const nonce = Array.from({ length: 32 }, () => Math.floor(Math.random() * 36).toString(36)).join("");
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <style nonce="${nonce}">
      svg { max-width: 100%; height: auto; }
      .stale { opacity: 0.45; }
      .here > :is(path, polygon), .here > g > a > :is(path, polygon) { stroke-width: 3; }
    </style>
  </head>
  <body>
    <p id="told" role="status"></p>
    <div id="picture"></div>
    <script nonce="${nonce}">(${shown})();</script>
  </body>
</html>`;
}

/** Runs in the page. */
function shown() {
  const picture = document.getElementById("picture");
  const told = document.getElementById("told");
  let drawn = "";
  window.addEventListener("message", ({ data }) => {
    told.textContent = data.fault ?? (data.svg ? "" : "The specification has errors; this is its last diagram.");
    picture.classList.toggle("stale", !data.svg);
    if (!data.svg) return;
    if (data.svg !== drawn) {
      drawn = data.svg;
      const svg = new DOMParser().parseFromString(drawn, "image/svg+xml").documentElement;
      picture.replaceChildren(document.importNode(svg, true));
    }
    const groups = [...picture.querySelectorAll("g")];
    for (const group of groups) {
      const title = [...group.children].find((child) => child.tagName === "title");
      group.classList.toggle("here", data.at.includes(title?.textContent));
    }
    groups.find((group) => group.classList.contains("here"))?.scrollIntoView({ block: "nearest" });
  });
}

module.exports = { Panel, page };
