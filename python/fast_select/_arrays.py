"""Numpy arrays out of what is like one: masks and missing values heeded, tensors brought along."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidInputError

Refuse = Callable[..., InvalidInputError]
"""Makes the error for one argument or file, from a fact and, where there is one, a fix."""

EXACT = 2**53
"""Up to here float64 holds every integer."""


def as_array(value: Any, refuse: Refuse, *, boxed: bool = False) -> NDArray[Any]:
    """`value` as an array; a mask stays.

    `boxed`: entries of a list stay objects, where numpy would make words of words and numbers.
    """
    if isinstance(value, np.ma.MaskedArray):
        return value
    kind = type(value).__name__
    if hasattr(value, "toarray"):
        raise refuse(f"is sparse ({kind})", "Pass what its .toarray() returns")
    if getattr(value, "is_sparse", False):
        raise refuse(f"is sparse ({kind})", "Pass what its .to_dense() returns")
    if hasattr(value, "detach"):  # torch: numpy takes no gradients, nothing of a GPU, no bfloat16
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        if isinstance(value, (list, tuple)) and any(map(np.ma.isMaskedArray, value)):
            # np.asarray would lose the masks.
            masks = [np.ma.getmaskarray(each) for each in value]
            return np.ma.array([np.ma.getdata(each) for each in value], mask=masks)
        array = np.asarray(value, object if boxed and isinstance(value, (list, tuple)) else None)
    except MemoryError:
        raise
    except Exception as err:  # whatever the conversions of other packages raise
        if "inhomogeneous" in str(err):
            raise refuse("has rows of different lengths") from err
        reason = str(err).partition("\n")[0]
        fact = f"is of type {kind}, which cannot be made an array ({reason})"
        raise refuse(fact, "Pass a numpy array") from err
    if array.ndim == 0 and not isinstance(value, np.ndarray):
        raise refuse(f"is a single {kind} where an array is needed")
    return array


def as_numbers(x: NDArray[Any], refuse: Refuse) -> NDArray[Any]:
    """`x` without a mask or Python objects: what is masked or missing is NaN."""
    mask = np.ma.getmaskarray(x) if isinstance(x, np.ma.MaskedArray) else np.False_
    data = np.asarray(np.ma.getdata(x))
    if data.dtype.kind == "O":
        if mask.any():
            data = data.copy()
            data[mask] = None
        return _unboxed(data, refuse)
    if data.dtype.kind not in "fiub" or not mask.any():
        return data
    if data.dtype.kind != "f":
        if data.dtype.itemsize == 8 and ((data > EXACT) | (data < -EXACT)).any():
            fact = f"has masked entries among {data.dtype} beyond 2**53, where NaN has no place"
            raise refuse(fact, "Leave these rows out")
        data = data.astype(np.float64 if data.dtype.itemsize > 2 else np.float32)
    return np.where(mask, data.dtype.type(np.nan), data)


def check_exact(values: NDArray[Any], refuse: Refuse) -> None:
    """Refuse integers that float64 may not hold."""
    if values.dtype.itemsize == 8 and ((values > EXACT) | (values < -EXACT)).any():
        fact = f"holds {values.dtype} beyond 2**53, which NaN or fractions beside it would round"
        raise refuse(fact, "Leave it out")


def is_arrow(value: Any) -> bool:
    """Whether `value` is of pyarrow, which is then loaded."""
    return type(value).__module__.partition(".")[0] == "pyarrow"


def is_missing(value: Any) -> bool:
    """Whether `value` stands for nothing: None, NaN, NaT, pandas.NA, a masked entry."""
    if value is None or type(value).__name__ in ("NAType", "MaskedConstant"):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return False  # an array, say


def _unboxed(x: NDArray[Any], refuse: Refuse) -> NDArray[Any]:
    cells = x.ravel().tolist()
    types = set(map(type, cells))
    if all(issubclass(t, (int, np.integer, np.bool_)) for t in types):
        try:
            return np.array(cells, dtype=np.int64).reshape(x.shape)
        except OverflowError:
            pass
    numeric = tuple(t for t in types if issubclass(t, (Real, np.bool_, Decimal)))
    for at, cell in enumerate(cells):
        if is_missing(cell):
            cells[at] = np.nan
        elif not isinstance(cell, numeric):
            place = ", ".join(
                f"{axis} {i}"
                for axis, i in zip(("row", "column"), np.unravel_index(at, x.shape), strict=False)
            )
            raise refuse(f"holds {type(cell).__name__} in {place}, not a number")
    try:
        return np.array(cells, dtype=np.float64).reshape(x.shape)
    except (OverflowError, ValueError) as err:
        raise refuse("holds integers outside the range of float64") from err
