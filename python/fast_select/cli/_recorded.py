"""What a report tells, found again: its input, and the rows that were selected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import FastSelectError, InvalidInputError
from .._hashes import hash_of_rows
from .._ids import Ids
from .._verify import Record
from ..io import read_indices, read_json
from ..io.labels import ROLES
from ._options import array_names, reading_names


def read_reports(name: str) -> list[Any]:
    """What a file says are reports: one, or a list; `-` is standard input."""
    parsed = read_json(Path(name))
    if not isinstance(parsed, list):
        return [parsed]
    if not parsed:
        raise InvalidInputError(name, "is a list without reports")
    return parsed


def read_records(name: str) -> list[Record]:
    """The records of a report, or of the list of those of several ratios; `-` is standard input."""
    records = [Record.of(report, name) for report in read_reports(name)]
    first = records[0]
    for record in records[1:]:
        if (record.hashes, record.named) != (first.hashes, first.named):
            fact = "holds reports on selections from different input"
            raise InvalidInputError(name, fact, "Verify one at a time")
    return records


def located(record: Record, own: Mapping[str, Any]) -> dict[str, Any]:
    """How to read the input: as it was named, but for what the user names now, `own`.

    A name that leads nowhere from here may lead there from the report's folder.
    """
    then = _checked(record)
    if "inputs" in own:
        if not any(map(_may_have_arrays, own["inputs"])):
            for name in ("key", "columns", "id_key"):
                then.pop(name, None)
            for role in ROLES:
                beside = {role.key, role.column} & then.keys()
                if beside and role.name not in then.keys() | own.keys():
                    fact = "are missing: the report tells of an input that held them"
                    raise InvalidInputError(f"--{role.name}", fact, "Name their file")
    elif "inputs" not in then:
        fact = "does not tell what was selected from"
        raise InvalidInputError(record.name, fact, "Name INPUT behind it")
    # One choice of columns takes the place of the other.
    for name, other in (("key", "columns"), ("columns", "key")):
        if name in own:
            then.pop(other, None)
    for role in ROLES:
        if role.name in own:
            for name in (role.name, role.key, role.column):
                then.pop(name, None)
    named = {**then, **own}
    if "inputs" not in own:
        named["inputs"] = [found(name, record.name, "INPUT") for name in then["inputs"]]
    for name in array_names() & (then.keys() - own.keys()):
        named[name] = found(then[name], record.name, f"--{name}")
    return named


def _checked(record: Record) -> dict[str, Any]:
    """How a report says that its input was named, if that can be."""
    then = {**record.named}
    known, files = reading_names(), {"inputs"} | array_names()
    for name, value in then.items():
        if name not in known:
            fact = f"tells that '{name}' says how to read the input, which this version has not"
            raise InvalidInputError(record.name, fact, "Update fast-select")
        several = value if name == "inputs" and isinstance(value, list) else [value]
        kinds = str if name in files else (str, bool)
        if not several or not all(isinstance(each, kinds) and each for each in several):
            raise InvalidInputError(record.name, f"has {value!r} for '{name}' of its input")
    return then


def recorded_rows(record: Record, ids: Ids | None) -> NDArray[np.int64] | None:
    """The rows that were selected, if their file is there and still holds them, or their `ids`."""
    if record.indices_file is None:
        return None
    for place in _places(record.indices_file, record.name):
        try:
            rows = read_indices(place, n=record.shape[0], ids=ids)
        except FastSelectError:  # it has gone, or holds ids of other rows
            continue
        if hash_of_rows(rows) == record.rows_hash:
            return rows
    return None


def _may_have_arrays(name: str) -> bool:
    """Whether an input may hold arrays by name, as a .npy does not."""
    path = Path(name)
    try:
        files = list(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return False  # to be refused as it is read
    return name == "-" or any(file.suffix.lower() not in (".npy", "") for file in files)


def found(name: str, report: str, flag: str) -> str:
    """A file that the report `report` names, here or beside it; `flag` may name another."""
    if name == "-":
        fact = "tells of standard input, which cannot be read again"
        raise InvalidInputError(report, fact, f"Name it by {flag}")
    for place in _places(name, report):
        try:
            if place.exists():
                return str(place)
        except (OSError, ValueError):
            continue
    fact = f"tells of {name}, which is neither here nor beside it"
    raise InvalidInputError(report, fact, f"Name it by {flag}")


def _places(name: str, report: str) -> tuple[Path, Path]:
    """Where a file that a report names may be."""
    return Path(name), Path(report).parent / name
