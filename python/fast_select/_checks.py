"""Arguments checked, before any work, in the words of the Python interface."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._errors import InvalidInputError, core_errors, refused


def matrix(X: ArrayLike, what: str = "x", *, is_parameter: bool = True) -> NDArray[Any]:
    """``X`` as an (n, d) array of real numbers with n, d >= 1, or an error that names ``what``."""
    x = np.asarray(X)
    try:
        _core.check_matrix(x)
    except _core.Refused as err:
        _, fact, fix = err.args
        raise InvalidInputError(what, fact, fix, is_parameter=is_parameter) from err
    return x


def checked(command: str, parameters: Mapping[str, Any]) -> _core.Params:
    """The options of a command, checked by the core's table, with the threads that they mean."""
    with core_errors():
        given = {**parameters}
        if given.get("threads") is None:
            given["threads"] = usable_threads()
        return _core.Params(command, **given)


def usable_threads() -> int:
    """All threads that this process may use: affinity, cgroup quota and Slurm obeyed."""
    available: int = _core.info()["n_threads"]
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return min(available, int(slurm)) if slurm.isdecimal() and int(slurm) else available


def check_finite(name: str, x: NDArray[Any]) -> None:
    """Refuse NaN and infinity."""
    if x.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
        if bad.size:
            fact = f"holds NaN or infinity in {bad.size} rows, first in row {bad[0]}"
            raise refused(name, fact, "Clean or leave out these rows first")


def encode_labels(
    labels: ArrayLike | None, n: int
) -> tuple[NDArray[np.int64] | None, NDArray[Any] | None]:
    """Codes 0, 1, ... of n labels and the sorted classes that they stand for.

    >>> encode_labels(["b", "a", "b"], 3)
    (array([1, 0, 1]), array(['a', 'b'], dtype='<U1'))
    """
    if labels is None:
        return None, None
    y = np.asarray(labels)
    if y.shape != (n,):
        fact = f"have shape {y.shape} where ({n},) is needed, one for each row"
        raise refused("labels", fact)
    if y.dtype.kind not in "fiubUS":
        raise refused("labels", f"are of type {y.dtype}", "Use numbers or strings")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise refused("labels", f"hold NaN or infinity, first in row {row}")
    classes, codes = np.unique(y, return_inverse=True)
    return codes.astype(np.int64).reshape(n), classes


def row_numbers(name: str, rows: ArrayLike) -> NDArray[np.int64]:
    """Row numbers as the core takes them."""
    numbers = np.asarray(rows)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        fact = f"has shape {numbers.shape} and type {numbers.dtype} where row numbers are needed"
        raise refused(name, fact)
    return numbers.astype(np.int64)
