"""Room for a matrix, asked for before it is read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._arrays import Refuse
from .._memory import current_rss
from .._scratch import Scratch
from .npy import memory_bytes


def room_for(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    refuse: Refuse,
    max_memory: int | None,
    scratch: Scratch | None,
) -> NDArray[Any]:
    """A matrix to be filled: in `scratch`, or in memory where there is room for it."""
    if scratch is not None:
        return scratch.array(shape, dtype)
    check_room(shape, dtype, refuse, max_memory)
    return np.empty(shape, dtype)


def check_room(
    shape: tuple[int, ...], dtype: np.dtype[Any], refuse: Refuse, max_memory: int | None
) -> None:
    """Refuse a matrix that is larger than what the system, or `max_memory`, leaves."""
    size = math.prod(shape) * dtype.itemsize
    needed = f"needs {mebibytes(size)} MiB as a matrix of {shape[0]} x {shape[1]} {dtype}"
    before = current_rss()
    if max_memory is not None and before + size > max_memory:
        beside = f"beside the {mebibytes(before)} MiB of the process"
        fact = f"{needed} {beside}, where {mebibytes(max_memory)} MiB are allowed"
        raise refuse(
            fact, "Raise {max_memory}, name a {scratch}, or save it as one .npy, which is mapped"
        )
    if size > memory_bytes() or not _core.can_have(size):
        fix = "Read fewer columns, name a {scratch}, or save it as one .npy, which is mapped"
        raise refuse(f"{needed}, more than this machine has left", fix)


def mebibytes(size: int) -> int:
    """Bytes in whole MiB, at least 1."""
    return max(1, math.ceil(size / 2**20))
