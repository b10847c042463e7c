"""The process that runs a model whose needs are not known, within limits that the system keeps.

`python -m fusewright.runtime.predict.alone FILE BATCH BYTES SECONDS` reads inputs as an .npz file
from standard input. To standard output it writes outputs as an .npy file, or a diagnostic as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.memory import memory_text
from ...compiler.targets.onnx.session import run, session_of

_PAGES_OF_DATA = 5
"""The place in `statm` of the pages that a process can write to."""
_NO_MEMORY = ("alloc", "memory")
"""How ONNX Runtime says that it got no memory, in words of messages."""


def main(file: str, batch: str, memory: str, seconds: str) -> int:
    """Writes what the model gives; the exit status is 1 where that is a diagnostic."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _limit(int(memory), int(seconds))
        outputs = _outputs(Path(file), int(batch))
    except (DiagnosticError, MemoryError) as error:
        out.write(json.dumps(_told(error, int(memory))).encode())
        out.flush()
        return 1
    np.lib.format.write_array(stream := BytesIO(), outputs, allow_pickle=False)
    out.write(stream.getbuffer())
    out.flush()
    return 0


def _limit(memory: int, seconds: int) -> None:
    """Sets the most memory beside what there is by now, and the most time of all processors."""
    taken = 0
    if (pages := Path("/proc/self/statm")).exists():
        count = int(pages.read_text(encoding="ascii").split()[_PAGES_OF_DATA])
        taken = count * os.sysconf("SC_PAGE_SIZE")
    most, longest = taken + memory, seconds * (os.cpu_count() or 1) + 1
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (longest, longest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _outputs(file: Path, batch: int) -> NDArray[Any]:
    with np.load(BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as archive:
        inputs: Mapping[str, NDArray[Any]] = dict(archive)
    samples = max(map(len, inputs.values()))
    session = session_of(file)
    starts = range(0, samples, batch)
    parts = [
        run(session, {name: array[first : first + batch] for name, array in inputs.items()})
        for first in starts
    ]
    return np.concatenate(parts)


def _told(error: DiagnosticError | MemoryError, memory: int) -> dict[str, Any]:
    """A diagnostic in plain values; want of memory is one, whoever noticed it."""
    found = error.diagnostics[0] if isinstance(error, DiagnosticError) else None
    if found is None or any(word in found.message for word in _NO_MEMORY):
        message = f"the model takes more than {memory_text(memory)} to run"
        remedy = "allow more by `--memory`, or take a smaller `--batch`"
        (found,) = fail("E512", message, help=remedy).diagnostics
    return {"code": found.code, "message": found.message, "help": str(found.help or "")}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
