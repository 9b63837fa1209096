"""Results as bytes: indices by the suffix of their file, reports as JSON."""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from .._ids import shown, texts_of
from .._suffixes import ARROW_SUFFIXES, CSV_SUFFIXES, PARQUET_SUFFIXES
from ..io.csv_text import csv_lines
from ..io.rows import ID, is_header
from ._commit import Sink, Writer
from ._targets import Target

if TYPE_CHECKING:
    from .._ids import Ids
    from .._selection import Selection
    from ..page import Told
    from ..page.contact import Contact

BLOCK = 1 << 16
"""Lines made at a time; in between the run can be stopped."""

Report = dict[str, Any] | list[dict[str, Any]]


def table_writer(target: Target, columns: Mapping[str, NDArray[Any]]) -> Writer:
    """What writes a selection, or the picks of all rows, by the suffix of its file.

    Tables and archives have all columns, .npy the row numbers, text the ids or, without ids, these.
    """
    suffix = target.suffix
    rows = columns.get("pick", columns.get("index"))
    names = columns.get("pick_id", columns.get("id", rows))

    def write(file: Sink) -> None:
        if suffix == ".npy":
            np.save(file, cast("NDArray[Any]", rows))
        elif suffix == ".npz":
            # numpy.savez wants a file that can be read as well.
            with zipfile.ZipFile(cast("IO[bytes]", file), "w") as archive:
                for name, values in columns.items():
                    member = "indices" if name == "index" else name
                    with archive.open(f"{member}.npy", "w", force_zip64=True) as part:
                        np.save(part, unboxed(values), allow_pickle=False)
        elif suffix in (*PARQUET_SUFFIXES, *ARROW_SUFFIXES):
            from ..io.writing import write_columns

            write_columns(file, suffix, columns)
        elif suffix in CSV_SUFFIXES:
            mark = "\t" if suffix == ".tsv" else ","
            file.write(encoded(csv_lines([[name] for name in columns], mark)))
            write_lines(file, list(columns.values()), mark)
        else:
            listed = cast("NDArray[Any]", names)
            if is_header(texts_of(listed[:1])):
                file.write(f"{ID}\n".encode())  # or the first name would be read as one
            write_lines(file, [listed])

    return write


def assignment_columns(selection: Selection, ids: Ids | None) -> dict[str, NDArray[Any]]:
    """Each row, the pick that stands for it (-1 for none), and the ids of both where there are."""
    picks = selection.assignment
    if picks is None:
        return {}
    rows = np.arange(picks.size)
    if ids is None or selection.ids is None:
        return {"row": rows, "pick": picks}
    own = selection.ids[np.searchsorted(selection.indices, np.maximum(picks, selection.indices[0]))]
    if (picks < 0).any():
        own = own.astype(object)
        own[picks < 0] = None
    return {"row": rows, "id": ids[rows], "pick": picks, "pick_id": own}


def has_columns(target: Target) -> bool:
    """Whether a file has a place for what is known of each row beside its number."""
    tables = (".npz", *CSV_SUFFIXES, *PARQUET_SUFFIXES, *ARROW_SUFFIXES)
    return not target.is_stream and target.suffix in tables


def unboxed(values: NDArray[Any]) -> NDArray[Any]:
    """Values without Python objects, which need pickles: as text, or bytes if all are."""
    if values.dtype.kind != "O":
        return values
    boxed = values.tolist()
    is_bytes = all(isinstance(value, bytes) for value in boxed)
    return np.array(boxed if is_bytes else list(map(shown, boxed)))


def write_lines(file: Sink, columns: Sequence[NDArray[Any]], mark: str = ",") -> None:
    """Write columns of equal length as lines."""
    for at in range(0, columns[0].size, BLOCK):
        file.write(
            encoded(csv_lines([texts_of(column[at : at + BLOCK]) for column in columns], mark))
        )


def json_writer(report: Report) -> Writer:
    """What writes a report."""
    text = to_json(report)
    return lambda file: (file.write(encoded(text)), None)[1]


def page_writer(
    tolds: Sequence[Told], title: str = "", contacts: Sequence[Contact | None] = ()
) -> Writer:
    """What writes the page on reports, with pictures of rows; it is made at once."""
    from ..page import document

    data = encoded(document(tolds, title, contacts))
    return lambda file: (file.write(data), None)[1]


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
    """A report as strict JSON: no NaN. Lists of numbers stand on one line."""
    text = json.dumps(report, indent=2, allow_nan=False, ensure_ascii=ascii_only)
    # Text in JSON has no line breaks, so that these are those of the layout.
    numbers = re.compile(r"\[\n([-+.,\seE0-9]*)\]")
    return numbers.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def encoded(text: str) -> bytes:
    """UTF-8; what a file name has that is no UTF-8 becomes an escape, in JSON as in CSV."""
    return text.encode("utf-8", "backslashreplace")
