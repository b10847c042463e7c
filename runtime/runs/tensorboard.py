"""What TensorBoard shows of a run: numbers, entropies, cost, and genotypes as text and picture.

A stage writes into RUN/tensorboard/STAGE. A run that goes on hides what was written beyond its
checkpoint, so that no round stands there twice.

NOTE: names in a tag are quoted, since a slash makes a group there and a tag is part of an address;
texts are indented, which Markdown shows as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from struct import unpack
from typing import Any
from urllib.parse import quote

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.documents.spellings import loads
from ...compiler.graph.build import build
from ...compiler.system.files import remove
from ...compiler.targets.diagram import render
from .names import EVENTS

LONGEST_TAG = 200
PLAIN = " (),=+[]"
"""Characters that a tag may hold beside letters and digits."""


class Watch:
    """Writes records as events; `close` when the run ends."""

    def __init__(self, run: Path, stage: str, history: Sequence[Mapping[str, Any]] = ()) -> None:
        """Goes on after the records in `history`, which are written where none were before.

        Without any, events that are there belong to a run that is no more, and are removed.
        """
        from torch.utils.tensorboard import SummaryWriter

        place = run / EVENTS / stage
        before = list(place.glob("events.*"))
        known = bool(history and before)
        if not known:
            for file in before:
                remove(file)
        beyond = len(history) + 1 if known else None
        self._writer: Any = SummaryWriter(str(place), purge_step=beyond)
        self._genotype, self._draws = "", True
        if known:
            self._genotype = next((g for r in reversed(history) if (g := r.get("genotype"))), "")
        else:
            for step, record in enumerate(history, 1):
                self.write(step, record)

    def write(self, step: int, record: Mapping[str, Any]) -> None:
        """Writes the record of a round or epoch, which is counted from 1."""
        for name, value in _numbers(record):
            self._writer.add_scalar(name, value, step)
        genotype = record.get("genotype")
        if isinstance(genotype, str):
            text = "\n".join(f"    {line}" for line in genotype.splitlines())
            self._writer.add_text("genotype", text, step)
            if genotype != self._genotype:
                self._draw(genotype, step)
            self._genotype = genotype
        self._writer.flush()

    def _draw(self, genotype: str, step: int) -> None:
        """The picture of a genotype; none from the first that could not be drawn."""
        if not self._draws:
            return
        proto: Any = import_module("tensorboard.compat.proto.summary_pb2")
        try:
            png = render(build(checked(loads(genotype, spelling="fuse"))), "png")
        except DiagnosticError:
            self._draws = False
            return
        width, height = unpack(">II", png[16:24])
        image = proto.Summary.Image(
            encoded_image_string=png, width=width, height=height, colorspace=len("RGBA")
        )
        value = proto.Summary.Value(tag="genotype/picture", image=image)
        summary = proto.Summary(value=[value])
        self._writer.file_writer.add_summary(summary, step)

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()


@contextmanager
def watching(
    run: Path | None, stage: str, history: Sequence[Mapping[str, Any]] = ()
) -> Generator[Callable[[int, Mapping[str, Any]], None]]:
    """Within, what it gives writes records as events of a stage; nothing without a run folder."""
    if run is None:
        yield lambda step, record: None
        return
    watch = Watch(run, stage, history)
    try:
        yield watch.write
    finally:
        watch.close()


def tag(*parts: str) -> str:
    """A tag of several names, distinct where they are; the middle of a long name is a digest."""
    return "/".join(_quoted(part) for part in parts)


def _quoted(name: str) -> str:
    shown = quote(name, safe=PLAIN, errors="surrogatepass")
    if len(shown) <= LONGEST_TAG:
        return shown
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{shown[: LONGEST_TAG - len(digest) - 1]}-{digest}"


def _numbers(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of a record by tag: metrics, entropies and cost."""
    for name, value in record.items():
        if isinstance(value, float):
            yield tag(name), value
    for group in ("entropy", "cost"):
        for name, value in record.get(group, {}).items():
            yield tag(group, name), value
