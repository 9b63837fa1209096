"""Tables written by the suffix of their file, into anything that takes bytes.

Imported where one is written: it loads pyarrow, which is optional.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .._arrow import made, made_of_texts
from .._ids import texts_of
from .._suffixes import PARQUET_SUFFIXES
from .csv_text import csv_lines


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


class CsvWriter:
    """Writes tables as lines of CSV; what is missing is an empty cell."""

    def __init__(self, file: Any, delimiter: str, names: Sequence[str] | None) -> None:
        self._file, self._delimiter = file, delimiter
        if names is not None:
            self._write([[name] for name in names])

    def write_table(self, table: pa.Table) -> None:
        """Write lines below the ones before."""
        self._write([[cell or "" for cell in text_of(c).to_pylist()] for c in table.columns])

    def _write(self, columns: Sequence[Sequence[str]]) -> None:
        self._file.write(csv_lines(columns, self._delimiter).encode())


def text_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as CSV writes them, each with the digits that tell it from others."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    return column.cast(pa.string())


class Categories:
    """Gives columns of categories one dictionary, which grows: files of Arrow allow no other."""

    def __init__(self) -> None:
        self._known: dict[int, pa.Array] = {}

    def joined(self, table: pa.Table) -> pa.Table:
        """A table whose categories are numbered as in those before it."""
        for place, column in enumerate(table.columns):
            kind = column.type
            if not pa.types.is_dictionary(kind):
                continue
            known = self._known.get(place, pa.nulls(0, kind.value_type))
            none = pa.DictionaryArray.from_arrays(
                pa.nulls(0, kind.index_type), known, ordered=kind.ordered
            )
            chunks = pa.chunked_array([none, *column.chunks]).unify_dictionaries().chunks
            self._known[place] = chunks[0].dictionary
            table = table.set_column(place, table.field(place), pa.chunked_array(chunks[1:], kind))
        return table


def array_of(values: NDArray[Any]) -> pa.Array:
    """A column of Arrow: numbers, text and bytes as they are, other objects as their text."""
    if values.dtype.kind in "iufb":
        return made(values)
    boxed = values.tolist()
    if boxed and all(isinstance(value, bytes) for value in boxed):
        return made_of_texts(boxed, pa.binary())
    return made_of_texts(texts_of(values), pa.string())
