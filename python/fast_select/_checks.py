"""Arguments checked, before any work, in the words of the Python interface."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._arrays import as_array, as_numbers
from ._errors import InvalidInputError, core_errors, refused
from ._frames import of_frame, stacked
from ._interchange import brought
from ._stacked import Matrix, Stacked
from ._text import counted

READ = 1 << 20
"""Entries that are looked at at a time."""


def as_rows(X: ArrayLike, what: str = "x") -> Matrix:
    """``X`` itself, checked, if it is stacked, else what :func:`matrix` makes of it."""
    if not isinstance(X, Stacked):
        return matrix(X, what)
    with core_errors():
        _core.check_matrix(X)
    return X


def matrix(X: ArrayLike, what: str = "x", *, is_parameter: bool = True) -> NDArray[Any]:
    """``X`` as an (n, d) array of real numbers with n, d >= 1, or an error that names ``what``.

    It may be a table, see :mod:`fast_select._frames`. Masked and missing entries are NaN then.
    """
    refuse = partial(InvalidInputError, what, is_parameter=is_parameter)
    X = brought(X, refuse)
    x = None if isinstance(X, np.ndarray) else of_frame(X, refuse)
    if x is None:
        x = as_array(X, refuse)
        if x.dtype.kind == "O" and x.ndim == 1 and not np.ma.isMaskedArray(x):
            vectors = stacked(x, refuse)
            x = x if vectors is None else vectors
        x = as_numbers(x, refuse)
    try:
        _core.check_matrix(x)
    except _core.Refused as err:
        _, fact, fix = err.args
        raise refuse(fact, fix) from err
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


def finite_rows(x: Matrix) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Which rows hold neither NaN nor infinity, some at a time, behind the number of the first."""
    step = max(1, READ // x.shape[1])
    for start in range(0, x.shape[0], step):
        is_finite: NDArray[np.bool_] = np.isfinite(x[start : start + step])
        yield start, np.logical_and.reduce(is_finite, axis=1)


def check_finite(name: str, x: Matrix) -> None:
    """Refuse NaN and infinity."""
    if x.dtype.kind == "f":
        bad = np.concatenate([start + np.flatnonzero(~kept) for start, kept in finite_rows(x)])
        if bad.size:
            fact = f"holds NaN or infinity in {counted(bad.size, 'row')}, first in row {bad[0]}"
            raise refused(name, fact, "Clean or leave out these rows first")
