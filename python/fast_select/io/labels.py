"""Labels, or groups, of a file: an array, lines of text, or a column of a table."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._arrays import Refuse
from .._labels import NUMBER, Codes, Labels, check_rows, labels_of, of_texts
from .._suffixes import LIST_SUFFIXES
from .._text import shortened
from .npz import Archive
from .sources import COLUMNAR, Source
from .tables import dataset_of
from .text import Table

HEADERS = frozenset({"label", "labels", "class", "classes", "target", "targets", "category", "y"})
"""What columns of labels are called. No class, if it stands in the first line only."""

GROUP_HEADERS = frozenset({"group", "groups", "group_id", "cluster", "source", "document", "video"})


@dataclass(frozen=True)
class Role:
    """What labels are for, and what chooses them."""

    name: str
    """The parameter that has them, or their file."""
    noun: str
    headers: frozenset[str]
    """What their columns are called."""

    @property
    def key(self) -> str:
        """The parameter that names an array or a column."""
        return f"{self.noun}_key"

    @property
    def column(self) -> str:
        """The parameter that names a column, or numbers it."""
        return f"{self.noun}_column"

    @property
    def key_flag(self) -> str:
        """Its flag."""
        return f"--{self.noun}-key"

    @property
    def column_flag(self) -> str:
        """Its flag."""
        return f"--{self.noun}-column"


CLASSES = Role("labels", "label", HEADERS)
GROUPS = Role("groups", "group", GROUP_HEADERS)
ROLES = (CLASSES, GROUPS)


def read_labels(
    path: Path,
    *,
    role: Role = CLASSES,
    key: str | None = None,
    column: str | None = None,
    n: int | None = None,
) -> Labels:
    """Read labels of n rows: .npy, .npz (with `key`, or its only array), text, Parquet or Arrow.

    `column` of a table: its name (in the first line of a text), or its number from 1. Without it
    there must be one column, beside one that has no name and numbers the rows, as pandas writes it.
    """
    source = Source(path, LIST_SUFFIXES)
    if source.format in COLUMNAR:
        return _of_columns(source, column or key, role, n)
    if key is not None and source.format != "npz":
        raise source.refuse("is no .npz", f"Leave {role.key_flag} out")
    if column is not None and source.format != "text":
        raise source.refuse("is no table", f"Leave {role.column_flag} out")
    if source.format == "text":
        with source.text() as file:
            return _from_text(Table(file, source.refuse), column, role, n, source.refuse)
    if source.format == "npz":
        return labels_of_archive(source.archive, key, n, role.key_flag)
    return labels_of(source.array(None, 1, None), source.refuse, n)


def labels_of_archive(
    archive: Archive, key: str | None, n: int | None, flag: str | None = None
) -> Labels:
    """Labels of an .npz, which may be that of the features. `flag`: what chooses the array."""
    name = archive.chosen(key, 1, flag)
    check_rows(archive.header(name).shape[:1], n, archive.refuse)  # before it is unpacked
    return labels_of(archive.read(name), archive.refuse, n)


def _of_columns(source: Source, column: str | None, role: Role, n: int | None) -> Labels:
    """Labels in a column of a Parquet or Arrow file: the one chosen, or the only one."""
    dataset = dataset_of([source], source.name)
    if column is None:
        names = dataset.names
        if len(names) != 1:
            shown = ", ".join(f"'{shortened(name)}'" for name in names)
            raise source.refuse(f"holds the columns {shown}", f"Choose one with {role.column_flag}")
        column = names[0]
    labels = dataset.labels(column)
    check_rows(labels.codes.shape, n, source.refuse)
    return labels


def _from_text(
    table: Table, column: str | None, role: Role, n: int | None, refuse: Refuse
) -> Labels:
    at, has_header = _column(table.first, column, role, refuse)
    code_of = Codes({table.first[at]: 0})
    codes = array("q", [0])
    for cells in table.column(at):
        if "" in cells:
            line = table.place(len(codes) + 1 + cells.index(""))
            raise refuse(f"{line} has no {role.noun}", "Fill it in")
        codes.extend(map(code_of.__getitem__, cells))
        if n is not None and len(codes) > n + 1:
            raise refuse(f"holds more than {n} {role.name} where {n} rows need one each")
    rows = np.frombuffer(codes, np.int64)
    texts = list(code_of)
    has_header = has_header or _is_header(table, at, texts, role, again=bool((rows[1:] == 0).any()))
    if has_header:
        rows = rows[1:]
    elif not texts[0]:
        raise refuse(f"line 1 has no {role.noun}", "Fill it in")
    if n is not None and rows.size != n:
        fact = f"holds {rows.size} {role.name} where {n} rows need one each"
        fix = ""
        if has_header:
            fact += f" (line 1, '{shortened(texts[0])}', is read as a header)"
        elif rows.size == n + 1:
            fix = f"If line 1 is a header, name its column with {role.column_flag}, or remove it"
        raise refuse(fact, fix)
    return of_texts(rows, texts, refuse, lambda row: table.place(row + 1 + has_header))


def _column(first: list[str], column: str | None, role: Role, refuse: Refuse) -> tuple[int, bool]:
    """The column of labels, and whether its choice tells that the first line is a header."""
    listed = ", ".join(f"{i} '{shortened(cell)}'" for i, cell in enumerate(first, 1))
    if column is None:
        if len(first) == 1:
            return 0, False
        if len(first) == 2 and not first[0]:  # as pandas writes a series: unnamed row numbers
            return 1, True
        fix = f"Choose one with {role.column_flag}, by its name or number"
        raise refuse(f"holds several columns: {listed}", fix)
    if re.fullmatch(r"[0-9]+", column):
        at = int(column[:9])
        if 1 <= at <= len(first):
            return at - 1, False
        raise refuse(f"has no column {column}, only {listed}", "Columns are counted from 1")
    places = [i for i, cell in enumerate(first) if cell == column.strip()]
    if len(places) == 1:
        return places[0], True
    many = "several columns" if places else "no column"
    raise refuse(f"has {many} called '{column}'; its columns are {listed}")


def _is_header(table: Table, at: int, texts: list[str], role: Role, *, again: bool) -> bool:
    """Whether the first line holds names, not values. `again`: its label comes again."""
    head = table.first[at]
    if again or table.second is None:
        return False
    if head.casefold() in role.headers or (len(table.first) > 1 and not table.first[0]):
        return True
    if head == "0" and not any(map(_is_number, texts[1:])):  # pandas, for a series without a name
        return True
    if not _is_number(head) and all(map(_is_number, texts[1:])):
        return True
    beside = list(zip(table.first, table.second, strict=True))
    del beside[at]
    return any(not _is_number(name) and _is_number(value) for name, value in beside)


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None
