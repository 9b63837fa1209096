"""Names of rows: what users join a selection back by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import Refuse, as_array, is_arrow, is_missing
from ._errors import InvalidInputError
from ._text import shortened


@dataclass(frozen=True)
class Ids:
    """The name of each row; no two are alike. ``values``: (n,), of numpy or Arrow."""

    values: Any

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.values)

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The names of rows, which ascend."""
        if isinstance(self.values, np.ndarray):
            return self.values[rows]
        from ._arrow import taken

        return taken(self.values, rows)

    def rows_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The rows that have these names, written as text; -1 for a name that none has."""
        if isinstance(self.values, np.ndarray):
            values = self.values
            rows = np.flatnonzero(np.isin(values, _like(names, values.dtype)))
        else:
            from ._arrow import among

            rows = among(self.values, names)
        row_of = {shown(name): row for name, row in zip(self[rows].tolist(), rows, strict=True)}
        return np.array([row_of.get(name, -1) for name in names], np.int64)


def shown(value: Any) -> str:
    """An id as text shows it: nothing for none; bytes that are no UTF-8 become an escape."""
    if value is None:
        return ""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _like(names: Sequence[str], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Those names that may be among ids of a type."""
    if dtype.kind in "iu":
        whole = [int(name) for name in names if re.fullmatch(r"-?[0-9]{1,19}", name)]
        bounds = np.iinfo(dtype)
        return np.array([each for each in whole if bounds.min <= each <= bounds.max], dtype)
    return np.array([name.encode() for name in names] if dtype.kind == "S" else list(names))


def ids_of(values: Any, refuse: Refuse, n: int) -> Ids:
    """Names of n rows out of whole numbers, text, bytes or objects that have a text, as UUIDs."""
    if isinstance(values, Ids):
        found = values.values
    elif is_arrow(values):
        from ._arrow import names_in

        found = names_in(values, refuse)
    else:
        found = as_array(values, refuse, boxed=True)
        found = found.reshape(-1) if found.shape[1:] == (1,) else found
    if isinstance(found, np.ndarray) and found.ndim != 1:
        raise refuse(f"shape is {found.shape} where ({n},) is needed, one for each row")
    if len(found) != n:
        raise refuse(f"holds {len(found)} where {n} rows need one each")
    if isinstance(found, np.ndarray) and not isinstance(values, Ids):
        found = _checked(found, refuse)
    return Ids(found)


def told_twice(value: Any, first: int, second: int, refuse: Refuse) -> InvalidInputError:
    """The error for two rows of one name."""
    shown = shortened(repr(value.item() if isinstance(value, np.generic) else value))
    return refuse(f"{shown} is given twice, rows {first} and {second}", "A name is of one row")


def _checked(ids: NDArray[Any], refuse: Refuse) -> NDArray[Any]:
    """An array of ids, if each row has one, and none that another has."""
    masked = np.flatnonzero(np.ma.getmask(ids))
    if masked.size:
        raise refuse(f"row {masked[0]} is masked, no id")
    ids = np.asarray(ids)
    if ids.dtype.kind == "T":
        ids = ids.astype(object)
    if ids.dtype.kind == "O":
        return _checked_objects(ids, refuse)
    if ids.dtype.kind not in "iufUSM":
        raise refuse(f"type is {ids.dtype}", "Use whole numbers or text")
    missing = np.flatnonzero(ids != ids)
    if missing.size:
        raise refuse(f"row {missing[0]} holds {ids[missing[0]]}, a missing value")
    if ids.dtype.kind == "f":
        odd = np.flatnonzero(ids != np.floor(ids))
        if odd.size:
            raise refuse(f"row {odd[0]} holds {ids[odd[0]]}", "Use whole numbers or text")
    if ids.dtype.kind in "iu" and (ids[1:] > ids[:-1]).all():
        return ids
    ordered = np.sort(ids)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        # Of all that come twice, the one that is met first.
        rows = np.flatnonzero(np.isin(ids, twice))
        first, second = np.flatnonzero(ids == ids[rows[0]])[:2]
        raise told_twice(ids[first], int(first), int(second), refuse)
    return ids


def _checked_objects(ids: NDArray[Any], refuse: Refuse) -> NDArray[Any]:
    """Ids that are Python objects, told apart by the text that they are written as."""
    rows: dict[str, int] = {}
    for row, value in enumerate(ids.tolist()):
        if is_missing(value):
            raise refuse(f"row {row} holds {value}, a missing value")
        if isinstance(value, (list, tuple, dict, set, np.ndarray)):
            fact = f"row {row} holds an object of type {type(value).__name__}"
            raise refuse(fact, "Use whole numbers or text")
        first = rows.setdefault(str(value), row)
        if first != row:
            raise told_twice(value, first, row, refuse)
    return ids
