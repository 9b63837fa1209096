"""What a path means: a file whose suffix names its format, or a stream, known by how it begins."""

from __future__ import annotations

import io
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from .._arrays import Refuse
from .._errors import InvalidInputError
from .._suffixes import ARROW_SUFFIXES, MATRIX_SUFFIXES, PARQUET_SUFFIXES
from . import npy
from .npz import MAGICS, Archive

COLUMNAR = ("parquet", "arrow")
"""Formats of columns that have types."""

BEGINNINGS = {
    npy.MAGIC: "npy",
    **dict.fromkeys(MAGICS, "npz"),
    b"PAR1": "parquet",
    b"PARE": "parquet",  # encrypted
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",  # a stream
}
"""How files begin, and their formats; others are text."""

KINDS = {
    "npy": "a single array",
    "npz": "an archive of arrays",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file",
}
SUFFIX_OF = {"npy": ".npy", "npz": ".npz", "parquet": ".parquet", "arrow": ".arrow"}


class Stream:
    """Bytes that can be read only once; taken in by `digest` on the way."""

    def __init__(self, file: IO[bytes], refuse: Refuse, digest: Any = None) -> None:
        self._file, self._refuse, self._digest = file, refuse, digest
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay."""
        self._ahead = npy.read_fully(self, size)
        return self._ahead

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        try:
            block = self._file.read(size - len(ahead)) or b""
        except OSError as err:
            raise self._refuse(f"cannot be read ({err.strerror})") from err
        if self._digest is not None:
            self._digest.update(block)
        return ahead + block

    def read_all(self) -> bytes:
        """What is left, as far as the machine's memory can hold it."""
        blocks, size = [], 0
        while block := self.read(npy.BLOCK):
            blocks.append(block)
            size += len(block)
            if size > npy.memory_bytes():
                raise self._refuse("is larger than the memory of this machine")
        return b"".join(blocks)


class Source:
    """A file, or a stream: `-` (standard input), a pipe, `<(...)`, a device.

    `format`: npy, npz, parquet, arrow or text. `suffixes`: which are welcome; text without one is
    where .txt is. `digest` takes in the bytes of a stream.
    """

    def __init__(self, path: Path, suffixes: tuple[str, ...], digest: Any = None) -> None:
        self.path = path
        self.name = "standard input" if str(path) == "-" else str(path)
        self.refuse: Refuse = partial(InvalidInputError, self.name)
        self.is_stream = is_stream(path)
        suffix = path.suffix.lower()
        if suffix and suffix not in suffixes and not self.is_stream:
            known = ", ".join(suffixes)
            raise self.refuse(f"has the suffix '{path.suffix}', not one of {known}")
        if self.is_stream:
            self._stream = Stream(self._opened(), self.refuse, digest)
            head = self._stream.peek(len(npy.MAGIC))
        else:
            with self._opened() as file:
                head = npy.read_fully(file, len(npy.MAGIC))
        if not head:
            raise self.refuse("is empty")
        begins = next((b for magic, b in BEGINNINGS.items() if head.startswith(magic)), "text")
        self.format = begins
        if suffix and not self.is_stream:
            self.format = format_of(suffix)
            if begins not in ("text", self.format):
                fix = f"Give it the suffix {SUFFIX_OF[begins]}"
                raise self.refuse(f"is {KINDS[begins]}", fix)
            if begins == "text" and self.format in COLUMNAR:
                fact = f"cannot be read: it does not begin as {KINDS[self.format]} does"
                raise self.refuse(fact)
        elif begins == "text" and ".txt" not in suffixes:
            raise self.refuse("is none of .npy, .npz, Parquet and Arrow")

    @property
    def is_table(self) -> bool:
        """Whether it holds columns; text does, where no list of lines is looked for."""
        return self.format in COLUMNAR or self.format == "text"

    def array(
        self, key: str | None, ndim: int, flag: str | None, *, is_open: bool = True
    ) -> NDArray[Any]:
        """The array, mapped if it is a .npy on disk; of an archive the one that is asked for.

        `is_open`: whether the file stays open while it is mapped.
        """
        if self.format == "npz":
            return self.archive.read(self.archive.chosen(key, ndim, flag))
        if key is not None:
            raise self.refuse("is a single array, of which none is chosen", f"Leave {flag} out")
        if self.is_stream:
            return npy.read_array(self._stream, self.refuse)
        try:
            return npy.map_array(self.path, self.refuse, is_open=is_open)
        except OSError as err:
            raise self.refuse(f"cannot be read ({err.strerror})") from err

    def keep(self) -> None:
        """Read a stream to its end."""
        _ = self.content

    def size(self) -> int:
        """How many bytes there are."""
        return self.path.stat().st_size if self.content is None else len(self.content)

    def binary(self) -> IO[bytes]:
        """Its bytes, as a file that seeks."""
        return self._opened() if self.content is None else io.BytesIO(self.content)

    @contextmanager
    def text(self) -> Iterator[npy.Readable]:
        """The bytes of a text."""
        if self.is_stream:
            yield self._stream
        else:
            with self._opened() as file:
                yield file

    @cached_property
    def archive(self) -> Archive:
        """The arrays of an .npz."""
        return Archive(self.path if self.content is None else io.BytesIO(self.content), self.refuse)

    @cached_property
    def content(self) -> bytes | None:
        """All bytes of a stream, for formats that are read from their end; None of a file."""
        return self._stream.read_all() if self.is_stream else None

    def _opened(self) -> IO[bytes]:
        if str(self.path) != "-":
            try:
                return self.path.open("rb")
            except OSError as err:
                raise self.refuse(f"cannot be read ({err.strerror})") from err
        if sys.stdin is None:
            raise self.refuse("is closed")
        return sys.stdin.buffer


def format_of(suffix: str) -> str:
    """The format that a suffix names."""
    if suffix in MATRIX_SUFFIXES or suffix in PARQUET_SUFFIXES:
        return suffix[1:]
    return "arrow" if suffix in ARROW_SUFFIXES else "text"


def is_stream(path: Path) -> bool:
    """Whether `path`, which must exist and be no folder, can be read only once."""
    if str(path) == "-":
        return True
    if is_folder(path):
        raise InvalidInputError(str(path), "is a folder where a file is needed")
    return not stat.S_ISREG(path.stat().st_mode)


def is_folder(path: Path) -> bool:
    """Whether `path`, which must exist, is a folder."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as err:
        fact = "is a link to what does not exist" if path.is_symlink() else "does not exist"
        raise InvalidInputError(str(path), fact, "Check the path") from err
    except (OSError, ValueError) as err:  # a name with a NUL, or too long
        reason = getattr(err, "strerror", None) or str(err)
        raise InvalidInputError(str(path), f"cannot be read ({reason})") from err
