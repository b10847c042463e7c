"""What a client sends is bounded before it is read, and a client that goes leaves no trace."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import BinaryIO, cast
from unittest.mock import patch

import pytest

from fusewright.lsp.stream import LONGEST_MESSAGE, Input, Output

ENDLESS = b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"


class Gone(io.BytesIO):
    """An output that nobody reads."""

    def write(self, data: object) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def given(data: bytes, output: BinaryIO | None = None) -> Input:
    return Input(io.BytesIO(data), Output(output or io.BytesIO()))


def test_what_is_whole_is_read() -> None:
    stream = given(b"Content-Length: 2\r\n\r\n{}")
    assert (stream.readline(), stream.readline(), stream.read(2)) == (
        b"Content-Length: 2\r\n",
        b"\r\n",
        b"{}",
    )
    assert (stream.readline(), stream.fault) == (b"", "")


@pytest.mark.parametrize("size", [LONGEST_MESSAGE + 1, 10**12, 10**30])
def test_a_body_longer_than_any_message_is_not_read(size: int) -> None:
    stream = given(b"x" * 10)
    assert (stream.read(size), stream.readline()) == (b"", b"")
    assert "is longer than" in stream.fault


def test_a_message_that_is_cut_off_ends_the_input() -> None:
    stream = given(b"{}")
    assert (stream.read(3), stream.fault) == (b"", "a message is cut off")
    for header in (b"Content-Len", ENDLESS):
        stream = given(header)
        assert (stream.readline(), stream.readline()) == (b"", b"")
        assert stream.fault == "a header is cut off or too long"


def test_an_output_that_nobody_reads_ends_the_input() -> None:
    output = Output(cast(BinaryIO, Gone()))
    stream = Input(io.BytesIO(b"a\nb\n"), output)
    assert stream.readline() == b"a\n"
    output.write(b"answer")
    output.flush()
    assert (output.is_closed, stream.readline(), stream.fault) == (True, b"", "")


@pytest.mark.parametrize("sent", [b"Content-Length: 1000000000000\r\n\r\n{}", ENDLESS, b"Conte"])
def test_the_server_ends_without_a_trace(sent: bytes) -> None:
    from fusewright.lsp.server import serve

    class Stream:
        def __init__(self, data: bytes = b"") -> None:
            self.buffer = io.BytesIO(data)

    said = io.StringIO()
    with (
        patch.object(sys, "stdin", Stream(sent)),
        patch.object(sys, "stdout", Stream()),
        patch.object(sys, "stderr", said),
        patch("gc.freeze"),
        patch("gc.set_threshold"),
        patch("sys.setswitchinterval"),
        pytest.raises(SystemExit) as exit,
    ):
        serve()
    assert exit.value.code == 1
    assert said.getvalue().startswith("the client is gone: ")
    assert said.getvalue().count("\n") == 1


def test_a_client_that_closes_its_ends_leaves_a_quiet_server() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "fusewright.lsp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        request = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
        process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(request), request))
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
