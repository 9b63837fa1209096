"""Room in a scratch folder for what would not fit into memory."""

from __future__ import annotations

import errno
import math
import mmap
import os
import weakref
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._errors import ComputationError, refused

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system calls a folder without room."""
NO_FALLOCATE = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""What file systems answer that cannot take room at once."""


class Scratch:
    """Arrays that lie in files of a folder and are mapped: the system writes their pages there.

    Their room is taken at once, so that a folder that is full is told before any work. The files
    have no names, where the system allows it, and are gone with the arrays, whatever ends the
    process.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        if not str(folder):
            raise refused("scratch", "is a name without letters", "Name a folder that is there")
        self.folder = Path(folder)
        self._rooms: list[weakref.ref[mmap.mmap]] = []
        if not self.folder.is_dir():
            raise refused("scratch", f"'{folder}' is no folder", "Name one that is there")
        try:
            with self._file():
                pass
        except OSError as err:
            fact = f"'{folder}' cannot be written to ({err.strerror})"
            raise refused("scratch", fact, "Name a folder of your own") from err

    @classmethod
    def of(cls, folder: Scratch | str | os.PathLike[str] | None) -> Scratch | None:
        """The scratch in a folder, if one is named."""
        if folder is None or isinstance(folder, Scratch):
            return folder
        if not isinstance(folder, (str, os.PathLike)):
            raise refused("scratch", f"{type(folder).__name__} is no path")
        return cls(folder)

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Zeros of this shape."""
        size = math.prod(shape) * dtype.itemsize
        if not size:
            return np.zeros(shape, dtype)
        try:
            with self._file() as file:
                reserve(file.fileno(), size)
                room = mmap.mmap(file.fileno(), size)
        except OSError as err:
            if err.errno not in FULL:
                fact = f"cannot hold a mapped file ({err.strerror})"
                raise ComputationError(str(self.folder), fact, "Name another {scratch}") from err
            lying = sum(len(other) for known in self._rooms if (other := known()) is not None)
            beside = f" beside {lying / 2**20:.0f} that are needed, too" if lying else ""
            fact = f"has no room for {size / 2**20:.0f} MiB{beside} ({err.strerror})"
            raise ComputationError(str(self.folder), fact, "Name another {scratch}") from err
        self._rooms.append(weakref.ref(room))
        return np.frombuffer(room, dtype).reshape(shape)

    def _file(self) -> IO[bytes]:
        import tempfile  # as long as all else of this module takes to load

        return tempfile.TemporaryFile(dir=self.folder)

    def let_go(self) -> None:
        """Take the pages out of this process, which reads them again when it needs them."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for known in self._rooms:
                room = known()
                if room is not None:
                    room.madvise(mmap.MADV_DONTNEED)


def room_for_z(scratch: Scratch | None, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Room for the prepared features of an input of this shape."""
    if scratch is None:
        return None
    return scratch.array((_core.room_needed(*shape),), np.dtype(np.float32))


def reserve(file: int, size: int) -> None:
    """Make a file this long, and take its room: a page that finds none later would end the run."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
            return
        except OSError as err:
            if err.errno not in NO_FALLOCATE:
                raise
    block, left = bytes(1 << 20), size
    while left:
        left -= os.write(file, block[:left])
