"""What was run, line by line in a file that is only added to, with what networks gave for test.

A line is a row with one seed. Its digest is over all else in it, and it has that of its outputs:
what was changed by hand is refused. A last line that is cut short, by a process that was killed, is
dropped, and run again.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.documents.records import RecordKind, read_record
from ...compiler.system.files import is_there, make_folder, read_bytes, reason, write_file
from ..data.formats.npy import array_of_bytes

ROWS, OUTPUTS = "rows.jsonl", "outputs"
LONGEST_ROWS, LONGEST_OUTPUTS = 1 << 28, 1 << 32
"""Bytes of the file, and of the outputs of one network."""
REMEDY = "remove the line, which is then run again, or choose another folder"
_KIND = RecordKind(schema="reproduced", remedy=REMEDY)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A row with one seed.

    `key` is of all that it depends on. `score` is the metric that selects, on test, and
    `search_score` on validation in the search, whose `curve` is that of its rounds. `parameters`
    and `macs`, of one sample, are the network's; `weight_steps` and `search_seconds` what the
    search cost, 0 where none was; `outputs` is the digest of what the network gives for test.
    """

    key: str
    row: str
    data: str
    seed: int
    genotype: str
    score: float
    parameters: int
    macs: int
    seconds: float
    outputs: str
    weight_steps: float = 0.0
    search_seconds: float = 0.0
    search_score: float | None = None
    curve: tuple[float, ...] = ()
    digest: str = ""

    @property
    def sealed(self) -> Done:
        """It with its digest."""
        return replace(self, digest=self.own_digest)

    @property
    def own_digest(self) -> str:
        """The SHA-256 of all but the digest."""
        rest = {name: value for name, value in asdict(self).items() if name != "digest"}
        return sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


class Rows:
    """The rows of a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises DiagnosticError where the file is damaged, or was changed."""
        self.folder, self._path = folder, folder / ROWS
        self.done: dict[str, Done] = {}
        if not is_there(self._path):
            return
        content = read_bytes(self._path, LONGEST_ROWS)
        whole = content[: content.rfind(b"\n") + 1]
        try:
            text = whole.decode()
        except UnicodeDecodeError as error:
            raise _KIND.wrong(str(self._path), f"byte {error.start} is not UTF-8") from None
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                one = self._read(line, number)
                self.done[one.key] = one
        if whole != content:  # a line that was cut short; what is refused stays as it was
            write_file(self._path, whole)

    def _read(self, line: str, number: int) -> Done:
        record: dict[str, Any] = read_record(line, str(self._path), _KIND, number)
        known: dict[str, Any] = {f.name: record[f.name] for f in fields(Done)}
        known["curve"] = tuple(known["curve"])
        one = Done(**known)
        if one.digest != one.own_digest:
            message = f"line {number} of `{self._path}` was changed after it was written"
            raise fail("E507", message, help=REMEDY)
        return one

    def add(self, one: Done, outputs: NDArray[np.float32]) -> Done:
        """Keeps a row with what its network gives for test."""
        make_folder(self.folder / OUTPUTS)
        stream = io.BytesIO()
        np.save(stream, outputs, allow_pickle=False)
        content = stream.getvalue()
        write_file(self._output(one.key), content)
        one = replace(one, outputs=sha256(content).hexdigest()).sealed
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(one)) + "\n")
        except OSError as error:
            raise fail("E504", f"cannot write `{self._path}`: {reason(error)}") from None
        self.done[one.key] = one
        return one

    def outputs(self, one: Done, shape: tuple[int, int]) -> NDArray[np.float64]:
        """What a row's network gives for test: (samples, K), which is the `shape`.

        Raises DiagnosticError where that is gone, was changed, or is no such array.
        """
        path = self._output(one.key)
        content = read_bytes(path, LONGEST_OUTPUTS) if is_there(path) else b""
        if sha256(content).hexdigest() != one.outputs:
            what = "was changed after it was written" if content else "is gone"
            raise fail("E507", f"`{path}` {what}", help=f"of `{one.key}` in `{ROWS}`: {REMEDY}")
        try:
            outputs = array_of_bytes(content, "it")
        except (ValueError, OverflowError) as error:
            raise fail("E507", f"`{path}` is damaged: {error}", help=REMEDY) from None
        if outputs.shape != shape or outputs.dtype.kind != "f" or not np.isfinite(outputs).all():
            message = f"`{path}` is not {shape[0]} samples of {shape[1]} finite numbers each"
            raise fail("E507", message, help=REMEDY)
        return outputs.astype(np.float64)

    def _output(self, key: str) -> Path:
        return self.folder / OUTPUTS / f"{key}.npy"
