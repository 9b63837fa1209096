"""Writing indices and reports: all or nothing, and nothing of the user's overwritten unasked."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click
import numpy as np
from numpy.typing import NDArray

from .._errors import ComputationError, InvalidInputError
from ..io import LIST_SUFFIXES


def check_target(path: Path, *, force: bool) -> None:
    """Refuse a path that cannot be written or, without `force`, exists. Before any work."""
    if path.is_dir():
        raise InvalidInputError(str(path), "is a folder", "Name a file in it")
    if path.exists() and not force:
        raise InvalidInputError(str(path), "exists", "Use --force to overwrite it")
    folder = path.parent
    if not folder.is_dir():
        raise InvalidInputError(str(path), f"its folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise InvalidInputError(str(path), f"its folder {folder} is not writable")


def check_index_suffix(path: Path) -> None:
    """Refuse a suffix that names no format of indices."""
    if path.suffix not in LIST_SUFFIXES:
        known = ", ".join(LIST_SUFFIXES)
        raise InvalidInputError(str(path), f"has the suffix '{path.suffix}', not one of {known}")


def write_all(writers: dict[Path, Callable[[IO[bytes]], None]]) -> None:
    """Write every file to a temporary name beside it, then rename them all."""
    written: list[tuple[str, Path]] = []
    try:
        for path, write in writers.items():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            written.append((name, path))
            with os.fdopen(handle, "wb") as file:
                write(file)
            # mkstemp makes files that only the owner may read; use what the umask would give.
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
        for name, path in written:
            Path(name).replace(path)
    except OSError as err:
        names = " and ".join(map(str, writers))
        raise ComputationError(names, f"cannot be written ({err.strerror})") from err
    finally:
        for name, _ in written:
            Path(name).unlink(missing_ok=True)


def index_writer(
    path: Path, indices: NDArray[np.int64], labels: NDArray[Any] | None
) -> Callable[[IO[bytes]], None]:
    """What writes `indices` in the format of the path's suffix; `labels`: of the selected rows."""

    def write(file: IO[bytes]) -> None:
        if path.suffix == ".npy":
            np.save(file, indices)
        elif path.suffix == ".npz":
            np.savez(file, indices=indices)
        elif path.suffix == ".txt":
            file.write(lines(indices).encode())
        else:
            columns = [indices] if labels is None else [indices, labels]
            text = io.StringIO(newline="")
            table = csv.writer(text, lineterminator="\n")
            table.writerow(["index", "label"][: len(columns)])
            table.writerows(zip(*columns, strict=True))
            file.write(text.getvalue().encode())

    return write


def json_writer(report: dict[str, Any]) -> Callable[[IO[bytes]], None]:
    """What writes a report."""
    return lambda file: (file.write(to_json(report).encode()), None)[1]


def to_json(report: dict[str, Any] | list[dict[str, Any]]) -> str:
    """A report as strict JSON: no NaN."""
    return json.dumps(report, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def lines(indices: NDArray[np.int64]) -> str:
    """One index a line."""
    return "".join(f"{i}\n" for i in indices)


def print_lines(indices: NDArray[np.int64]) -> None:
    """Indices on stdout."""
    click.echo(lines(indices), nl=False)
