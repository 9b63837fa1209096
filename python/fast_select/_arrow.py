"""Arrow columns as numpy arrays: numbers and vectors, of which what is missing is NaN.

Imported where a table is at hand: it loads pyarrow, which is optional. Arrays are made of buffers,
and read by them: pyarrow's own conversions load pandas, where that is installed, which takes a
second and swallows Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ._arrays import EXACT, Refuse, check_exact
from ._errors import InvalidInputError
from ._ids import told_twice
from ._interchange import converting
from ._text import counted, shortened

ROWS_AT_A_TIME = 4096
"""Rows of single columns that are put side by side at a time: such a block stays in the cache."""


@dataclass(frozen=True)
class Numbers:
    """What a column of numbers holds: ``depth`` 0, one a row; 1, vectors; 2, vectors of these."""

    name: str
    dtype: np.dtype[Any]
    depth: int


def storage(kind: pa.DataType) -> pa.DataType:
    """The type in which an extension type is kept."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def is_list(kind: pa.DataType) -> bool:
    """Whether values of a type are lists, of whatever kind."""
    names = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
    tests = (getattr(pa.types, f"is_{name}", None) for name in names)  # views: since pyarrow 16
    return any(test is not None and test(kind) for test in tests)


def is_text(kind: pa.DataType) -> bool:
    """Whether values of a type are strings or bytes."""
    names = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    tests = (getattr(pa.types, f"is_{name}", None) for name in names)
    return any(test is not None and test(kind) for test in tests)


def numbers_in(field: pa.Field) -> Numbers | None:
    """What numbers a column holds; None where it holds other things."""
    kind, depth = storage(field.type), 0
    while is_list(kind):
        kind, depth = storage(kind.value_type), depth + 1
    if pa.types.is_null(kind):
        return Numbers(field.name, np.dtype(np.float16), depth)  # NaN, in whatever float type
    if pa.types.is_decimal(kind):
        return Numbers(field.name, np.dtype(np.float64), depth)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return Numbers(field.name, np.dtype(kind.to_pandas_dtype()), depth)
    return None


def kind_of(kind: pa.DataType) -> str:
    """What a type that is no number holds, for people."""
    kind = storage(kind)
    if pa.types.is_dictionary(kind):
        return "categories"
    if is_text(kind):
        return "text"
    if pa.types.is_temporal(kind):
        return "times"
    return str(kind)


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which NaN stands beside numbers of `dtype`."""
    if dtype.kind == "f":
        return dtype
    return np.dtype(np.float64 if dtype.itemsize > 2 else np.float32)


def numbers(array: pa.Array, refuse: Refuse) -> NDArray[Any]:
    """The numbers of an array, (rows,); where some are missing, in a float type, and NaN."""
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    kind = array.type
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan, np.float16)
    if pa.types.is_decimal(kind):
        array = array.cast(pa.float64())
        if (np.abs(contents(array.drop_null())) > EXACT).any():
            fact = f"holds {kind} beyond 2**53, which float64 rounds"
            raise refuse(fact, "Cast it to int64 or text, or leave it out")
    values = flags(array) if pa.types.is_boolean(kind) else contents(array)
    if not array.null_count:
        return values
    missing = ~valid(array)
    if values.dtype.kind in "iu":
        values = np.where(missing, values.dtype.type(0), values)
        check_exact(values, refuse)
    return np.where(missing, np.nan, values).astype(floating(values.dtype), copy=False)


def made(values: NDArray[Any]) -> pa.Array:
    """Numbers as an array of Arrow."""
    if values.dtype.kind == "b":
        return made(values.view(np.uint8)).cast(pa.bool_())
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(
        kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))]
    )


def made_of_texts(values: Sequence[str | bytes], kind: pa.DataType) -> pa.Array:
    """Text or bytes as an array of Arrow, of a type that has them."""
    coded = [value.encode() if isinstance(value, str) else value for value in values]
    ends = np.cumsum([0, *map(len, coded)])
    large = pa.large_binary() if pa.types.is_large_binary(kind) else pa.large_string()
    buffers = [None, pa.py_buffer(ends.astype(np.int64)), pa.py_buffer(b"".join(coded))]
    return pa.Array.from_buffers(large, len(coded), buffers).cast(kind)


def contents(array: pa.Array) -> NDArray[Any]:
    """The numbers of an array as they lie in memory; anything where they are missing."""
    dtype = np.dtype(array.type.to_pandas_dtype())
    if not len(array):
        return np.empty(0, dtype)
    start = array.offset * dtype.itemsize
    return np.frombuffer(array.buffers()[1], dtype, count=len(array), offset=start)


def flags(array: pa.Array) -> NDArray[np.bool_]:
    """True and False; either where they are missing."""
    return contents(array.cast(pa.uint8())).view(np.bool_)


def valid(array: pa.Array) -> NDArray[np.bool_]:
    """Which entries are not null."""
    return flags(array.is_valid())


class Uneven(Exception):
    """Vectors of different lengths: that of ``row`` is ``length``, of one before it ``first``."""

    def __init__(self, row: int, length: int, first: int) -> None:
        self.row, self.length, self.first = row, length, first


def vectors(
    array: pa.Array,
    depth: int,
    refuse: Refuse,
    length: int | None = None,
    row_of: Callable[[int], int] = int,
) -> NDArray[Any]:
    """The vectors of an array, (rows, width); those missing are NaN. All missing: width 0.

    `length`: of each, if that is known. `row_of` tells which row an entry belongs to.
    """
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if depth == 0:
        return numbers(array, refuse).reshape(-1, 1)
    there = np.arange(len(array)) if not array.null_count else np.flatnonzero(valid(array))
    if not there.size:
        return np.empty((len(array), 0), np.float16)
    lengths = numbers(pc.list_value_length(array).drop_null(), refuse)
    each = int(lengths[0]) if length is None else length
    other = np.flatnonzero(lengths != each)
    if other.size:
        raise Uneven(row_of(int(there[other[0]])), int(lengths[other[0]]), each)

    def row_of_item(item: int) -> int:
        return row_of(int(there[item // each]))

    items = vectors(array.flatten(), depth - 1, refuse, row_of=row_of_item)
    found = items.reshape(there.size, -1 if items.size else 0)
    if there.size == len(array):
        return found
    rows = np.full((len(array), found.shape[1]), np.nan, floating(found.dtype))
    rows[there] = found
    return rows


class Filling:
    """A matrix that is filled with the columns of one record batch after the other."""

    def __init__(self, x: NDArray[Any], columns: Sequence[Numbers], refuse: Refuse) -> None:
        self._x, self._columns, self._refuse = x, columns, refuse
        self.n_rows = 0

    def take(self, batch: pa.RecordBatch) -> None:
        """Put a batch below what is there."""
        first = self.n_rows
        rows = self._x[first : first + batch.num_rows]
        self.n_rows += batch.num_rows
        if len(rows) < batch.num_rows:
            return  # more than was counted: the caller compares
        if self._columns[0].depth:
            self._take_vectors(batch, rows, first)
        else:
            self._take_numbers(batch, rows)

    def _take_vectors(self, batch: pa.RecordBatch, rows: NDArray[Any], first: int) -> None:
        [column] = self._columns
        refuse = of_column(column.name, self._refuse)
        array = column_of(batch, column.name)
        with converting(refuse):
            found = vectors_of_width(array, column.depth, rows.shape[1], refuse, first)
        rows[:] = self._fitting(found, refuse) if found.size else np.nan

    def _take_numbers(self, batch: pa.RecordBatch, rows: NDArray[Any]) -> None:
        found = []
        for column in self._columns:
            refuse = of_column(column.name, self._refuse)
            array = column_of(batch, column.name)
            with converting(refuse):
                found.append(self._fitting(numbers(array, refuse), refuse))
        for at in range(0, len(rows), ROWS_AT_A_TIME):
            for j, values in enumerate(found):
                rows[at : at + ROWS_AT_A_TIME, j] = values[at : at + ROWS_AT_A_TIME]

    def _fitting(self, values: NDArray[Any], refuse: Refuse) -> NDArray[Any]:
        """`values`, if the matrix can hold them as they are."""
        if self._x.dtype.kind == "f" and values.dtype.kind in "iu":
            check_exact(values, refuse)
        return values


def matrix_of(table: pa.Table, columns: Sequence[Numbers], refuse: Refuse) -> NDArray[Any]:
    """The matrix that columns of numbers, or one of vectors, make."""
    names = [column.name for column in columns]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise refuse(f"has several columns '{shortened(twice[0])}'")
    if not columns:
        raise refuse("has no columns")
    deepest = max(columns, key=lambda column: column.depth)
    own = of_column(deepest.name, refuse)
    if deepest.depth and len(columns) > 1:
        raise own("holds vectors, which other columns cannot be joined to", "Take it alone")
    if deepest.depth > 1:
        raise own("holds vectors of vectors", "Flatten them")
    dtype = common_type(columns)
    if dtype.kind != "f" and any(
        has_missing(chunk) for name in names for chunk in table.column(name).chunks
    ):
        dtype = floating(dtype)
    chunks = table.column(deepest.name).chunks
    width = width_of(chunks, deepest, own) if deepest.depth else len(columns)
    x = np.empty((table.num_rows, width), dtype)
    filling = Filling(x, columns, refuse)
    for batch in table.to_batches():
        filling.take(batch)
    return x


def has_missing(array: pa.Array) -> bool:
    """Whether some of a column, or of its vectors, is missing."""
    if isinstance(array.type, pa.BaseExtensionType):
        return has_missing(array.storage)
    return bool(array.null_count) or (is_list(array.type) and has_missing(array.flatten()))


def vectors_of_width(
    array: pa.Array, depth: int, width: int, refuse: Refuse, first: int
) -> NDArray[Any]:
    """The vectors of an array, each of `width` numbers; `first`: the row that it begins with."""
    try:
        found = vectors(array, depth, refuse, width if depth == 1 else None)
    except Uneven as err:
        raise uneven(first + err.row, err.length, err.first, refuse) from None
    if found.shape[1] != width and array.null_count < len(array):
        row = first + int(np.flatnonzero(valid(array))[0])
        raise uneven(row, found.shape[1], width, refuse)
    return found


def uneven(row: int, length: int, other: int, refuse: Refuse) -> InvalidInputError:
    """The error for a row whose vector is longer or shorter than those before it."""
    fact = f"row {row} holds {counted(length, 'number')} where rows before it hold {other}"
    return refuse(fact, "Give all vectors one length")


def chunked(values: Any, refuse: Refuse) -> pa.ChunkedArray:
    """An Arrow array or column, each chunk as in :func:`simple`."""
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    if not isinstance(values, pa.ChunkedArray):
        raise refuse(f"is of type {type(values).__name__} where a column is needed")
    chunks = values.chunks or [pa.nulls(0, values.type)]
    return pa.chunked_array([simple(chunk) for chunk in chunks])


def simple(array: pa.Array) -> pa.Array:
    """An array in one of few layouts: large strings and bytes, as categories too; numbers."""
    if isinstance(array.type, pa.BaseExtensionType):
        return simple(array.storage)
    kind = array.type
    if pa.types.is_dictionary(kind):
        # A category may be null itself, which counts as missing only when it is spelt out.
        if not is_text(kind.value_type) or array.dictionary.null_count:
            return simple(array.dictionary_decode())
        texts = simple(array.dictionary)
        return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), texts)
    if pa.types.is_fixed_size_binary(kind):
        return array.cast(pa.large_binary())
    if is_text(kind):
        is_bytes = "binary" in str(kind)
        return array.cast(pa.large_binary() if is_bytes else pa.large_string())
    return array


def encoded(column: pa.ChunkedArray, refuse: Refuse) -> tuple[NDArray[np.int64], list[Any]] | None:
    """Text as a number a row and the texts that these stand for; None where it is no text."""
    if not (is_text(column.type) or pa.types.is_dictionary(column.type)):
        return None
    code_of: dict[Any, int] = {}
    codes = []
    for chunk in column.chunks:
        own = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        texts = own.dictionary.to_pylist()
        numbers_of = [code_of.setdefault(text, len(code_of)) for text in texts]
        codes.append(np.array(numbers_of, np.int64)[numbers(own.indices, refuse)])
    return np.concatenate(codes or [np.empty(0, np.int64)]), list(code_of)


def plain(column: pa.ChunkedArray, refuse: Refuse) -> NDArray[Any]:
    """A column of numbers, (rows,)."""
    found = numbers_in(pa.field("", column.type))
    if found is None or found.depth:
        raise refuse(f"type is {column.type}", "Use numbers or text")
    parts = [numbers(chunk, refuse) for chunk in column.chunks]
    return np.concatenate(parts or [np.empty(0, found.dtype)])


def first_null(column: pa.ChunkedArray) -> int:
    """The first row that holds nothing."""
    row = 0
    for chunk in column.chunks:
        if chunk.null_count:
            return row + int(np.flatnonzero(~valid(chunk))[0])
        row += len(chunk)
    raise ValueError("nothing is missing")


def names_in(values: Any, refuse: Refuse) -> NDArray[Any] | pa.ChunkedArray:
    """Ids of an Arrow array: numbers as numpy's, which are not checked yet; text as it is."""
    column = chunked(values, refuse)
    if column.null_count:
        raise refuse(f"row {first_null(column)} has no id")
    if getattr(values.type, "extension_name", "") == "arrow.uuid":
        column = pa.chunked_array(list(map(uuid_texts, column.chunks)), pa.large_string())
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks])
    if not is_text(column.type):
        return plain(column, refuse)
    if pc.count_distinct(column).as_py() < len(column):
        counts = pc.value_counts(column)
        twice = counts.filter(pc.greater(counts.field("counts"), 1))[0]["values"]
        first, second = pc.indices_nonzero(pc.equal(column, twice))[:2].to_pylist()
        raise told_twice(twice.as_py(), first, second, refuse)
    return column


def uuid_texts(array: pa.Array) -> pa.Array:
    """UUIDs, given as large binary, as they are written: hexadecimal, with hyphens."""
    size = 16
    data = np.frombuffer(b"".join(array.to_pylist()), np.uint8).reshape(-1, size)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    hexes = digits[np.stack([data >> 4, data & 15], axis=2)].reshape(-1, 2 * size)
    texts = np.insert(hexes, [8, 12, 16, 20], ord("-"), axis=1)
    ends = np.arange(len(texts) + 1, dtype=np.int64) * texts.shape[1]
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(texts))]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


def among(column: pa.ChunkedArray, names: Sequence[str | bytes]) -> NDArray[np.int64]:
    """The rows of a column of text that hold one of `names`."""
    wanted = made_of_texts(names, column.type)
    return np.flatnonzero(np.concatenate([flags(pc.is_in(c, wanted)) for c in column.chunks]))


def taken(column: pa.ChunkedArray, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Entries of a column of text, by rows that ascend, as Python objects, (m,)."""
    ends = np.cumsum([len(chunk) for chunk in column.chunks])
    found = np.empty(len(rows), object)
    at = 0
    for chunk, end in zip(column.chunks, ends.tolist(), strict=True):
        to = int(np.searchsorted(rows, end))
        own = rows[at:to] - (end - len(chunk))
        found[at:to] = chunk.take(made(own)).to_pylist()
        at = to
    return found


def column_of(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column by its name."""
    return batch.column(batch.schema.get_field_index(name))


def common_type(columns: Iterable[Numbers]) -> np.dtype[Any]:
    """The type in numpy that holds the numbers of all columns."""
    return np.result_type(*(column.dtype for column in columns))


def of_column(name: str, refuse: Refuse) -> Refuse:
    """Makes errors for a column of what `refuse` makes them for."""

    def refuse_column(fact: str, fix: str = "") -> InvalidInputError:
        colon = "" if fact.startswith(("holds ", "has ", "is ")) else ":"
        return refuse(f"column '{shortened(name)}'{colon} {fact}", fix)

    return refuse_column


def width_of(arrays: Iterable[pa.Array], column: Numbers, refuse: Refuse) -> int:
    """The length of the vectors of a column, from the first that there is."""
    for array in arrays:
        with converting(refuse):
            try:
                width: int = vectors(array, column.depth, refuse).shape[1]
            except Uneven as err:
                raise uneven(err.row, err.length, err.first, refuse) from None
        if array.null_count < len(array):
            if not width:
                break
            return width
    raise refuse("holds no vectors with numbers in them")
