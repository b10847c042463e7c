"""Standard input and output as the server reads and writes them: bounded, and quiet at their end.

A client that is gone is no fault of the server: what it does not send any more ends the input, and
what it does not read any more is dropped. Neither leaves a trace of Python behind.
"""

from __future__ import annotations

from typing import BinaryIO

LONGEST_HEADER = 1_000
LONGEST_MESSAGE = 256 * 1024 * 1024
"""Bytes of a message: the longest text that is read, escaped, and as much again."""


class Input:
    """What a client sends: nothing more after what is cut off or longer than any message."""

    def __init__(self, stream: BinaryIO, output: Output) -> None:
        self._stream, self._output = stream, output
        self.fault = ""

    def readline(self) -> bytes:
        """A header; empty at the end."""
        if self.fault or self._output.is_closed:
            return b""
        line = self._stream.readline(LONGEST_HEADER)
        if line and not line.endswith(b"\n"):
            self.fault = "a header is cut off or too long"
            return b""
        return line

    def read(self, size: int) -> bytes:
        """A body of exactly that size; empty at the end."""
        if size > LONGEST_MESSAGE:
            self.fault = f"a message of {size} bytes is longer than {LONGEST_MESSAGE}"
            return b""
        body = self._stream.read(size)
        if len(body) < size:
            self.fault = "a message is cut off"
            return b""
        return body


class Output:
    """What a client is sent, as long as it reads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.is_closed = False

    def write(self, data: bytes) -> None:
        try:
            if not self.is_closed:
                self._stream.write(data)
        except (BrokenPipeError, ConnectionError, ValueError):
            self.is_closed = True

    def flush(self) -> None:
        try:
            if not self.is_closed:
                self._stream.flush()
        except (BrokenPipeError, ConnectionError, ValueError):
            self.is_closed = True

    def close(self) -> None:
        self.is_closed = True
