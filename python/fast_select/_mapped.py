"""Files that are mapped without being open, and how much of a matrix is mapped."""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from functools import cache, partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._stacked import Matrix, Stacked

if TYPE_CHECKING:
    import ctypes


class Mapped:
    """The first bytes of a file, to be read, as long as this or an array of it lives.

    Python's own maps keep their files open, of which a process may have a thousand, often.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        import ctypes

        libc = _libc()
        at = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        if at == ctypes.c_void_p(-1).value:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        self.let_go = partial(libc.madvise, at, size, mmap.MADV_DONTNEED)
        # At exit the system takes it back: a thread may still read it.
        weakref.finalize(self, libc.munmap, at, size).atexit = False
        self.__array_interface__ = {
            "data": (at, True),
            "shape": (size,),
            "typestr": "|u1",
            "version": 3,
        }


@cache
def _libc() -> ctypes.CDLL:
    """The C library with the types of what is called."""
    import ctypes

    address, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = address
    libc.mmap.argtypes = (address, size, number, number, number, ctypes.c_long)
    libc.munmap.argtypes = (address, size)
    libc.madvise.argtypes = (address, size, number)
    return libc


def map_bytes(file: IO[bytes], size: int) -> NDArray[np.uint8]:
    """The first bytes of a file, mapped; it may be closed then."""
    if sys.platform == "win32":  # maps are no open files there
        return np.frombuffer(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ), np.uint8)
    return np.asarray(Mapped(file, size))


def mapped_bytes(x: Matrix) -> int:
    """Bytes of `x` that are mapped from files."""
    return sum(part.nbytes for part in _parts(x) if _map_of(part) is not None)


def let_go(x: Matrix) -> None:
    """Take the pages of what is mapped out of this process, which reads them again if need be."""
    for part in _parts(x):
        mapped = _map_of(part)
        if isinstance(mapped, Mapped):
            mapped.let_go()
        # What is written to may be a copy of the process's own.
        elif mapped is not None and memoryview(mapped).readonly and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)


def _parts(x: Matrix) -> tuple[NDArray[Any], ...]:
    return x.parts if isinstance(x, Stacked) else (x,)


def _map_of(x: NDArray[Any]) -> mmap.mmap | Mapped | None:
    """The map in which an array lies."""
    base: Any = x
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    return base if isinstance(base, (mmap.mmap, Mapped)) else None
