"""Standard streams that are closed, full, of few characters, or whose reader has left."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

from .._errors import ComputationError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Waiting(io.FileIO):
    """A file that waits for its reader, also where another process has told it not to."""

    def write(self, data: ReadableBuffer) -> int:
        """Write a part at least."""
        while (written := super().write(data)) is None:
            select.select([], [self], [])
        return written


class Stdout(Waiting):
    """Standard output. A reader that leaves, as `head` does, has what it wanted."""

    _ended = False

    def write(self, data: ReadableBuffer) -> int:
        """Write, or raise a :class:`ComputationError`, once: what is left has nowhere to go."""
        size = memoryview(data).nbytes
        if self._ended:
            return size
        try:
            return super().write(data)
        except BrokenPipeError:
            self._ended = True
            return size
        except OSError as err:
            self._ended = True
            raise ComputationError(
                "standard output", f"cannot be written ({err.strerror})"
            ) from err


class Stderr(Waiting):
    """Standard error. What cannot be said there is not worth a run."""

    def write(self, data: ReadableBuffer) -> int:
        """Write as far as that is possible."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def install() -> None:
    """Make the standard streams such that printing never ends in a traceback.

    A stream that is closed gets a stand-in, lest the next file that is opened, an output, take its
    place. Standard output's refuses to be written.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = replaced(sys.stdout, Stdout(1, "wb", closefd=False), "replace")
    sys.stderr = replaced(sys.stderr, Stderr(2, "wb", closefd=False), "backslashreplace")


def replaced(stream: TextIO | None, raw: io.FileIO, errors: str) -> TextIO:
    """`stream` on top of `raw`; characters that it does not have are replaced by `errors`."""
    if sys.platform == "win32" and stream is not None and stream.isatty():
        return stream  # a console, which is no file
    encoding = "utf-8" if stream is None else stream.encoding
    lines = raw.fileno() == 2 or raw.isatty()
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding=encoding, errors=errors, line_buffering=lines)
