"use strict";

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");
const { Panel } = require("./panel.js");

let client;

/** Starts the language server, `fusewright lsp` unless the setting `fuse.server` says otherwise. */
async function activate(context) {
  const [command, ...args] = workspace.getConfiguration("fuse").get("server");
  const documentSelector = [{ language: "fuse" }];
  client = new LanguageClient("fuse", "Fuse", { command, args }, { documentSelector });
  const panel = new Panel((given) => client.sendRequest("fusewright/diagram", given));
  context.subscriptions.push(
    commands.registerCommand("fuse.diagram", () => panel.open()),
    window.onDidChangeTextEditorSelection(({ textEditor }) => panel.follow(textEditor)),
    window.onDidChangeActiveColorTheme(() => panel.follow(window.activeTextEditor)),
    workspace.onDidChangeTextDocument(() => panel.follow(window.activeTextEditor)),
  );
  await client.start();
}

/** Stops the server that `activate` started. */
function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
