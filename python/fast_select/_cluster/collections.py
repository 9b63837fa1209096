"""Arrays and frames of Dask, written by the workers that have their parts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._arrays import check_exact
from .._checks import matrix
from .._errors import ComputationError, InvalidInputError, refused
from ..io import npy
from .presence import Presence, results_of
from .shared import store

Written = tuple[int, int, str]
"""Rows, columns, and type of a part."""


def is_collection(value: Any) -> bool:
    """Whether a value is of Dask, which is not loaded for that."""
    return hasattr(value, "__dask_graph__") and value.__dask_graph__() is not None


def write_parts(presence: Presence, X: Any, folder: Path) -> list[Path]:
    """Write the rows of an array or a frame of Dask to files of ``folder``, in order.

    Each part is written where it is made, and none comes here.

    Raises
    ------
    InvalidInputError
        Where they are no numbers, or not of one width.
    """
    import dask

    client, parts = presence.client, _parts_of(X)
    if not parts:
        raise refused("x", "has no rows")
    paths = [folder / f"part-{i:06}.npy" for i in range(len(parts))]
    write = dask.delayed(_write, pure=False)
    tasks = [write(part, str(path)) for part, path in zip(parts, paths, strict=True)]
    written: list[Written] = results_of(presence, client.compute(tasks), _explained)
    full = [i for i, (n_rows, _, _) in enumerate(written) if n_rows]
    if not full:
        raise refused("x", "has no rows")
    for i in full:
        if written[i][1] != written[full[0]][1]:
            widths = f"{written[i][1]} columns where part {full[0]} has {written[full[0]][1]}"
            raise refused("x", f"part {i} has {widths}")
    common = np.result_type(*(np.dtype(written[i][2]) for i in full))
    odd = [i for i in full if np.dtype(written[i][2]) != common]
    futures = [client.submit(_cast, str(paths[i]), common.str, pure=False) for i in odd]
    results_of(presence, futures, lambda at, err: _explained(odd[at], err))
    return [paths[i] for i in full]


def _parts_of(X: Any) -> list[Any]:
    """The parts in the order of their rows, as Dask's promises."""
    kind = type(X)  # values of other kinds claim to have all attributes
    if hasattr(kind, "rechunk"):
        if X.ndim != 2:
            raise refused("x", f"has {X.ndim} dimensions where (n, d) is needed")
        return list(X.rechunk({1: -1}).to_delayed().ravel())
    if hasattr(kind, "partitions") and hasattr(kind, "columns"):
        return list(X.to_delayed())
    fact = f"is a {kind.__name__} of Dask, neither an array nor a frame"
    raise refused("x", fact, "Make it one of these, with a row for each entry")


def _write(part: Any, name: str) -> Written:
    """Write a part; what it holds."""
    if len(part):
        x = matrix(part)
        store(Path(name), x)
        return (*x.shape, x.dtype.str)
    return (0, 0, "")


def _cast(name: str, dtype: str) -> None:
    """Write a part anew as another type, which holds all that it has."""
    refuse = partial(refused, "x")
    x = npy.map_array(Path(name), refuse)
    if x.dtype.kind in "iu" and np.dtype(dtype).kind == "f":
        check_exact(x, refuse)
    store(Path(name), x.astype(dtype))


def _explained(i: int, err: BaseException) -> BaseException:
    """What became of part ``i``."""
    from distributed import KilledWorker

    if isinstance(err, InvalidInputError):
        return refused("x", f"part {i} {err.fact}", err.fix)
    if isinstance(err, KilledWorker):
        fact = f"workers died again and again while they wrote part {i} of the input"
        return ComputationError("cluster", fact, "Look at their logs, or make the parts smaller")
    return err
