"use strict";

const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** Starts the language server, `fusewright lsp` unless the setting `fuse.server` says otherwise. */
async function activate() {
  const [command, ...args] = workspace.getConfiguration("fuse").get("server");
  const documentSelector = [{ language: "fuse" }];
  client = new LanguageClient("fuse", "Fuse", { command, args }, { documentSelector });
  await client.start();
}

/** Stops the server that `activate` started. */
function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
