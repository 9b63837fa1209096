"""Arrays as files that all workers map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ComputationError, InvalidInputError
from .._labels import Labels
from .._scratch import FULL
from ..io import npy

BLOCK_BYTES = 8 << 20
"""Bytes that are written at a time."""


@dataclass(frozen=True)
class Stored:
    """An array in a file, or labels: the codes of ``classes``."""

    path: Path
    classes: NDArray[Any] | None = None

    @classmethod
    def of(cls, value: NDArray[Any] | Labels, path: Path) -> Stored:
        """Write it."""
        if isinstance(value, Labels):
            store(path, value.codes)
            return cls(path, value.classes)
        store(path, value)
        return cls(path)

    def read(self) -> NDArray[Any] | Labels:
        """Map it."""
        array = npy.map_array(self.path, partial(InvalidInputError, str(self.path)))
        return array if self.classes is None else Labels(array, self.classes)


def store(path: Path, x: NDArray[Any]) -> None:
    """Write an array, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    step = max(1, BLOCK_BYTES // max(1, x.nbytes // max(1, len(x))))

    def blocks() -> Iterator[NDArray[Any]]:
        for at in range(0, len(x), step):
            yield x[at : at + step]

    try:
        with part.open("wb") as file:
            npy.write_rows(file, blocks(), x.dtype, x.shape)
        part.replace(path)
    except OSError as err:
        part.unlink(missing_ok=True)
        raise no_room(path.parent, err) from err


def no_room(folder: Path, err: OSError) -> ComputationError:
    """The error for what cannot be written to a folder."""
    fact = "has no room" if err.errno in FULL else "cannot be written to"
    fix = "Make room, or name another {checkpoint} folder"
    return ComputationError(str(folder), f"{fact} ({err.strerror or err})", fix)


def file_of(x: NDArray[Any]) -> Path | None:
    """The .npy file of which an array is the map, if it is one."""
    base: Any = x
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    if not isinstance(base, np.memmap) or base.filename is None or base.mode != "r":
        return None
    path = Path(base.filename).absolute()
    try:
        whole = npy.map_array(path, partial(InvalidInputError, str(path)))
    except (OSError, InvalidInputError):
        return None
    # A part of the file has another shape, or the entries in another order.
    known, found = ((each.shape, each.strides, each.dtype) for each in (whole, x))
    return path if known == found else None
