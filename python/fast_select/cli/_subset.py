"""The selected rows themselves, with all that the input has of them, in its format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from .._errors import InvalidInputError
from .._stacked import Matrix
from .._suffixes import TABLE_SUFFIXES
from ..io import Features, write_rows
from ._commit import Sink, Writer
from ._sources import Sources
from ._targets import Target

BLOCK_BYTES = 8 << 20
"""Bytes of a matrix that are copied at a time."""


def check_subset(target: Target, features: Features) -> None:
    """Refuse, before any work, a file that cannot hold rows of the input as they are."""
    n = features.x.shape[0]
    known: tuple[str, ...] = (".npy",)
    if features.dataset is not None:
        known = TABLE_SUFFIXES
    elif features.archive is not None:
        known = (".npz",)
    if target.suffix not in known:
        own = Path(target.name).suffix
        fact = f"has the suffix '{own}' where rows of the input go to {' or '.join(known)}"
        raise InvalidInputError(target.name, fact, "Name another file")
    if features.dataset is not None:
        features.dataset.check_writable(target.suffix)
    elif features.archive is not None:
        features.archive.names_of_rows(n)  # reads all headers: an array may be of Python objects


def subset_writer(
    target: Target, features: Features, indices: NDArray[np.int64], sources: Sources
) -> Writer:
    """What writes rows of the input, which is read once more, and must still be what it was."""

    def write(file: Sink) -> None:
        if features.dataset is not None:
            features.dataset.write(file, target.suffix, indices)
        elif features.archive is not None:
            features.archive.cut(cast("IO[bytes]", file), indices, features.x.shape[0])
        else:
            shape = (len(indices), *features.row_shape)
            write_rows(file, _blocks(features.x, indices), features.x.dtype, shape)
        sources.check_unchanged()

    return write


def _blocks(x: Matrix, indices: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    """Rows of a matrix, some at a time."""
    step = max(1, BLOCK_BYTES // (x.shape[1] * x.dtype.itemsize))
    for at in range(0, len(indices), step):
        yield x[indices[at : at + step]]
