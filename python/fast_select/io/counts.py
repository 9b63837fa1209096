"""Numbers of rows by label: a table of two columns, or a JSON object."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .._arrays import Refuse
from .._text import counted, shortened
from .json_text import parsed
from .labels import HEADERS as LABEL_HEADERS
from .sources import Source
from .text import Table

SUFFIXES = (".csv", ".tsv", ".txt", ".json")
COUNT_HEADERS = frozenset({"count", "counts", "rows", "n", "n_rows", "number", "size"})
"""What a column of counts is called."""

WHOLE = re.compile(r"[0-9]{1,18}")


def read_counts(path: Path) -> dict[str, int]:
    """Read how many rows each label is to give: lines `label,count`, or JSON `{label: count}`.

    A first line may name the two columns, in either order.
    """
    source = Source(path, SUFFIXES)
    if source.format != "text":
        raise source.refuse("is an array file", "Use a table `label,count` or a JSON object")
    if path.suffix.lower() == ".json":
        return _from_json(source)
    with source.text() as file:
        return _from_table(Table(file, source.refuse), source.refuse)


def _from_json(source: Source) -> dict[str, int]:
    refuse, pairs = source.refuse, parsed(source, _Pairs)
    if not isinstance(pairs, _Pairs):
        raise refuse("holds no JSON object", "Write {label: count}")
    counts: dict[str, int] = {}
    for label, count in pairs:
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            shown = shortened(json.dumps(count) if not isinstance(count, _Pairs) else "{...}")
            raise refuse(f"has {shown} for '{shortened(label)}', not a number of rows")
        if label in counts:
            raise refuse(f"names '{shortened(label)}' twice")
        counts[label] = count
    return counts


class _Pairs(list[tuple[str, Any]]):
    """The entries of a JSON object, of which none undoes another."""


def _from_table(table: Table, refuse: Refuse) -> dict[str, int]:
    width = len(table.first)
    if width != 2:
        fact = f"has {counted(width, 'column')} where two are needed"
        raise refuse(fact, "Write lines `label,count`")
    at, header = _order(table.first)
    rows = [] if header else [table.first]
    rows += [cells for block in table.rows() for cells in block]
    counts: dict[str, int] = {}
    for number, cells in enumerate(rows, 1 + header):
        label, count = cells[1 - at], cells[at]
        if not label:
            raise refuse(f"{table.place(number)} has no label", "Fill it in")
        if not WHOLE.fullmatch(count):
            fact = f"{table.place(number)} has '{shortened(count)}' for '{shortened(label)}'"
            raise refuse(f"{fact}, not a number of rows")
        if label in counts:
            raise refuse(f"{table.place(number)} names '{shortened(label)}' a second time")
        counts[label] = int(count)
    return counts


def _order(first: list[str]) -> tuple[int, bool]:
    """The column of counts, and whether the first line is a header."""
    names = [name.casefold() for name in first]
    if names[0] in COUNT_HEADERS and names[1] in LABEL_HEADERS:
        return 0, True
    return 1, names[1] in COUNT_HEADERS
