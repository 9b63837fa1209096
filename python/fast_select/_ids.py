"""Names of rows: what users join a selection back by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import EXACT, Refuse, as_array, is_arrow, is_missing
from ._errors import InvalidInputError
from ._interchange import brought, converting
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
        rows = self._among(names)
        row_of = dict(zip(texts_of(self[rows]), rows, strict=True))
        found = np.array([row_of.get(name, -1) for name in names], np.int64)
        if isinstance(self.values, np.ndarray) and self.values.dtype.kind in "iuf":
            # As lists of numbers may write them; 007 is another name than 7.
            for entry in np.flatnonzero(found < 0).tolist():
                found[entry] = row_of.get(ZEROS.sub("", names[entry]), -1)
        return found

    def _among(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The rows that may have one of these names: few others."""
        values = self.values
        escaped = [name for name in names if "\\" in name]
        if not isinstance(values, np.ndarray):
            from ._arrow import among

            is_bytes = "binary" in str(values.type)
            return among(values, [*names, *(map(_bytes_of, escaped) if is_bytes else ())])
        kind = values.dtype.kind
        if kind in "OMf":
            return np.arange(len(values))
        if kind in "iu":
            whole = [int(ZEROS.sub("", name)) for name in names if WHOLE.fullmatch(name)]
            bounds = np.iinfo(values.dtype)
            wanted = [each for each in whole if bounds.min <= each <= bounds.max]
            return np.flatnonzero(np.isin(values, np.array(wanted, values.dtype)))
        if kind == "S":
            known = np.array([*map(str.encode, names), *map(_bytes_of, escaped)])
        else:
            known = np.array([*names, *(ESCAPE.sub(_character, name) for name in escaped)])
        return np.flatnonzero(np.isin(values, known))


ZEROS = re.compile(r"\.0*$")
WHOLE = re.compile(r"-?[0-9]{1,20}(?:\.0*)?")
ESCAPE = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})")
"""How files write bytes that are no UTF-8, and halves of characters."""


def shown(value: Any) -> str:
    """An id as files show it: nothing for none; what UTF-8 cannot hold becomes an escape."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def texts_of(values: NDArray[Any]) -> list[str]:
    """Ids, or other values of rows, as files show them."""
    if values.dtype.kind == "M":
        return list(np.datetime_as_string(values).tolist())
    return list(map(str if values.dtype.kind in "iufb" else shown, values.tolist()))


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1] or escape[2], 16))


def _bytes_of(name: str) -> bytes:
    """The bytes that a name shows, its escapes among them."""
    parts = re.split(r"\\x([0-9a-f]{2})", name)
    coded = [bytes([int(part, 16)]) if at % 2 else part.encode() for at, part in enumerate(parts)]
    return b"".join(coded)


def ids_of(values: Any, refuse: Refuse, n: int) -> Ids:
    """Names of n rows out of whole numbers, text, bytes or objects that have a text, as UUIDs."""
    if isinstance(values, Ids):
        found = values.values
    elif is_arrow(values := brought(values, refuse)):
        from ._arrow import names_in

        with converting(refuse):
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
        if (np.abs(ids) <= np.float64(EXACT)).all():
            ids = ids.astype(np.int64)  # 1, not 1.0: as whole numbers became floats beside NaN
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
