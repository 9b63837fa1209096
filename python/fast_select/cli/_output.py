"""Results as bytes: indices by the suffix of their file, reports as JSON."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from ._commit import Sink, Writer
from ._targets import Target

BLOCK = 1 << 16
"""Lines made at a time; in between the run can be stopped."""

Report = dict[str, Any] | list[dict[str, Any]]


def table_writer(target: Target, columns: Mapping[str, NDArray[Any]]) -> Writer:
    """What writes a selection by the suffix of its file: all columns in CSV, else the indices."""
    suffix = Path(target.name).suffix
    indices = columns["index"]

    def write(file: Sink) -> None:
        if suffix == ".npy":
            np.save(file, indices)
        elif suffix == ".npz":
            save_npz(file, "indices", indices)
        elif is_table(target):
            file.write(lines([columns.keys()]))
            write_lines(file, list(columns.values()))
        else:
            write_lines(file, [indices])

    return write


def is_table(target: Target) -> bool:
    """Whether a selection's file has a place for all columns."""
    return Path(target.name).suffix == ".csv"


def assignment_writer(target: Target, assignment: NDArray[np.int64]) -> Writer:
    """What writes the pick of each row by the suffix of its file; in CSV beside the row."""
    suffix = Path(target.name).suffix

    def write(file: Sink) -> None:
        if suffix == ".npy":
            np.save(file, assignment)
        elif suffix == ".npz":
            save_npz(file, "assignment", assignment)
        elif suffix == ".csv":
            file.write(lines([("row", "pick")]))
            write_lines(file, [np.arange(assignment.size), assignment])
        else:
            write_lines(file, [assignment])

    return write


def save_npz(file: Sink, name: str, array: NDArray[Any]) -> None:
    """Write an archive of one array: numpy.savez wants a file that can be read as well."""
    with zipfile.ZipFile(cast("IO[bytes]", file), "w") as archive:
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            np.save(member, array)


def write_lines(file: Sink, columns: Sequence[NDArray[Any]]) -> None:
    """Write columns of equal length as lines."""
    for at in range(0, columns[0].size, BLOCK):
        file.write(lines(zip(*(c[at : at + BLOCK] for c in columns), strict=True)))


def lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows as lines of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return encoded(text.getvalue())


def json_writer(report: Report) -> Writer:
    """What writes a report."""
    text = to_json(report)
    return lambda file: (file.write(encoded(text)), None)[1]


def json_printer(report: Report) -> Writer:
    """What prints a report on standard output."""
    data = printable(report)
    return lambda file: (file.write(data), None)[1]


def print_json(report: Report) -> None:
    """Print a report on standard output."""
    sys.stdout.buffer.write(printable(report))


def printable(report: Report) -> bytes:
    """A report in the characters that standard output has."""
    encoding = sys.stdout.encoding
    try:
        return to_json(report).encode(encoding)
    except UnicodeEncodeError:
        return to_json(report, ascii_only=True).encode(encoding)


def check_stdout() -> None:
    """Refuse a standard output that cannot be printed on, before any work."""
    Target.stdout()


def to_json(report: Report, *, ascii_only: bool = False) -> str:
    """A report as strict JSON: no NaN."""
    return json.dumps(report, indent=2, allow_nan=False, ensure_ascii=ascii_only) + "\n"


def encoded(text: str) -> bytes:
    """UTF-8; what a file name has that is no UTF-8 becomes an escape, in JSON as in CSV."""
    return text.encode("utf-8", "backslashreplace")
