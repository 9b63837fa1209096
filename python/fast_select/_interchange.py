"""Tables and columns of other packages as those of Arrow, by the protocols that they speak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._arrays import Refuse, is_arrow
from ._errors import FastSelectError
from ._text import shortened

FIX = "Cast it to float64 or int64, or leave it out"
LONGEST_REASON = 200


def has_pyarrow() -> bool:
    """Whether pyarrow, which is optional, is there."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


def speaks_arrow(value: Any) -> bool:
    """Whether a table or a column gives itself as Arrow."""
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def brought(value: Any, refuse: Refuse) -> Any:
    """A column that numpy does not know, but Arrow does, as Arrow's; others as they are."""
    if is_arrow(value) or hasattr(value, "__array__") or not speaks_arrow(value):
        return value
    if not has_pyarrow():
        raise refuse(f"is of type {type(value).__name__}, which needs pyarrow", "Install pyarrow")
    return exported(value, refuse)


def exported(value: Any, refuse: Refuse) -> Any:
    """A table, or a column, as one of Arrow; where it cannot be, the column at fault is named."""
    try:
        return _exported(value)
    except MemoryError:
        raise
    except Exception as err:
        name, kind = _column_at_fault(value)
        what = f"column '{shortened(name)}': " if name else ""
        fact = f"{what}type {kind} cannot be made Arrow's ({_reason(err)})"
        raise refuse(fact, FIX) from err


def exchanged(value: Any, refuse: Refuse) -> Any:
    """A table that speaks the interchange protocol alone, as one of Arrow."""
    if not has_pyarrow():
        fact = "has the interchange protocol alone, for which pyarrow is needed"
        raise refuse(fact, "Install pyarrow, or pass a table of pandas, polars or pyarrow")
    from pyarrow.interchange import from_dataframe

    with converting(refuse):
        return from_dataframe(value)


@contextmanager
def converting(refuse: Refuse) -> Iterator[None]:
    """Refuse what other packages fail to convert, whatever they raise."""
    try:
        yield
    except (FastSelectError, MemoryError):
        raise
    except Exception as err:
        raise refuse(f"cannot be made numbers ({_reason(err)})", FIX) from err


def _exported(value: Any) -> Any:
    import pyarrow as pa

    if hasattr(value, "to_arrow"):  # polars
        value = value.to_arrow()
    if isinstance(value, (pa.Table, pa.RecordBatch)):
        return pa.table(value)
    if isinstance(value, pa.Array):
        return pa.chunked_array([value])
    if isinstance(value, pa.ChunkedArray):
        return value
    if hasattr(value, "__arrow_c_array__"):
        chunks = [pa.array(value)]
    else:
        given = pa.chunked_array(value)
        chunks = given.chunks or [pa.nulls(0, given.type)]
    if not pa.types.is_struct(chunks[0].type):
        return pa.chunked_array(chunks)
    return pa.Table.from_batches(list(map(pa.RecordBatch.from_struct_array, chunks)))


def _column_at_fault(value: Any) -> tuple[str, str]:
    """The first column of a table that cannot be exported, and its type; those of a column."""
    names = getattr(value, "columns", None)
    for name in names if isinstance(names, list) else ():
        column = value[name]
        try:
            _exported(column)
        except Exception:
            return str(name), str(column.dtype)
    return "", str(getattr(value, "dtype", type(value).__name__))


def _reason(err: Exception) -> str:
    return (str(err) or type(err).__name__).partition("\n")[0].rstrip(".")[:LONGEST_REASON]
