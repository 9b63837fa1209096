"""Feature matrices: one file, a stream, or the shards of a matrix."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import matrix
from .._errors import ComputationError, InvalidInputError
from .npy import BLOCK
from .npz import Archive
from .sources import MATRIX_SUFFIXES, Source, is_folder, is_stream


@dataclass(frozen=True)
class Features:
    """A matrix and where it came from."""

    x: NDArray[Any]
    files: tuple[Path, ...]
    """Its files and named streams; none for standard input."""
    stream_sha256: str | None = None
    """SHA-256 of the input where a stream is part of it, which cannot be read again."""
    archive: Archive | None = None
    """The .npz, if the input is one."""

    def sha256(self) -> str:
        """SHA-256 of the files' bytes, one after the other."""
        if self.stream_sha256 is not None:
            return self.stream_sha256
        digest = hashlib.sha256()
        for path in self.files:
            _take_in(path, digest)
        return digest.hexdigest()


def read_features(inputs: Sequence[str], *, key: str | None, flatten: bool) -> Features:
    """Read a matrix: one file or stream (`-` is standard input), or shards.

    Several are concatenated in the order given, the files of a folder in natural order (part-2
    before part-10). Shards without rows are passed over.
    """
    paths = _paths(inputs)
    digest = hashlib.sha256() if any(map(is_stream, paths)) else None
    shards = []
    for path in paths:
        source = Source(path, MATRIX_SUFFIXES, digest)
        x = source.array(key, 2, "--key")
        if digest is not None and not source.is_stream:
            _take_in(path, digest)
        if len(paths) == 1 or x.shape[:1] != (0,):
            x = _matrix(x, source, flatten=flatten)
            shards.append(Shard(source, x.shape, x.dtype, _lasting(x)))
    if not shards:
        raise InvalidInputError(inputs[0], "holds only shards without rows")
    only = source if len(paths) == 1 and source.format == "npz" else None
    return Features(
        x=x if len(paths) == 1 else _concatenated(shards, flatten=flatten),
        files=() if list(inputs) == ["-"] else tuple(paths),
        stream_sha256=None if digest is None else digest.hexdigest(),
        archive=None if only is None else only.archive,
    )


@dataclass(frozen=True)
class Shard:
    """A part of a matrix, and its rows, if they are not just mapped."""

    source: Source
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    x: NDArray[Any] | None


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which part-2 comes before part-10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(p), p) if p.isdecimal() else (0, 0, p) for p in parts]


def _paths(inputs: Sequence[str]) -> list[Path]:
    """The files of the inputs, those of folders one by one."""
    paths: list[Path] = []
    for name in inputs:
        if not name:
            raise InvalidInputError("input", "is a name without letters", "Check the path")
        path = Path(name)
        if name == "-" and len(inputs) > 1:
            raise InvalidInputError("-", "cannot be joined with other inputs")
        paths.extend(_shards(path) if name != "-" and is_folder(path) else [path])
    return paths


def _shards(folder: Path) -> list[Path]:
    """The matrices in a folder: hidden files and row numbers that a run has left there are none."""
    refuse = partial(InvalidInputError, str(folder))
    try:
        names = sorted(folder.iterdir(), key=natural_order)
    except OSError as err:
        raise refuse(f"cannot be read ({err.strerror})") from err
    shards = []
    for path in names:
        if path.suffix.lower() not in MATRIX_SUFFIXES or path.name.startswith("."):
            continue
        if is_stream(path):
            raise InvalidInputError(str(path), "is no regular file", "Name it by itself")
        if not _is_selection(Source(path, MATRIX_SUFFIXES)):
            shards.append(path)
    if not shards:
        raise refuse("holds no .npy or .npz files with features")
    return shards


def _is_selection(source: Source) -> bool:
    """Whether a file is what this command writes: int64 row numbers, ascending."""
    if source.format == "npz" and source.archive.names != ["indices"]:
        return False
    rows = source.array(None, 1, None)
    if rows.ndim != 1 or rows.dtype != np.int64 or not rows.size:
        return False
    return bool(rows[0] >= 0 and (rows[1:] > rows[:-1]).all())


def _matrix(x: NDArray[Any], source: Source, *, flatten: bool) -> NDArray[Any]:
    if x.ndim > 2 and not flatten:
        fact = f"has shape {x.shape}, {x.ndim} dimensions"
        raise source.refuse(fact, "Use --flatten to make each entry of the first a row")
    if x.ndim > 2:
        x = x.reshape(x.shape[0], -1)
    matrix(x, source.name, is_parameter=False)
    return x  # as it is: mapped, where it was


def _lasting(x: NDArray[Any]) -> NDArray[Any] | None:
    """`x`, unless it is mapped: a map keeps its file open, of which there may be too many."""
    base: Any = x
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return None
        base = base.base
    return x


def _concatenated(shards: list[Shard], *, flatten: bool) -> NDArray[Any]:
    first = shards[0]
    for shard in shards:
        if shard.shape[1] != first.shape[1] or shard.dtype != first.dtype:
            fact = f"has {shard.shape[1]} columns of {shard.dtype}"
            other = f"{first.source.name} has {first.shape[1]} of {first.dtype}"
            raise shard.source.refuse(f"{fact} where {other}")
    x = np.empty((sum(shard.shape[0] for shard in shards), first.shape[1]), first.dtype)
    at = 0
    for shard in shards:
        part = shard.x
        if part is None:
            part = _matrix(shard.source.array(None, 2, None), shard.source, flatten=flatten)
        if part.shape != shard.shape or part.dtype != shard.dtype:
            raise ComputationError(shard.source.name, "changed while it was read")
        x[at : at + len(part)] = part
        at += len(part)
    return x


def _take_in(path: Path, digest: Any) -> None:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
