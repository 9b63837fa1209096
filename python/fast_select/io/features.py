"""Feature matrices: one file, a stream, or the shards of a matrix."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._checks import matrix
from .._errors import ComputationError, InvalidInputError
from .._ids import Ids, ids_of
from .._lent import Lent, stand_in
from .._mapped import mapped_bytes
from .._scratch import Scratch
from .._stacked import Matrix, stacked
from .._suffixes import FAMILIES, FEATURE_SUFFIXES, TABLE_SUFFIXES
from .._text import shortened
from .npy import BLOCK
from .npz import Archive
from .room import room_for
from .sources import Source, is_folder, is_stream
from .tables import dataset_of

if TYPE_CHECKING:
    from .dataset import Dataset

TABLES = ", ".join(TABLE_SUFFIXES)

MOST_MAPS = 30_000
"""Shards that are mapped; Linux allows a process 65,530 maps, of which it needs others, too."""

SELECTION = {"index", "indices", "id", "label", "weight", "rank"}
"""Columns of what this command writes, and arrays, of which the first are row numbers."""


@dataclass(frozen=True)
class Features:
    """A matrix and where it came from."""

    x: Matrix
    files: tuple[Path, ...]
    """Its files and named streams; none for standard input."""
    row_shape: tuple[int, ...] = ()
    """What each row was before it was flattened."""
    stream_sha256: str | None = None
    """SHA-256 of the input where a stream is part of it, which cannot be read again."""
    archive: Archive | None = None
    """The .npz, if the input is one."""
    dataset: Dataset | None = None
    """The table, if the input is one."""
    columns: tuple[str, ...] = ()
    """The columns of the table that are the features."""
    ids: Ids | None = None
    """Names of the rows, if they are asked for."""
    notes: tuple[str, ...] = ()
    """What is odd about the columns that were read."""

    def lent(self) -> tuple[Features, Lent]:
        """These features with a stand-in for the matrix, and the matrix, which can be let go of.

        Where rows are to be read from it later, it stays.
        """
        lent = Lent(self.x)
        if self.dataset is None and self.archive is None:
            return self, lent
        return replace(self, x=stand_in(self.x)), lent

    def sha256(self) -> str:
        """SHA-256 of the files' bytes, one after the other."""
        if self.stream_sha256 is not None:
            return self.stream_sha256
        digest = hashlib.sha256()
        for path in self.files:
            _take_in(path, digest)
        return digest.hexdigest()


def read_features(
    inputs: Sequence[str],
    *,
    key: str | None,
    flatten: bool,
    columns: str | None = None,
    id_key: str | None = None,
    aside: Sequence[str] = (),
    max_memory: int | None = None,
    scratch: Scratch | None = None,
) -> Features:
    """Read a matrix: one file or stream (`-` is standard input), or shards.

    Several follow each other in the order given, the files of a folder in natural order (part-2
    before part-10). Shards without rows are passed over. Of a table `columns` or the column of
    vectors `key` are read; `aside` are columns of other use, as `id_key` is. Shards of .npy are
    mapped; what is put together from other parts lies in `scratch`, if there is one, or else has to
    fit into `max_memory`.
    """
    paths = _paths(inputs)
    digest = hashlib.sha256() if any(map(is_stream, paths)) else None
    sources: list[Source] = []
    shards: list[Shard] = []
    shapes: set[tuple[int, ...]] = set()
    x: Matrix
    for path in paths:
        source = Source(path, FEATURE_SUFFIXES, digest)
        sources.append(source)
        if source.is_table != sources[0].is_table:
            kinds = [f"is {'a' if each.is_table else 'no'} table" for each in (source, sources[0])]
            raise source.refuse(f"{kinds[0]} where {sources[0].name} {kinds[1]}")
        if source.is_table:
            source.keep()  # a stream, before the next one is opened
        else:
            array = source.array(key, 2, "--key", is_open=len(paths) == 1)
            if len(paths) == 1 or array.shape[:1] != (0,):
                shapes.add(array.shape[1:])
                x = array = _matrix(array, source, flatten=flatten)
                is_mapped = len(shards) < MOST_MAPS and mapped_bytes(array) > 0
                shards.append(Shard.of(array, source, is_mapped=is_mapped))
        if digest is not None and not source.is_stream:
            _take_in(path, digest)
    dataset = archive = None
    names: list[str] = []
    notes: list[str] = []
    if sources[0].is_table:
        dataset = dataset_of(sources, inputs[0])
        own = [*aside, *([] if id_key is None else [id_key])]
        x, names = dataset.matrix(
            key, columns, own, flatten=flatten, max_memory=max_memory, scratch=scratch
        )
        if key is None and columns is None:
            notes = dataset.left_out(own)
    elif columns is not None:
        raise InvalidInputError("--columns", f"needs a table ({TABLES})", "Leave it out")
    elif not shards:
        raise InvalidInputError(inputs[0], "holds only shards without rows")
    elif len(paths) > 1:
        x = _joined(shards, flatten=flatten, max_memory=max_memory, scratch=scratch)
    elif source.format == "npz":
        archive = source.archive
    features = Features(
        x=x,
        row_shape=shapes.pop() if len(shapes) == 1 else x.shape[1:],
        files=() if list(inputs) == ["-"] else tuple(paths),
        stream_sha256=None if digest is None else digest.hexdigest(),
        archive=archive,
        dataset=dataset,
        columns=tuple(names),
        notes=tuple(notes),
    )
    return features if id_key is None else replace(features, ids=_ids(features, id_key))


def read_table(inputs: Sequence[str]) -> Dataset | None:
    """The table that inputs are, none of whose features are read; None for what is no table."""
    sources = [Source(path, FEATURE_SUFFIXES) for path in _paths(inputs)]
    if not all(source.is_table for source in sources):
        return None
    return dataset_of(sources, inputs[0])


def _ids(features: Features, key: str) -> Ids:
    """The names of rows in a column of the table, or an array of the .npz."""
    if features.dataset is not None:
        return features.dataset.ids(key)
    if features.archive is None:
        fact = f"needs a table ({TABLES}) or one .npz file as input"
        raise InvalidInputError("--id-key", fact, "Leave it out")
    archive, n = features.archive, features.x.shape[0]
    name = archive.chosen(key, 1, None)

    def refuse(fact: str, fix: str = "") -> InvalidInputError:
        return archive.refuse(f"array '{shortened(name)}': {fact}", fix)

    shape = archive.header(name).shape
    if shape[:1] != (n,):  # before it is unpacked
        raise refuse(f"shape is {shape} where ({n},) is needed, one for each row")
    return ids_of(archive.read(name), refuse, n)


@dataclass(frozen=True)
class Shard:
    """A part of a matrix."""

    source: Source
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_mapped: bool
    x: NDArray[Any] | None
    """Its rows; None where they are read once more rather than held in memory."""

    @classmethod
    def of(cls, x: NDArray[Any], source: Source, *, is_mapped: bool) -> Shard:
        """The shard of a source with the rows `x`, which stay mapped or not."""
        is_lasting = source.is_stream or source.format == "npz"
        return cls(source, x.shape, x.dtype, is_mapped, x if is_mapped or is_lasting else None)

    def rows(self, *, flatten: bool) -> NDArray[Any]:
        """Its rows."""
        if self.x is not None:
            return self.x
        x = _matrix(self.source.array(None, 2, None), self.source, flatten=flatten)
        if x.shape != self.shape or x.dtype != self.dtype:
            raise ComputationError(self.source.name, "changed while it was read")
        return x


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
    """The parts in a folder: matrices, else Parquet, Arrow or CSV, whichever comes first.

    Hidden files and selections that a run has left there are none.
    """
    refuse = partial(InvalidInputError, str(folder))
    try:
        names = sorted(folder.iterdir(), key=natural_order)
    except OSError as err:
        raise refuse(f"cannot be read ({err.strerror})") from err
    names = _data_files(folder) or [path for path in names if not path.name.startswith(".")]
    for suffixes in FAMILIES.values():
        shards = []
        for path in names:
            if path.suffix.lower() not in suffixes:
                continue
            if is_stream(path):
                raise InvalidInputError(str(path), "is no regular file", "Name it by itself")
            if not _is_selection(Source(path, suffixes)):
                shards.append(path)
        if shards:
            return shards
    folders = ", ".join(path.name for path in names if path.is_dir())
    fix = f"Name a folder in it: {shortened(folders)}" if folders else ""
    raise refuse(f"holds no files with features ({', '.join(FEATURE_SUFFIXES)})", fix)


def is_shard(path: Path, folder: Path, shards: Sequence[Path]) -> bool:
    """Whether a new file in a folder, of which `shards` were read, would be read as one of them."""
    if path.parent != folder or path.name.startswith(".") or _data_files(folder):
        return False
    place = {suffix: i for i, family in enumerate(FAMILIES.values()) for suffix in family}
    own = place.get(path.suffix.lower(), len(place))
    return own <= min((place[shard.suffix.lower()] for shard in shards), default=0)


def _data_files(folder: Path) -> list[Path]:
    """The parts that Hugging Face's datasets names in a folder, beside files of its cache."""
    try:
        parts = json.loads((folder / "state.json").read_text())["_data_files"]
        return [folder / part["filename"] for part in parts]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _is_selection(source: Source) -> bool:
    """Whether a file is what this command writes: int64 row numbers, each once, and their facts."""
    if source.is_table:
        names = dataset_of([source], source.name).names
        return names[:1] == ["index"] and set(names) <= SELECTION
    if source.format == "npz":
        if "indices" not in source.archive.names or not set(source.archive.names) <= SELECTION:
            return False
        rows = source.array("indices", 1, None)
    else:
        rows = source.array(None, 1, None)
    if rows.ndim != 1 or rows.dtype != np.int64 or not rows.size:
        return False
    ordered = np.sort(rows)  # those with ranks are in the order of these
    return bool(ordered[0] >= 0 and (ordered[1:] > ordered[:-1]).all())


def _matrix(x: NDArray[Any], source: Source, *, flatten: bool) -> NDArray[Any]:
    if x.ndim > 2 and not flatten:
        fact = f"has shape {x.shape}, {x.ndim} dimensions"
        raise source.refuse(fact, "Use --flatten to make each entry of the first a row")
    if x.ndim > 2:
        x = x.reshape(x.shape[0], -1)
    matrix(x, source.name, is_parameter=False)
    return x  # as it is: mapped, where it was


def _joined(
    shards: list[Shard], *, flatten: bool, max_memory: int | None, scratch: Scratch | None
) -> Matrix:
    """The rows of all: mapped ones where they are, others put together."""
    first = shards[0]
    native = first.dtype.newbyteorder("=")
    for shard in shards:
        if shard.shape[1] != first.shape[1] or shard.dtype.newbyteorder("=") != native:
            fact = f"has {shard.shape[1]} columns of {shard.dtype}"
            other = f"{first.source.name} has {first.shape[1]} of {first.dtype}"
            raise shard.source.refuse(f"{fact} where {other}")
    parts: list[NDArray[Any]] = []
    others = [shard for shard in shards if not shard.is_mapped]
    if others:
        shape = (sum(shard.shape[0] for shard in others), first.shape[1])
        room = room_for(shape, first.dtype, others[0].source.refuse, max_memory, scratch)
    end = 0
    for is_mapped, run in groupby(shards, attrgetter("is_mapped")):
        if is_mapped:
            parts.extend(shard.rows(flatten=flatten) for shard in run)
            continue
        start = end
        for shard in run:
            at, end = end, end + shard.shape[0]
            room[at:end] = shard.rows(flatten=flatten)
        parts.append(room[start:end])
    return stacked(parts)


def _take_in(path: Path, digest: Any) -> None:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
