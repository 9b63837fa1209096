"""A table of one part or several, as numpy needs it: a matrix, labels, names of rows.

Imported where there is a table: it loads pyarrow, which is optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .._arrays import Refuse
from .._arrow import (
    Filling,
    Numbers,
    column_of,
    common_type,
    floating,
    has_missing,
    is_text,
    made,
    of_column,
    plain,
    simple,
    storage,
    width_of,
)
from .._errors import ComputationError, InvalidInputError
from .._ids import Ids, ids_of, shown
from .._labels import Labels, labels_of
from .._scratch import Scratch
from .._suffixes import CSV_SUFFIXES
from .._text import shortened
from .choice import NO_FEATURES, check_has, chosen_columns, listed
from .delimited import CsvPart
from .ipc import ArrowPart
from .parquet import ParquetPart
from .reading import MOST_ROWS, Part
from .room import room_for
from .sources import Source
from .writing import Categories, CsvWriter, writer_of

BATCH_BYTES = 8 << 20
"""Bytes of numbers that are read at a time."""

MOST_NOTED = 5
"""Columns that a note names."""

FIRST_ROWS = 256
"""Rows that are read to see how long vectors are."""


class Dataset:
    """Parts that have the same columns, one below the other. Those without rows are passed over."""

    def __init__(self, sources: Sequence[Source], name: str) -> None:
        self.name = name
        self.refuse: Refuse = partial(InvalidInputError, name)
        self._given = [part_of(source) for source in sources]
        self.names = self._given[0].names

    @cached_property
    def parts(self) -> list[Part]:
        """The files that have rows, or the first one."""
        parts = [part for part in self._given if part.n_rows] or self._given[:1]
        CsvPart.agree([part for part in parts if isinstance(part, CsvPart)])
        return parts

    @cached_property
    def n_rows(self) -> int:
        """Rows of all parts."""
        return sum(part.n_rows for part in self.parts)

    def matrix(
        self,
        key: str | None,
        columns: str | None,
        aside: Sequence[str],
        *,
        flatten: bool,
        max_memory: int | None,
        scratch: Scratch | None,
    ) -> tuple[NDArray[Any], list[str]]:
        """The features, (n, d), and the names of their columns. `aside`: columns of other use.

        `key` names one column of vectors, `columns` several of numbers; see
        :func:`~fast_select.io.choice.chosen_columns` for what they may be and what is read without.
        """
        first = self.parts[0]
        aside = [self.named(word) for word in aside]
        if not self.n_rows:
            raise self.refuse("holds no rows, nothing to select from")
        chosen = chosen_columns(first.schema, key, columns, aside, first.refuse, flatten=flatten)
        for part in self.parts[1:]:
            others = chosen_columns(part.schema, key, columns, aside, part.refuse, flatten=flatten)
            _check_same(chosen, others, first, part)
        names = [column.name for column in chosen]
        width = self._width(chosen[0]) if chosen[0].depth else len(chosen)
        dtype = common_type(chosen)
        if dtype.kind != "f" and self._has_nulls(names, self._step(width, dtype)):
            dtype = floating(dtype)
        x = room_for((self.n_rows, width), dtype, self.refuse, max_memory, scratch)
        self._fill(x, chosen)
        return x, names

    def left_out(self, aside: Sequence[str]) -> list[str]:
        """A note on columns that are no features for a few cells that are no numbers, if any.

        `aside`: columns of other use.
        """
        apart = {*map(self.named, aside), *NO_FEATURES, ""}
        parts = [part for part in self.parts if isinstance(part, CsvPart)]
        found = []
        for name in self.names:
            if name in apart or not any(part.has_numbers(name) for part in parts):
                continue
            for part in parts:
                if cell := part.odd_cell(name):
                    place = f"line {cell[0]}" + (f" of {part.name}" if len(parts) > 1 else "")
                    found.append(f"'{shortened(name)}' ({place} holds '{shortened(cell[1])}')")
                    break
        if not found:
            return []
        shown, more = ", ".join(found[:MOST_NOTED]), len(found) - MOST_NOTED
        rest = f" and {more} more" if more > 0 else ""
        many = "Columns are" if len(found) > 1 else "A column is"
        return [f"{many} left out for a cell that is no number: {shown}{rest}."]

    def labels(self, word: str) -> Labels:
        """The labels in a column."""
        name = self.named(word)
        return labels_of(self._column(name, encoded=True), self._refuse_column(name), self.n_rows)

    def ids(self, word: str) -> Ids:
        """The names of rows in a column."""
        name = self.named(word)
        return ids_of(self._column(name), self._refuse_column(name), self.n_rows)

    def numbers(self, name: str) -> NDArray[Any]:
        """The numbers in a column, (n,)."""
        return plain(self._column(name), self._refuse_column(name))

    def texts(self, word: str) -> list[str]:
        """The cells of a column, as text shows them."""
        return [shown(value) for value in self._column(self.named(word)).to_pylist()]

    def cells(self, word: str, indices: NDArray[np.int64]) -> list[Any]:
        """Cells of a column by their rows, which ascend; no more of it stays in memory."""
        name, found, start = self.named(word), [], 0
        for part in self.parts:
            for array in part.column(name, part.rows_in(BATCH_BYTES)):
                first, last = np.searchsorted(indices, [start, start + len(array)])
                found += array.take(made(indices[first:last] - start)).to_pylist()
                start += len(array)
        return found

    def rows(self, indices: NDArray[np.int64], *, as_text: bool = False) -> Iterator[pa.Table]:
        """All columns of rows, by their numbers, which ascend, some rows at a time.

        `as_text`: cells of CSV as they are written.
        """
        schema = self.one_schema()
        gathered: list[pa.Table] = []
        start = size = 0
        for part in self.parts:
            step = part.rows_in(BATCH_BYTES)
            texts = part.texts(None) if as_text and isinstance(part, CsvPart) else None
            for batch in part.batches(None, step) if texts is None else texts:
                first, last = np.searchsorted(indices, [start, start + batch.num_rows])
                if first < last:
                    own = batch.take(made(indices[first:last] - start))
                    table = pa.Table.from_batches([own])
                    gathered.append(_like(table, schema) if texts is None else table)
                    size += table.nbytes
                start += batch.num_rows
                if gathered and (as_text or size > BATCH_BYTES):
                    yield pa.concat_tables(gathered)
                    gathered, size = [], 0
        if start != self.n_rows:
            raise ComputationError(self.name, "changed while it was read")
        if gathered:
            yield pa.concat_tables(gathered)

    def check_writable(self, suffix: str) -> None:
        """Refuse rows that no file of this suffix can hold as they are."""
        for field in self.one_schema():
            if suffix in CSV_SUFFIXES and pa.types.is_nested(storage(field.type)):
                fact = f"holds {field.type}, which CSV cannot"
                raise of_column(field.name, self.refuse)(fact, "Name a .parquet or .arrow file")

    def write(self, file: Any, suffix: str, indices: NDArray[np.int64]) -> None:
        """Write rows with all their columns, as they are, to what takes bytes."""
        first = self.parts[0]
        if suffix in CSV_SUFFIXES:
            csv = CsvWriter(file, *first.csv_form(suffix))
            for table in self.rows(indices, as_text=True):
                csv.write_table(table)
            return
        is_stream = isinstance(first, ArrowPart) and first.is_stream
        categories = Categories()
        with writer_of(file, suffix, self.one_schema(), as_stream=is_stream) as writer:
            for table in self.rows(indices):
                writer.write_table(categories.joined(table))

    def one_schema(self) -> pa.Schema:
        """The schema of all parts; refused, where they have several."""
        first = self.parts[0]
        kinds = dict(zip(first.names, first.schema.types, strict=True))
        for part in self.parts[1:]:
            if sorted(part.names) != sorted(first.names):
                odd = sorted({*part.names} ^ {*first.names}) or part.names
                fact = f"has other columns than {first.name} ({listed(odd)})"
                raise part.refuse(fact, "Give all parts one schema")
            for name, kind in zip(part.names, part.schema.types, strict=True):
                if _spelt(kind) != _spelt(kinds[name]):
                    fact = f"holds {kind} where {first.name} has {kinds[name]}"
                    raise of_column(name, part.refuse)(fact, "Give all parts one schema")
        return first.schema

    def named(self, word: str) -> str:
        """The column that a word means: its name, else its number from 1."""
        names = self.names
        if word not in names and re.fullmatch(r"[0-9]{1,9}", word) and 0 < int(word) <= len(names):
            return names[int(word) - 1]
        check_has(word, names, self._given[0].refuse)
        return word

    def _column(self, name: str, *, encoded: bool = False) -> pa.ChunkedArray:
        """A column of all parts, as it is written, (n,). `encoded`: text as categories."""
        chunks: list[pa.Array] = []
        for part in self.parts:
            check_has(name, part.names, part.refuse)
            for array in map(simple, part.column(name, MOST_ROWS)):
                is_plain = encoded and is_text(array.type)
                chunks.append(array.dictionary_encode() if is_plain else array)
                if chunks[-1].type != chunks[0].type:
                    fact = f"holds {array.type} where {self.parts[0].name} has {chunks[0].type}"
                    raise of_column(name, part.refuse)(fact, "Give all parts one schema")
        return pa.chunked_array(chunks)

    def _refuse_column(self, name: str) -> Refuse:
        return of_column(name, self.refuse)

    def _width(self, column: Numbers) -> int:
        arrays = (
            array
            for part in self.parts
            for batch in part.batches([column.name], FIRST_ROWS)
            for array in batch.columns
        )
        return width_of(arrays, column, self._refuse_column(column.name))

    def _has_nulls(self, names: Sequence[str], step: int) -> bool:
        """Whether some of the columns, or of their vectors, is missing; they are read for that."""
        for part in self.parts:
            unsure = [name for name in names if part.may_have_nulls(name)]
            if unsure:
                for batch in part.batches(unsure, step):
                    if any(has_missing(column_of(batch, name)) for name in unsure):
                        return True
        return False

    def _step(self, width: int, dtype: np.dtype[Any]) -> int:
        """Rows of the features that are read at a time."""
        return max(1, min(MOST_ROWS, BATCH_BYTES // (width * dtype.itemsize)))

    def _fill(self, x: NDArray[Any], columns: Sequence[Numbers]) -> None:
        """Read the columns into `x`, batch by batch: no more of the table is in memory."""
        step = self._step(x.shape[1], x.dtype)
        names = [column.name for column in columns]
        done = 0
        for part in self.parts:
            filling = Filling(x[done : done + part.n_rows], columns, part.refuse)
            for batch in part.batches(names, step):
                filling.take(batch)
            if filling.n_rows != part.n_rows:
                raise ComputationError(part.name, "changed while it was read")
            done += part.n_rows
        pa.default_memory_pool().release_unused()


def part_of(source: Source) -> Part:
    """A file of a table."""
    if source.format == "parquet":
        return ParquetPart(source)
    return ArrowPart(source) if source.format == "arrow" else CsvPart(source)


def _like(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a part in the order, and with the categories' numbers, of a schema."""
    if table.schema.names != schema.names:
        table = table.select(schema.names)
    return table if table.schema.equals(schema, check_metadata=True) else table.cast(schema)


def _spelt(kind: pa.DataType) -> pa.DataType:
    """A type; of categories, what they are: how they are numbered differs from part to part."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check_same(
    chosen: Sequence[Numbers], others: Sequence[Numbers], first: Part, part: Part
) -> None:
    """Refuse a part whose features are other columns, or of other types, than those of the first.

    In CSV types are what the cells of all parts are.
    """
    mine, theirs = ({column.name: column for column in each} for each in (chosen, others))
    for name, column in theirs.items():
        if name not in mine:
            fact = f"holds numbers, where {first.name} has none in a column of this name"
            raise of_column(name, part.refuse)(fact, "Choose columns that all parts have")
        dtype, depth = mine[name].dtype, mine[name].depth
        if (column.dtype, column.depth) != (dtype, depth):
            kinds = [f"{'vectors of ' * c.depth}{c.dtype}" for c in (column, mine[name])]
            fact = f"holds {kinds[0]} where {first.name} has {kinds[1]}"
            raise of_column(name, part.refuse)(fact, "Give all parts one schema")
    for name in mine:
        if name not in theirs:
            fact = f"has no numbers in column '{name}', which {first.name} has"
            raise part.refuse(fact, "Give all parts one schema")
