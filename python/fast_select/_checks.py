"""Arguments checked, before any work, in the words of the Python interface."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._errors import InvalidInputError

MOST_THREADS = 1024
"""More would help no machine, and a system that cannot start them may stall."""


def check_matrix(x: NDArray[Any]) -> None:
    """Refuse what is not an (n, d) array of real numbers with n, d >= 1."""
    if x.ndim != 2:
        fact = f"has {x.ndim} dimension{'s' * (x.ndim != 1)} where rows and columns are needed"
        fix = "Reshape it to (rows, columns)"
        raise InvalidInputError("x", fact, fix)
    if 0 in x.shape:
        raise InvalidInputError("x", f"has shape {x.shape}: there is nothing to select from")
    if x.dtype.kind not in "fiub" and x.dtype.name != "bfloat16":
        raise InvalidInputError("x", f"holds {x.dtype}", "Convert it to float32")


def check_integer(name: str, value: Any, least: int, most: int) -> None:
    """Refuse what is not an integer from `least` to `most`."""
    if not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise InvalidInputError(name, f"{value} is not an integer from {least} to {most}")


def check_finite(name: str, x: NDArray[Any]) -> None:
    """Refuse NaN and infinity."""
    if x.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
        if bad.size:
            fact = f"holds NaN or infinity in {bad.size} rows, first in row {bad[0]}"
            raise InvalidInputError(name, fact, "Clean or leave out these rows first")


def wanted_count(n: int, ratio: float | None, count: int | None) -> int:
    """The number of rows that ``ratio`` or ``count`` asks for, of n."""
    if (ratio is None) == (count is None):
        both = "are both given" if ratio is not None else "are both missing"
        raise InvalidInputError("ratio and count", both, "Give one of them")
    if ratio is not None:
        if not 0 < ratio <= 1:
            raise InvalidInputError("ratio", f"{ratio} is not above 0 and at most 1")
        return max(1, int(ratio * n + 0.5))
    if not isinstance(count, (int, np.integer)) or not 1 <= count <= n:
        raise InvalidInputError("count", f"{count} is not an integer from 1 to the {n} rows")
    return int(count)


def encode_labels(
    labels: ArrayLike | None, n: int
) -> tuple[NDArray[np.int64] | None, NDArray[Any] | None]:
    """Codes 0, 1, ... of n labels and the sorted classes that they stand for."""
    if labels is None:
        return None, None
    y = np.asarray(labels)
    if y.shape != (n,):
        fact = f"have shape {y.shape} where ({n},) is needed, one for each row"
        raise InvalidInputError("labels", fact)
    if y.dtype.kind not in "fiubUS":
        raise InvalidInputError("labels", f"are of type {y.dtype}", "Use numbers or strings")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise InvalidInputError("labels", f"hold NaN or infinity, first in row {row}")
    classes, codes = np.unique(y, return_inverse=True)
    return codes.astype(np.int64).reshape(n), classes


def usable_threads(threads: int | None) -> int:
    """``threads``, or all that this process may use: affinity, cgroup quota and Slurm obeyed."""
    if threads is not None:
        check_integer("threads", threads, 1, MOST_THREADS)
        return threads
    available: int = _core.info()["n_threads"]
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return min(available, int(slurm)) if slurm.isdecimal() and int(slurm) else available


def row_numbers(name: str, rows: ArrayLike | None) -> NDArray[np.int64] | None:
    """Row numbers as the core takes them."""
    if rows is None:
        return None
    numbers = np.asarray(rows)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        fact = f"has shape {numbers.shape} and type {numbers.dtype} where row numbers are needed"
        raise InvalidInputError(name, fact)
    return numbers.astype(np.int64)
