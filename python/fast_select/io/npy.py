"""The .npy format: a header that is checked before anything is believed, then one array."""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._arrays import Refuse
from .._mapped import map_bytes
from .._text import shortened

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 1 << 20
"""Headers of numbers take some hundred bytes; writers pad them to a page at most."""

MOST_DIMENSIONS = 32
BLOCK = 1 << 20

ITEM = re.compile(
    r"""\s*(['"])(descr|fortran_order|shape)\1\s*:\s*"""
    r"""(?:(['"])([^'"]{0,64})\3|(True|False)|\(([^()]*)\)|(\[))\s*(,|\Z)"""
)
TYPE = re.compile(r"[<>|=]?(?!a\d)[?A-Za-z]\w{0,31}(?:\[\w{1,9}\])?")


class Readable(Protocol):
    """A file that need not seek."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass(frozen=True)
class Header:
    """What the header of an array says, in order and possible."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    offset: int
    """Bytes before the array."""

    @property
    def order(self) -> Any:
        """The order in memory."""
        return "F" if self.fortran else "C"

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: Readable, refuse: Refuse) -> Header:
    """Read and check the header of a .npy file."""
    start = read_fully(file, 8)
    if not start.startswith(MAGIC[: len(start)]):
        raise refuse("cannot be read: it does not begin as a .npy file does")
    if len(start) == 8 and start[6:] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise refuse(f"is of .npy version {start[6]}.{start[7]}, which is unknown")
    wide = start[6:7] != b"\1"
    size = read_fully(file, 4 if wide else 2)
    if len(size) < (4 if wide else 2):
        raise refuse("cannot be read: truncated in the header of the array")
    length = struct.unpack("<I" if wide else "<H", size)[0]
    if length > LONGEST_HEADER:
        raise refuse(f"claims a header of {length} bytes where {LONGEST_HEADER} are the most")
    text = read_fully(file, length)
    if len(text) < length:
        raise refuse("cannot be read: truncated in the header of the array")
    return _parsed(text.decode("latin1"), len(start) + len(size) + length, refuse)


def _parsed(text: str, offset: int, refuse: Refuse) -> Header:
    """The header of a text. No Python is evaluated: nothing can nest or run."""
    body = text.strip()
    found: dict[str, re.Match[str]] = {}
    inside = body[1:-1].rstrip() if body[:1] == "{" and body[-1:] == "}" else ""
    at = 0
    while (item := ITEM.match(inside, at)) and item[2] not in found:
        found[item[2]] = item
        if item[7]:
            raise refuse("holds records, not numbers", "Save each field as an array of its own")
        at = item.end()
    if "descr" in body and re.search(r"""['"]descr['"]\s*:\s*\[""", body[:100]):
        raise refuse("holds records, not numbers", "Save each field as an array of its own")
    if len(found) < 3 or at < len(inside):
        raise refuse("has a damaged header", "Save the array anew")
    descr, fortran, shape = (found[name] for name in ("descr", "fortran_order", "shape"))
    if descr[4] is None or fortran[5] is None or shape[6] is None:
        raise refuse("has a damaged header", "Save the array anew")
    header = Header(
        _dtype(descr[4], refuse), _shape(shape[6], refuse), fortran[5] == "True", offset
    )
    # numpy counts the bytes of an empty array as if its zeros were ones.
    if math.prod(filter(None, header.shape)) * header.dtype.itemsize >= 2**63:
        raise refuse(f"claims the shape {header.shape}, which no memory can hold")
    return header


def _dtype(text: str, refuse: Refuse) -> np.dtype[Any]:
    if TYPE.fullmatch(text):
        try:
            dtype = np.dtype(text)
        except (TypeError, ValueError, OverflowError):
            dtype = None
        if dtype is not None and dtype.kind == "O":
            raise refuse("holds Python objects", "Save it as an array of numbers or text")
        if dtype is not None and dtype.kind == "V":
            fix = "Save it as float32, if these are bfloat16"
            raise refuse(f"holds raw bytes ({text}), not numbers", fix)
        if dtype is not None and dtype.kind in "biufcSUMm" and dtype.itemsize:
            return dtype
    raise refuse(f"holds elements of type '{shortened(text)}', which is unknown")


def _shape(text: str, refuse: Refuse) -> tuple[int, ...]:
    sizes = [size.strip() for size in text.split(",")]
    if sizes[-1] == "":
        sizes.pop()
    if len(sizes) > MOST_DIMENSIONS:
        raise refuse(f"claims {len(sizes)} dimensions, more than {MOST_DIMENSIONS}")
    # Python 2 wrote long integers as 10L.
    if not all(re.fullmatch(r"[0-9]{1,19}L?", size) for size in sizes):
        raise refuse(f"claims the shape ({shortened(text)}), which no array has")
    return tuple(int(size.rstrip("L")) for size in sizes)


def map_array(path: Path, refuse: Refuse, *, is_open: bool = True) -> NDArray[Any]:
    """The array of a regular file, mapped; `is_open`: whether the file stays open for that."""
    with path.open("rb") as file:
        header = read_header(file, refuse)
        _check_size(header, path.stat().st_size, refuse)
        if not header.nbytes:
            return np.empty(header.shape, header.dtype)
        how: dict[str, Any] = {
            "dtype": header.dtype,
            "offset": header.offset,
            "shape": header.shape,
            "order": header.order,
        }
        try:
            if is_open:
                return np.memmap(file, mode="r", **how)
            return np.ndarray(buffer=map_bytes(file, header.offset + header.nbytes), **how)
        except (OSError, ValueError):  # a file system that cannot map
            return _array(file, header, refuse)


def read_array(file: Readable, refuse: Refuse, size: int | None = None) -> NDArray[Any]:
    """The array of a stream, which must end with it, after `size` bytes if that is known."""
    header = read_header(file, refuse)
    if size is not None:
        _check_size(header, size, refuse)
    return _array(file, header, refuse)


def write_rows(
    file: Any, blocks: Iterable[NDArray[Any]], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> None:
    """Write an array of which the rows come in blocks."""
    descr = np.lib.format.dtype_to_descr(dtype)
    facts = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    for block in blocks:
        file.write(np.ascontiguousarray(block).tobytes())


def cut(source: Readable, file: Any, rows: NDArray[np.int64], refuse: Refuse) -> None:
    """Write the array of a stream to `file` with those of its rows only, which ascend."""
    header = read_header(source, refuse)
    n, *item = header.shape
    row_bytes = header.nbytes // n
    step = max(1, BLOCK // max(1, row_bytes))

    def blocks() -> Iterator[NDArray[Any]]:
        if header.fortran and item:
            yield _array(source, header, refuse)[rows]
            return
        for at in range(0, n, step):
            data = read_fully(source, min(step, n - at) * row_bytes)
            if len(data) < min(step, n - at) * row_bytes:
                raise refuse("cannot be read: truncated")
            first, last = np.searchsorted(rows, [at, at + step])
            block = np.frombuffer(data, header.dtype).reshape(-1, *item)
            yield block[rows[first:last] - at]

    write_rows(file, blocks(), header.dtype, (len(rows), *item))


def _check_size(header: Header, size: int, refuse: Refuse) -> None:
    """Refuse an array that does not end with its file of `size` bytes."""
    there = size - header.offset
    if there < header.nbytes:
        fact = f"truncated, {there} of the {header.nbytes} bytes of {_named(header)}"
        raise refuse(f"cannot be read: {fact}")
    if there > header.nbytes:
        fact = f"holds more than its array, {_named(header)}"
        raise refuse(fact, "Split files that were joined")


def _array(file: Readable, header: Header, refuse: Refuse) -> NDArray[Any]:
    if header.nbytes > memory_bytes():
        raise refuse(f"claims {_named(header)}, more than the memory of this machine")
    data = np.empty(header.nbytes, np.uint8)  # takes memory only as it is filled
    at = 0
    while at < data.size and (block := file.read(min(BLOCK, data.size - at))):
        data[at : at + len(block)] = np.frombuffer(block, np.uint8)
        at += len(block)
    _check_size(header, header.offset + at + len(file.read(1)), refuse)
    if not data.size:
        return np.empty(header.shape, header.dtype)
    return data.view(header.dtype).reshape(header.shape, order=header.order)


def read_fully(file: Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end: a pipe gives what it has."""
    blocks = []
    while size and (block := file.read(size)):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def memory_bytes() -> float:
    """Memory of the machine, infinite where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return math.inf


def _named(header: Header) -> str:
    return f"{header.dtype} of shape {header.shape}"
