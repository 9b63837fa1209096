"""Feature matrices and labels from files: mapped where possible, refused with a reason."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import matrix
from ._errors import InvalidInputError

MATRIX_SUFFIXES = (".npy", ".npz")
LIST_SUFFIXES = (".npy", ".npz", ".txt", ".csv")


@dataclass(frozen=True)
class Features:
    """A matrix and where it came from."""

    x: NDArray[Any]
    files: tuple[Path, ...]
    """Its files; none for standard input."""
    stem: str
    """What outputs are named after."""
    stdin_sha256: str | None = None

    def sha256(self) -> str:
        """SHA-256 of the files' bytes, one after the other."""
        if self.stdin_sha256 is not None:
            return self.stdin_sha256
        digest = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()


def read_features(inputs: Sequence[str], *, key: str | None, flatten: bool) -> Features:
    """Read a matrix: one file, `-` for a .npy on standard input, or shards.

    Several files are concatenated in the order given, the files of a folder in natural order
    (part-2 before part-10).
    """
    if list(inputs) == ["-"]:
        data = sys.stdin.buffer.read()
        if not data:
            raise InvalidInputError("standard input", "is empty", "Pipe a .npy file into it")
        x = load_array(io.BytesIO(data), "standard input")
        checked = _matrix(x, "standard input", flatten)
        return Features(checked, (), "stdin", hashlib.sha256(data).hexdigest())
    files = _shards(inputs)
    first = Path(inputs[0])
    stem = first.stem if first.is_file() else first.resolve().name
    arrays = [_matrix(_read(path, key, 2, "--key"), str(path), flatten) for path in files]
    return Features(_concatenated(arrays, files), tuple(files), stem)


def read_labels(path: Path, *, key: str | None) -> NDArray[Any]:
    """Read labels: .npy, .npz (with `key`, or its only array), or text with one label a line."""
    _check_file(path, LIST_SUFFIXES)
    if path.suffix in MATRIX_SUFFIXES:
        return _read(path, key, 1, "--label-key")
    return np.array([line.strip() for line in _lines(path) if line.strip()])


def read_indices(path: Path) -> NDArray[np.int64]:
    """Read row numbers: .npy, .npz, .txt or .csv (with a header or without)."""
    _check_file(path, LIST_SUFFIXES)
    if path.suffix in MATRIX_SUFFIXES:
        values = _read(path, None, 1, None)
    else:
        cells = [line.split(",")[0].strip() for line in _lines(path)]
        if cells and not any(c.isdecimal() for c in cells[0]):
            cells = cells[1:]
        try:
            values = np.array([int(cell) for cell in cells if cell], dtype=np.int64)
        except ValueError as err:
            raise InvalidInputError(str(path), f"is not a list of row numbers ({err})") from err
    if values.ndim != 1 or values.dtype.kind not in "iu":
        fact = f"holds {values.dtype} of shape {values.shape} where row numbers are needed"
        raise InvalidInputError(str(path), fact)
    return values.astype(np.int64)


def _lines(path: Path) -> list[str]:
    """Lines of a text file, with or without a byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInputError(str(path), f"cannot be read ({err})") from err


def load_array(file: Path | io.BytesIO, name: str) -> NDArray[Any]:
    """Load a .npy, mapped if it is a file on disk."""
    try:
        if isinstance(file, Path):
            loaded = np.load(file, mmap_mode="r", allow_pickle=False)
        else:
            loaded = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError) as err:
        raise _unreadable(name, err) from err
    if not isinstance(loaded, np.ndarray):
        raise InvalidInputError(name, "is an archive of arrays", "Give it the suffix .npz")
    return loaded


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which part-2 comes before part-10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(p), p) if p.isdecimal() else (0, 0, p) for p in parts]


def _shards(inputs: Sequence[str]) -> list[Path]:
    files: list[Path] = []
    for name in inputs:
        path = Path(name)
        if name == "-":
            raise InvalidInputError("-", "cannot be joined with other inputs")
        if path.is_dir():
            inside = [p for p in path.iterdir() if p.suffix in MATRIX_SUFFIXES and p.is_file()]
            if not inside:
                raise InvalidInputError(name, "holds no .npy or .npz files")
            files.extend(sorted(inside, key=natural_order))
        else:
            _check_file(path, MATRIX_SUFFIXES)
            files.append(path)
    return files


def _check_file(path: Path, suffixes: Sequence[str]) -> None:
    if not path.exists():
        raise InvalidInputError(str(path), "does not exist", "Check the path")
    if path.is_dir():
        raise InvalidInputError(str(path), "is a folder where a file is needed")
    if path.suffix not in suffixes:
        known = ", ".join(suffixes)
        raise InvalidInputError(str(path), f"has the suffix '{path.suffix}', not one of {known}")


def _unreadable(name: str, err: Exception) -> InvalidInputError:
    if any(word in str(err) for word in ("allow_pickle", "Object arrays", "Python objects")):
        return InvalidInputError(name, "holds Python objects", "Save it as an array of numbers")
    return InvalidInputError(name, f"cannot be read: truncated or not an array file ({err})")


def _read(path: Path, key: str | None, ndim: int, flag: str | None) -> NDArray[Any]:
    if path.suffix == ".npy":
        if not path.stat().st_size:
            raise InvalidInputError(str(path), "is empty")
        return load_array(path, str(path))
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise InvalidInputError(str(path), "is a single array", "Give it the suffix .npy")
        with archive:
            return np.asarray(archive[_member(path, archive, key, ndim, flag)])
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as err:
        if isinstance(err, InvalidInputError):
            raise
        raise _unreadable(str(path), err) from err


def _member(path: Path, archive: Any, key: str | None, ndim: int, flag: str | None) -> str:
    names: list[str] = archive.files
    if key is not None:
        if key in names:
            return key
        listed = ", ".join(names) or "none"
        raise InvalidInputError(str(path), f"has no array '{key}', only {listed}")
    if len(names) == 1:
        return names[0]
    shapes = {name: _shape(path, name) for name in names}
    fitting = [name for name, shape in shapes.items() if len(shape) == ndim]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "nothing"
    fix = f"Choose one with {flag}" if flag else "Keep one array in it"
    raise InvalidInputError(str(path), f"holds {listed}", fix)


def _shape(path: Path, name: str) -> tuple[int, ...]:
    """Shape of a member of an archive, from its header alone."""
    with zipfile.ZipFile(path) as archive:
        if f"{name}.npy" not in archive.namelist():
            return ()  # some other file
        member = archive.open(f"{name}.npy")
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape: tuple[int, ...] = read(member)[0]
        return shape


def _matrix(x: NDArray[Any], name: str, flatten: bool) -> NDArray[Any]:
    if x.ndim > 2 and not flatten:
        fact = f"has shape {x.shape}, {x.ndim} dimensions"
        raise InvalidInputError(name, fact, "Use --flatten to make each entry of the first a row")
    if x.ndim > 2:
        x = x.reshape(x.shape[0], -1)
    if not x.dtype.isnative:
        x = x.astype(x.dtype.newbyteorder("="))
    matrix(x, name, is_parameter=False)
    return x  # as it is: mapped, where it was


def _concatenated(arrays: list[NDArray[Any]], files: list[Path]) -> NDArray[Any]:
    if len(arrays) == 1:
        return arrays[0]
    first = arrays[0]
    for array, path in zip(arrays, files, strict=True):
        if array.shape[1] != first.shape[1] or array.dtype != first.dtype:
            fact = f"has {array.shape[1]} columns of {array.dtype}"
            other = f"{files[0]} has {first.shape[1]} of {first.dtype}"
            raise InvalidInputError(str(path), f"{fact} where {other}")
    return np.concatenate(arrays)
