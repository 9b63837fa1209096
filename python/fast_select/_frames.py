"""Tables of pandas, polars and Arrow, and single columns of vectors, as matrices.

None of these packages is needed: what is here asks what it is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import Refuse, as_array, as_numbers, check_exact, is_arrow, is_missing
from ._errors import InvalidInputError
from ._interchange import converting, exchanged, exported, has_pyarrow, speaks_arrow
from ._text import counted, shortened

WIDE = ("Int128", "UInt128")
"""Integers of polars that numpy does not have."""

FIX = "Leave them out, or turn them into numbers first"


def of_frame(value: Any, refuse: Refuse) -> NDArray[Any] | None:
    """The numbers of a table, or the vectors of a column, (n, d); None where it is neither.

    All columns of a table are numbers, or its only one is of vectors; what is missing is NaN.
    """
    if hasattr(value, "iloc") and hasattr(value, "items"):  # pandas
        return _of_pandas(value, refuse)
    if is_arrow(value):
        return _of_arrow(value, refuse)
    if speaks_arrow(value):
        if has_pyarrow():
            return _of_arrow(exported(value, refuse), refuse)
        return _of_polars(value, refuse) if hasattr(value, "to_numpy") else None
    if hasattr(value, "__dataframe__") and not hasattr(value, "__array__"):
        return _of_arrow(exchanged(value, refuse), refuse)
    return None


def stacked(rows: NDArray[Any], refuse: Refuse) -> NDArray[Any] | None:
    """Vectors that are Python objects, as a matrix; None where the first of them is no vector."""
    there = [row for row, value in enumerate(rows) if not is_missing(value)]
    if not there or not isinstance(rows[there[0]], (list, tuple, np.ndarray)):
        return None
    width = len(rows[there[0]])
    for row in there:
        if np.ndim(rows[row]) != 1:
            raise refuse(f"row {row} holds {type(rows[row]).__name__} where others hold vectors")
        if len(rows[row]) != width:
            fact = f"row {row} holds {counted(len(rows[row]), 'number')} where rows before it hold"
            raise refuse(f"{fact} {width}", "Give all vectors one length")
    found = as_numbers(as_array([rows[row] for row in there], refuse), refuse)
    if len(there) == len(rows):
        return found
    mask = np.ones((len(rows), width), bool)
    mask[there] = False
    whole = np.zeros((len(rows), width), found.dtype)
    whole[there] = found
    return as_numbers(np.ma.array(whole, mask=mask), refuse)


def _of_pandas(value: Any, refuse: Refuse) -> NDArray[Any] | None:
    """A DataFrame, or a Series of vectors. Numbers of numpy's own types are left to numpy."""
    if not hasattr(value, "columns"):
        with converting(_of_column(str(value.name), refuse)):
            return stacked(np.asarray(value, object), refuse) if value.dtype.kind == "O" else None
    if all(isinstance(dtype, np.dtype) and dtype.kind in "fiub" for dtype in value.dtypes):
        return None
    columns = [(str(name), column) for name, column in value.items()]
    if len(columns) == 1 and (vectors := _of_pandas(columns[0][1], refuse)) is not None:
        return vectors
    found = [_of_series(column, refuse) for _, column in columns]
    others = [
        f"'{shortened(n)}' ({c.dtype})"
        for (n, c), x in zip(columns, found, strict=True)
        if x is None
    ]
    _refuse_others(others, refuse)
    known = [(name, x) for (name, _), x in zip(columns, found, strict=True) if x is not None]
    x = np.empty((len(value), len(known)), np.result_type(*(each.dtype for _, each in known)))
    for j, (name, each) in enumerate(known):
        if x.dtype.kind == "f" and each.dtype.kind in "iu":
            check_exact(each, _of_column(name, refuse))
        x[:, j] = each
    return x


def _of_series(column: Any, refuse: Refuse) -> NDArray[Any] | None:
    """The numbers of a column, what is missing as NaN; None where it holds others."""
    dtype = column.dtype
    if hasattr(dtype, "categories") or dtype.kind not in "fiubO":
        return None
    own = _of_column(str(column.name), refuse)
    if hasattr(dtype, "numpy_dtype") and dtype.kind != "O":  # with a mask, or of Arrow
        with converting(own):
            missing = column.isna().to_numpy()
            data = column.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.type(0))
        return as_numbers(np.ma.array(data, mask=missing), own)
    with converting(own):
        data = np.asarray(column)
    try:
        found = as_numbers(data, refuse)
    except InvalidInputError:
        return None
    return found if found.dtype.kind in "fiub" else None


def _of_column(name: str, refuse: Refuse) -> Refuse:
    """Makes errors for a column of what `refuse` makes them for."""
    return lambda fact, fix="": refuse(f"column '{shortened(name)}' {fact}", fix)


def _of_polars(value: Any, refuse: Refuse) -> NDArray[Any] | None:
    """A DataFrame or Series of polars, without pyarrow's help."""
    if not hasattr(value, "schema"):
        return stacked(np.array([*value.to_list(), None], object)[:-1], refuse)
    schema = dict(value.schema)
    if len(schema) == 1 and next(iter(schema.values())).is_nested():
        [column] = value.iter_columns()
        return _of_polars(column, refuse)
    others = [
        f"'{shortened(name)}' ({kind})"
        for name, kind in schema.items()
        if (not kind.is_numeric() and str(kind) != "Boolean") or str(kind) in WIDE
    ]
    _refuse_others(others, refuse)
    return as_array(value.to_numpy(), refuse)


def _of_arrow(value: Any, refuse: Refuse) -> NDArray[Any] | None:
    """A table of Arrow, or a column of it."""
    import pyarrow as pa

    from ._arrow import kind_of, matrix_of, numbers_in

    if isinstance(value, pa.Array):
        value = pa.chunked_array([value])
    is_column = isinstance(value, pa.ChunkedArray)
    table = pa.table([value], names=["x"]) if is_column else pa.table(value)
    found = [(field, numbers_in(field)) for field in table.schema]
    if is_column and (found[0][1] is None or not found[0][1].depth):
        return None
    _refuse_others(
        [f"'{shortened(f.name)}' ({kind_of(f.type)})" for f, numbers in found if numbers is None],
        refuse,
    )
    return matrix_of(table, [numbers for _, numbers in found if numbers is not None], refuse)


def _refuse_others(others: list[str], refuse: Refuse) -> None:
    """Refuse a table for columns that hold no numbers."""
    if others:
        many = "columns" if len(others) > 1 else "a column"
        raise refuse(f"has {many} without numbers: {', '.join(others)}", FIX)
