"""Row numbers of whatever form as the core takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import EXACT, Refuse, as_array, is_missing
from ._interchange import brought


def row_numbers(
    rows: Any,
    n: int | None,
    refuse: Refuse,
    place: Callable[[int], str] = "entry {}".format,
) -> NDArray[np.int64]:
    """Rows of n (any, where that is None), each once, in the order given: numbers or a mask.

    `place` tells where an entry of `rows` is.
    """
    given = as_array(brought(rows, refuse), refuse)
    if given.ndim != 1:
        raise refuse(f"has shape {given.shape} where row numbers are needed")
    masked = np.flatnonzero(np.ma.getmask(given))
    if masked.size:
        raise refuse(f"{place(masked[0])} is masked, no row number")
    given = _unboxed(np.asarray(given), refuse, place)
    if given.dtype.kind == "b":
        if n is not None and given.size != n:
            raise refuse(f"is a mask of {given.size} entries where the input has {n} rows")
        return np.flatnonzero(given)
    if given.size and given.dtype.kind not in "iuf":
        raise refuse(f"holds {given.dtype} where row numbers are needed")
    if given.dtype.kind == "f":
        bad = np.flatnonzero(~((given == np.floor(given)) & (abs(given) <= EXACT)))
    else:
        bad = np.flatnonzero(given > np.iinfo(np.int64).max)
    if bad.size:
        fact = f"{place(bad[0])} is {given[bad[0]]} where row numbers are needed"
        raise refuse(fact, "They are whole numbers from 0")
    numbers = given.astype(np.int64)
    outside = np.flatnonzero((numbers < 0) | (numbers >= (n or np.iinfo(np.int64).max)))
    if outside.size:
        least = "is below 0" if numbers[outside[0]] < 0 else f"is not below the {n} rows"
        raise refuse(f"{place(outside[0])} is row {numbers[outside[0]]}, which {least}")
    ordered = np.sort(numbers)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        first, second = np.flatnonzero(numbers == twice[0])[:2]
        fact = f"names row {twice[0]} twice, at {place(first)} and {place(second)}"
        raise refuse(fact, "Name each row once; a mask is of type bool")
    return numbers


def _unboxed(given: NDArray[Any], refuse: Refuse, place: Callable[[int], str]) -> NDArray[Any]:
    """Row numbers and masks that were Python objects as numpy's."""
    if given.dtype.kind != "O":
        return given
    values = given.tolist()
    for at, value in enumerate(values):
        if is_missing(value):
            raise refuse(f"{place(at)} is {value}, a missing value")
        if not isinstance(value, (int, float, np.number, np.bool_)):
            fact = f"{place(at)} is of type {type(value).__name__} where row numbers are needed"
            raise refuse(fact)
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        return np.array(values, dtype=bool)
    for at, value in enumerate(values):
        if abs(value) >= 2**63:
            raise refuse(f"{place(at)} is {value}, no row number")
    return np.array(values)
