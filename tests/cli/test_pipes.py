"""A reader of a pipe that has had enough ends a command quietly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ..support.paths import ROOT, SRC

PROGRAM = [sys.executable, "-m", "fusewright"]
EXAMPLE = str(ROOT / "examples/ntu1.fuse")


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", EXAMPLE, "--stage", "program"),
        ("convert", EXAMPLE, "--to", "fuse"),
        ("check", EXAMPLE, "--json"),
        ("explain", "E203"),
    ],
    ids=lambda given: given[0],
)
def test_a_pipe_that_nobody_reads_leaves_no_trace(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as output:  # noqa: PTH123  (the end of a pipe is no path)
        result = subprocess.run(
            [*PROGRAM, *arguments],
            stdout=output,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": ""},
            check=False,
            text=True,
        )
    assert result.returncode == 1
    assert result.stderr == ""
