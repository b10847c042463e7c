"""How long the language server takes to answer on a text of 1,000 lines.

`python -m benchmarks.language_server`: median and longest of each answer, in milliseconds, through
a client on its standard input and output: with nothing to do beside it, directly after an edit,
and while an examination runs in its other thread.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from tests.support.language_client import Client, long_text, serve

from fusewright.lsp.server import PAUSE

from .machine import machine

LINES = 1000
DURING_EXAMINATION = PAUSE + 0.01
"""Seconds after an edit at which the server examines the text."""


def requests(client: Client) -> dict[str, Callable[[], Any]]:
    """What an editor asks for, by its name in the protocol."""
    document = {"textDocument": {"uri": client.uri}}
    whole = {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": LINES, "character": 0}},
        "context": {"diagnostics": []},
    }
    options = {"options": {"tabSize": 2, "insertSpaces": True}}
    return {
        "hover": lambda: client.at("hover", "A150(|F150"),
        "completion": lambda: client.at("completion", "A150(F150, |"),
        "definition": lambda: client.at("definition", "A150(|F150"),
        "references": lambda: client.at(
            "references", "A150(|F150", context={"includeDeclaration": True}
        ),
        "documentSymbol": lambda: client.request("textDocument/documentSymbol", document),
        "codeAction": lambda: client.request("textDocument/codeAction", {**document, **whole}),
        "formatting": lambda: client.request("textDocument/formatting", {**document, **options}),
        "prepareRename": lambda: client.at("prepareRename", "cell |A150("),
        "rename": lambda: client.at("rename", "cell |A150(", newName="Other"),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repetitions", type=int, default=20)
    repetitions = arguments.parse_args().repetitions
    text = long_text(LINES)
    situations = {"at rest": None, "after an edit": 0.0, "examining": DURING_EXAMINATION}
    with tempfile.TemporaryDirectory() as folder:
        for client in serve(Path(folder, "a.fuse"), "-m", "fusewright.lsp"):
            start = perf_counter()
            client.open(text)
            opened = 1000 * (perf_counter() - start)
            print(machine("pygls"))
            print(f"first diagnostics of {LINES:,} lines: {opened:.0f} ms")
            print(f"{'':<16}" + "".join(f"{name:>20}" for name in situations))
            for name, ask in requests(client).items():
                shown = [f"{name:<16}"]
                for pause in situations.values():
                    taken = [_timed(client, text, ask, pause, n) for n in range(repetitions)]
                    shown.append(f"{median(taken):>10.1f}{max(taken):>10.1f}")
                print("".join(shown))


def _timed(
    client: Client, text: str, ask: Callable[[], Any], pause: float | None, number: int
) -> float:
    """Milliseconds of one answer, `pause` after an edit or with no edit before it.

    Before and after it the server has nothing to do.
    """
    if pause is not None:
        client.change(text + "# edited\n" * (1 + number % 2))
        sleep(pause)
    start = perf_counter()
    ask()
    taken = 1000 * (perf_counter() - start)
    client.diagnostics()
    return taken


if __name__ == "__main__":
    main()
