"""Tables written by the suffix of their file, into anything that takes bytes.

Imported where one is written: it loads pyarrow, which is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .sources import PARQUET_SUFFIXES


def write_columns(file: Any, suffix: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns of equal length, with the types that they have."""
    table = pa.table({name: array_of(values) for name, values in columns.items()})
    with writer_of(file, suffix, table.schema) as writer:
        writer.write_table(table)


def writer_of(file: Any, suffix: str, schema: pa.Schema, *, as_stream: bool = False) -> Any:
    """What writes tables of a schema one below the other. `as_stream`: Arrow's form of a stream."""
    if suffix in PARQUET_SUFFIXES:
        return pq.ParquetWriter(file, schema)
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    new = pa.ipc.new_stream if as_stream else pa.ipc.new_file
    return new(file, schema, options=options)


def array_of(values: NDArray[Any]) -> pa.Array:
    """A column of Arrow: numbers, text and bytes as they are, other objects as their text."""
    if values.dtype.kind != "O":
        return pa.array(values)
    boxed = values.tolist()
    if not ({*map(type, boxed)} <= {str} or {*map(type, boxed)} <= {bytes}):
        boxed = list(map(str, boxed))
    return pa.array(boxed, pa.string() if not boxed else None)
