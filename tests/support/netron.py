"""Opens ONNX files in Netron, in headless Chromium.

`python -m tests.support.netron docs/images/netron.png`: the genotype of NTU 1 as Netron draws
it, beside its first Cell. A font with `〈` and `〉` is needed, such as Debian's
`fonts-wqy-microhei`.

NOTE: Chromium takes its picture, or prints the page, once the page has loaded; Netron only starts
to read a model then. So the page opened here holds Netron in a frame, watches it from outside, and
has an image that the server sends only after `/drawn` was asked for.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import re
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Any

import onnx
from PIL import Image

import fusewright as fw

from .browser import FLAGS, ONLY_HERE, chromium
from .paths import EXAMPLES

EXAMPLE = EXAMPLES / "ntu1_genotype.fuse"
WATCHER = Path(__file__).with_name("netron.html")
SECONDS = 60
HEIGHT = 780
SCALE = 2
LINE = 2
COLOURS = 64
CONSENT = "consent=1; path=/"
DATED = re.compile(r'<meta name="(?:version|date)"[^>]*>')
"""With them, Netron sends statistics, and refuses to open a model half a year after its release."""
REPORT = re.compile(r'<pre id="(shown|failed)">(.*?)</pre>', re.DOTALL)


def front_end() -> Path | None:
    """The folder of Netron's page in its Python package."""
    found = find_spec("netron")
    return Path(found.origin).parent if found and found.origin else None


def drawings(model: onnx.ModelProto) -> Mapping[str, list[str]]:
    """The labels of the nodes that Netron draws: of the model's graph and of each function.

    Raises AssertionError with Netron's own message where it cannot open the model.
    """
    with _served(model) as address:
        page = _chromium("--dump-dom", address)
    found = REPORT.search(page)
    assert found, f"Netron has drawn nothing: {page[:2000]}"
    report = html.unescape(found[2])
    assert found[1] == "shown", report
    shown: dict[str, list[str]] = json.loads(report)
    return shown


def picture(model: onnx.ModelProto, target: str, width: int) -> Image.Image:
    """Where the graph or function of that name ends, in a window of that width."""
    with _served(model) as address, tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "picture.png")
        window = (f"--window-size={width},{HEIGHT}", f"--force-device-scale-factor={SCALE}")
        _chromium(f"--screenshot={file}", *window, f"{address}?{target}")
        return Image.open(io.BytesIO(file.read_bytes())).convert("RGB")


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures of one height in a row, with a line between them, in few colours."""
    row = Image.new("RGB", (left.width + LINE + right.width, left.height), "#bbbbbb")
    row.paste(left, (0, 0))
    row.paste(right, (left.width + LINE, 0))
    return row.quantize(COLOURS)


def _chromium(*arguments: str) -> str:
    installed = chromium()
    assert installed
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [installed, *FLAGS, ONLY_HERE, f"--user-data-dir={profile}", *arguments]
        ended = subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    return ended.stdout.decode()


@contextmanager
def _served(model: onnx.ModelProto) -> Generator[str, None, None]:
    """The address of a page that shows a model in Netron."""
    folder = front_end()
    assert folder
    index = DATED.sub("", (folder / "index.html").read_text(encoding="utf-8"))
    pages = {
        "/": WATCHER.read_bytes(),
        "/netron.html": index.encode(),
        "/model.onnx": model.SerializeToString(),
        "/drawn": b"",
        "/when-drawn": b"",
    }
    handler = partial(_Handler, folder, pages, Event())
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    """Answers with pages by their path, else with files of a folder."""

    def __init__(
        self, folder: Path, pages: Mapping[str, bytes], drawn: Event, *arguments: Any
    ) -> None:
        self._pages = pages
        self._drawn = drawn
        super().__init__(*arguments, directory=str(folder))

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/drawn":
            self._drawn.set()
        elif path == "/when-drawn":
            self._drawn.wait(SECONDS)
        if path in self._pages:
            self._answer(self._pages[path])
        else:
            super().do_GET()

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Set-Cookie", CONSENT)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    model = fw.compile(fw.load(EXAMPLE), "onnx")
    beside(picture(model, model.graph.name, 920), picture(model, "Cell_1", 380)).save(file)


if __name__ == "__main__":
    main()
