"""Which columns of a table are the features."""

from __future__ import annotations

from collections.abc import Container, Sequence
from fnmatch import fnmatchcase

import pyarrow as pa

from .._arrays import Refuse
from .._arrow import Numbers, kind_of, numbers_in, of_column, storage
from .._text import shortened

NO_FEATURES = ("id", "label")
"""Columns of numbers that are no features unless they are chosen by name."""

MOST_LISTED = 20
"""Columns that a message names."""


def chosen_columns(
    schema: pa.Schema,
    key: str | None,
    columns: str | None,
    aside: Container[str],
    refuse: Refuse,
    *,
    flatten: bool,
) -> list[Numbers]:
    """The features: one column of vectors, or columns of numbers.

    `key`: the column of vectors. `columns`: names and patterns, separated by commas. Without
    either all columns of numbers, but for `aside`, :data:`NO_FEATURES` and the index of a pandas
    table; where there are none, the only column of vectors. `flatten`: vectors may be of vectors.
    """
    if key is not None and columns is not None:
        raise refuse("features are chosen by --key and by --columns", "Leave one of them out")
    if key is None and columns is None:
        chosen = _all_numbers(schema, aside, refuse)
    else:
        names = [key] if key is not None else _matching(schema, columns or "", aside, refuse)
        chosen = [_numbers(schema, name, refuse) for name in names]
        if key is not None and not chosen[0].depth:
            fact = "holds one number a row, not vectors"
            raise of_column(key, refuse)(fact, "Choose columns of numbers with --columns")
    deepest = max(chosen, key=lambda column: column.depth)
    if deepest.depth > 1 and not flatten:
        fact = "holds vectors of vectors"
        raise of_column(deepest.name, refuse)(fact, "Use --flatten to make each entry a row")
    if deepest.depth and len(chosen) > 1:
        fact = "holds vectors, which other columns cannot be joined to"
        raise of_column(deepest.name, refuse)(fact, "Choose it alone, with --key")
    return chosen


def listed(names: Sequence[str]) -> str:
    """Names of columns, as many as fit a message."""
    shown = ", ".join(f"'{shortened(name)}'" for name in names[:MOST_LISTED])
    more = len(names) - MOST_LISTED
    return (f"{shown} and {more} more" if more > 0 else shown) or "none"


def check_has(name: str, names: Sequence[str], refuse: Refuse) -> None:
    """Refuse a name that no column has, or several have."""
    if names.count(name) != 1:
        many = "several columns" if name in names else "no column"
        raise refuse(f"has {many} '{shortened(name)}'; its columns are {listed(names)}")


def _numbers(schema: pa.Schema, name: str, refuse: Refuse) -> Numbers:
    """The numbers of a column, or a message that says what it holds instead."""
    check_has(name, schema.names, refuse)
    field = schema.field(name)
    found = numbers_in(field)
    if found is None:
        fact = f"holds {kind_of(field.type)}, not numbers"
        raise of_column(name, refuse)(fact, "Leave it out, or turn it into numbers first")
    return found


def _matching(schema: pa.Schema, columns: str, aside: Container[str], refuse: Refuse) -> list[str]:
    """The columns that names and patterns mean, each once."""
    found: dict[str, None] = {}
    names = [columns] if columns in schema.names else [word.strip() for word in columns.split(",")]
    for word in names:
        if word in schema.names:
            found[word] = None
            continue
        own = [n for n in schema.names if fnmatchcase(n, word) and n not in aside]
        if not own and not any(mark in word for mark in "*?["):
            check_has(word, schema.names, refuse)
        if not own:
            fact = f"has no column that matches '{word}'; its columns are {listed(schema.names)}"
            raise refuse(fact)
        found.update(dict.fromkeys(own))
    return list(found)


def _all_numbers(schema: pa.Schema, aside: Container[str], refuse: Refuse) -> list[Numbers]:
    """All columns of numbers, or the only one of vectors."""
    index = _pandas_index(schema)
    fields = [f for f in schema if f.name not in aside and f.name not in index]
    found = [numbers_in(f) for f in fields if not pa.types.is_null(storage(f.type))]
    known = [each for each in found if each is not None]
    vectors = [each for each in known if each.depth]
    flat = [each for each in known if not each.depth and each.name not in NO_FEATURES]
    if vectors and (flat or len(vectors) > 1):
        names = listed([each.name for each in vectors])
        fact = f"holds vectors in {names} and numbers in {listed([each.name for each in flat])}"
        raise refuse(fact, "Choose with --key or --columns")
    if not known or not (vectors or flat):
        others = [f"'{shortened(f.name)}' ({kind_of(f.type)})" for f in fields[:MOST_LISTED]]
        fact = f"has no columns of numbers, only {', '.join(others) or 'those for other use'}"
        raise refuse(fact, "Choose columns with --columns, or turn these into numbers first")
    for each in vectors or flat:
        _numbers(schema, each.name, refuse)  # refuses a name that two columns have
    return vectors or flat


def _pandas_index(schema: pa.Schema) -> set[str]:
    """Columns that hold the index of a pandas table: in Parquet as noted, in CSV without a name."""
    noted = (schema.pandas_metadata or {}).get("index_columns", [])
    return {"", *(name for name in noted if isinstance(name, str))}
