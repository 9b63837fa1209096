"""Lists of row numbers from a file: an array, lines of text, one line, or a column of a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import Refuse
from .._ids import Ids
from .._rows import row_numbers
from .._suffixes import LIST_SUFFIXES
from .._text import shortened
from .sources import COLUMNAR, Source
from .tables import dataset_of
from .text import SPACE, Table

ID = "id"
"""What a column of ids is called."""

HEADERS = ("index", "indices", "row", "rows", "idx", "row_index", "row_number", "mask")
"""What a column of row numbers, or a mask of all rows, is called."""

WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
REAL = re.compile(r"[+-]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?")
FLAGS = {"true": True, "false": False}


def read_indices(path: Path, *, n: int | None = None, ids: Ids | None = None) -> NDArray[np.int64]:
    """Read row numbers of n rows (any, where that is None), each once, or a mask of all rows.

    .npy, .npz, or text: one a line, with a header or without; one line of several; or a table,
    Parquet and Arrow too, with a column called as in :data:`HEADERS`. Where rows have `ids`, a
    column `id`, and text of one column without a header, name rows by these, as `-o` writes them;
    space around a name counts where a row has it in its id.
    """
    source = Source(path, LIST_SUFFIXES)
    if source.format in COLUMNAR:
        return _from_columns(source, n, ids)
    if source.format != "text":
        key = "indices" if source.format == "npz" and "indices" in source.archive.names else None
        return row_numbers(source.array(key, 1, None), n, source.refuse)
    with source.text() as file:
        table = Table(file, source.refuse)
        if ids is not None and not _names_rows(table.first):
            return _by_id(table, ids, source.refuse)
        return _from_text(table, n, source.refuse)


def _from_columns(source: Source, n: int | None, ids: Ids | None) -> NDArray[np.int64]:
    """Rows in a column of a Parquet or Arrow file."""
    dataset = dataset_of([source], source.name)
    if ids is not None and not _names_rows(dataset.names):
        return _found(ids, dataset.texts(ID), "row {}".format, source.refuse)
    at, _ = _column(dataset.names, source.refuse)
    return row_numbers(dataset.numbers(dataset.names[at]), n, source.refuse)


def _by_id(table: Table, ids: Ids, refuse: Refuse) -> NDArray[np.int64]:
    """Rows whose ids are in the column `id` of a text, or in its only column."""
    has_header = ID in table.first
    if not has_header and len(table.first) > 1:
        _column(table.first, refuse)  # says which columns there are
    at = table.first.index(ID) if has_header else 0
    names = [] if has_header else [table.first_cell(at)]
    for cells in table.column(at, as_written=True):
        names.extend(cells)
    return _found(ids, names, lambda entry: table.place(entry + 1 + has_header), refuse)


def _found(
    ids: Ids, names: list[str], place: Callable[[int], str], refuse: Refuse
) -> NDArray[np.int64]:
    """The rows of these names, all of which there must be."""
    rows = ids.rows_of(names)
    unknown = np.flatnonzero(rows < 0)
    if unknown.size:
        rows[unknown] = ids.rows_of([names[entry].strip(SPACE) for entry in unknown])
        unknown = np.flatnonzero(rows < 0)
    if unknown.size:
        entry = int(unknown[0])
        fact = f"{place(entry)} names '{shortened(names[entry])}', which is the id of no row"
        raise refuse(fact)
    return row_numbers(rows, len(ids), refuse, place)


def is_header(names: list[str]) -> bool:
    """Whether a line of such cells would be read as names of columns."""
    names = [name.strip(SPACE) for name in names]
    return ID in names or _names_rows(names)


def _names_rows(names: list[str]) -> bool:
    """Whether one of the columns holds row numbers, or a mask."""
    return any(name.casefold() in HEADERS for name in names)


def _from_text(table: Table, n: int | None, refuse: Refuse) -> NDArray[np.int64]:
    if len(table.first) > 1 and table.second is None and any(map(_is_value, table.first)):

        def entry_of_line(entry: int) -> str:
            return f"entry {entry + 1} of line 1"

        return row_numbers(_values(table.first, entry_of_line, 0, refuse), n, refuse, entry_of_line)
    at, header = _column(table.first, refuse)

    def line(entry: int) -> str:
        return table.place(entry + 1 + header)

    blocks = [_values([] if header else table.first, line, 0, refuse)]
    count = 1 - header
    for cells in table.column(at):
        blocks.append(_values(cells, line, count, refuse))
        count += len(cells)
        if n is not None and count > n:
            raise refuse(f"lists more rows than the {n} of the input")
    full = [block for block in blocks if block.size]
    if len({block.dtype == np.bool_ for block in full}) > 1:
        raise refuse("holds both numbers and true or false")
    return row_numbers(np.concatenate(full or blocks), n, refuse, line)


def _column(first: list[str], refuse: Refuse) -> tuple[int, bool]:
    """The column of row numbers, and whether the first line is a header."""
    if len(first) == 1 and _is_value(first[0]):
        return 0, False
    places = [i for i, name in enumerate(first) if name.casefold() in HEADERS]
    if len(places) == 1:
        return places[0], True
    if len(first) == 1:
        fact = f"line 1 is '{shortened(first[0])}', neither a row number nor a header"
        raise refuse(fact, "A header is index or row")
    listed = ", ".join(f"'{shortened(name)}'" for name in first)
    many = "several" if places else "none"
    fact = f"has {len(first)} columns and {many} that names row numbers (line 1: {listed})"
    raise refuse(fact, "Call one of them index")


def _is_value(cell: str) -> bool:
    return cell.casefold() in FLAGS or REAL.fullmatch(cell.lstrip("+-")) is not None


def _values(
    cells: list[str], place: Callable[[int], str], first: int, refuse: Refuse
) -> NDArray[Any]:
    """Numbers or flags that cells write; `first`: the entry that the first of them is."""
    text = "".join(cells)
    if text.isascii() and text.isdecimal() and "" not in cells and max(map(len, cells)) < 19:
        return np.array(list(map(int, cells)), dtype=np.int64)
    if cells and all(cell.casefold() in FLAGS for cell in cells):
        return np.array([FLAGS[cell.casefold()] for cell in cells])
    values = []
    for entry, cell in enumerate(cells, first):
        value = int(cell) if WHOLE.fullmatch(cell) else None
        if value is None and REAL.fullmatch(cell):
            value = int(float(cell)) if float(cell).is_integer() else None
        if value is None or not 0 <= value < 2**63:
            fact = f"{place(entry)} is '{shortened(cell)}' where a row number is needed"
            raise refuse(fact, "Row numbers are whole and count from 0")
        values.append(value)
    return np.array(values, dtype=np.int64)
