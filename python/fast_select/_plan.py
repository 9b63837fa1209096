"""What a selection will take, and how to make it fit."""

from __future__ import annotations

import os
from collections.abc import Container
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import _core
from ._balance import rows_per_class
from ._checks import as_rows, checked, finite_rows, matrix
from ._errors import ComputationError, InvalidInputError, core_errors, refused
from ._mapped import let_go, mapped_bytes
from ._memory import current_rss
from ._request import Request
from ._scratch import Scratch
from ._stacked import Matrix
from .report import SCHEMA

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._parameters import PlanParameters


BANDWIDTH = 500_000_000
"""Bytes a second that a worker moves, where it is not said: a disk, or a share of a network."""
MEMBER = 64 << 20
"""Bytes that a worker takes before it begins, as the core reckons for its blocks."""
MOVED = ("read_bytes", "sent_bytes", "written_bytes")
"""Bytes of a stage that are moved, by kind."""


def plan(
    X: ArrayLike | None = None,
    *,
    shape: tuple[int, int] | None = None,
    dtype: DTypeLike | None = None,
    scratch: Scratch | str | os.PathLike[str] | None = None,
    **parameters: Unpack[PlanParameters],
) -> dict[str, Any]:
    """Estimate seconds and bytes of :func:`fast_select.select` with the same parameters.

    Of ``X``, or without it of an input of this ``shape``, (n, d), and ``dtype`` (float32 unless
    given).

    Returns a dictionary: ``stages`` with ``name``, ``seconds``, ``bytes`` and ``formula``;
    ``seconds`` and ``working_bytes`` (the largest of the stages) in all; ``process_bytes``, what
    this process takes already, or a worker before it begins; ``block_rows`` and ``threads``, which
    ``max_memory`` may lower; ``without_effect``, parameters that were set and change nothing.
    ``scratch``: as of :func:`fast_select.select`; ``mapped_bytes``: what would lie there.

    With ``workers`` of a distributed run, each of which may take ``memory`` bytes and has
    ``threads``: stages have ``cpu_s`` of all workers too, ``read_bytes``, ``sent_bytes`` (of those
    read, what another worker has written) and ``written_bytes``, a ``formula`` of each, and
    ``least_s`` with ever more workers; ``worthwhile_workers``: as many as are worth having.

    >>> import numpy as np
    >>> outline = plan(np.zeros((20_000, 30)), ratio=0.1)
    >>> [stage["name"] for stage in outline["stages"]]
    ['prepare', 'exchange', 'quality']
    >>> outline = plan(shape=(10**9, 768), ratio=0.01, workers=64, threads=16)
    >>> [stage["name"] for stage in outline["stages"]]
    ['statistics', 'components', 'z', 'partition', 'ready', 'exchange', 'quality']

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used, or a selection that ``max_memory`` cannot hold,
        or ``memory``.
    """
    options: dict[str, Any] = {**parameters}
    x = _planned_input(X, shape, dtype, options)
    request = Request.taken_from(options, None, x.shape[0])
    if "balance" in options:
        options["balance"] = rows_per_class(options["balance"], request.classes)
    params = checked("plan", options)
    _check_workers(params.values(), scratch)
    with core_errors():
        params.check_caps(request.groups is not None)
        params.rows_wanted(x.shape[0])
        idle = params.without_effect(request.labels is not None)
        sizes = [x.shape[0]] if X is None else class_sizes(x, request.codes, params)
        wanted = params.rows_wanted(sum(sizes))
        if params.values()["workers"] is None:
            room = Scratch.of(scratch)
            params, is_mapped = fitted(params, x.shape[1], sizes, wanted, room)
            told = _of_one(x.shape, sizes, wanted, params, is_mapped=is_mapped)
        else:
            params = _fitted_member(params, x.shape[1], sizes, wanted)
            told = _of_crew(x, sizes, wanted, params)
    values = params.values()
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "input": {
            "shape": list(x.shape),
            "dtype": str(x.dtype),
            "matrix_bytes": 0 if X is None else x.nbytes - mapped_bytes(x),
            "n_classes": len(sizes),
        },
        "count": wanted,
        "threads": values["threads"],
        "block_rows": values["block_rows"],
        "options": values,
        "without_effect": idle,
        **told,
        "seconds": sum(stage["seconds"] for stage in told["stages"]),
        "working_bytes": max(stage["bytes"] for stage in told["stages"]),
        "process_bytes": current_rss() if values["workers"] is None else MEMBER,
    }


def _planned_input(X: ArrayLike | None, shape: Any, dtype: Any, options: dict[str, Any]) -> Matrix:
    """The input, or a zero that stands for every entry of one of this shape."""
    if X is not None and shape is not None:
        raise refused("x and shape", "are both given", "Give one of them")
    if X is None and shape is None:
        raise refused("x", "is not given", "Give it, or {shape}")
    if X is not None:
        if dtype is not None:
            raise refused("dtype", "has no effect without a shape", "Leave it out")
        return as_rows(X)
    for name in ("labels", "groups"):
        if options.get(name) is not None:
            raise refused(name, "has no effect with a shape", "Leave it out, or give the input")
    try:
        entry = np.zeros(1, "float32" if dtype is None else dtype)
    except (TypeError, ValueError) as err:
        raise refused("dtype", f"{dtype!r} is no type of numbers", "Give float32, say") from err
    try:
        rows, columns = map(index, shape)
        return matrix(np.broadcast_to(entry, (rows, columns)), "shape")
    except (TypeError, ValueError, OverflowError) as err:
        if isinstance(err, InvalidInputError):
            raise
        fact = f"{shape!r} is not a number of rows and one of columns that an array can have"
        raise refused("shape", fact) from err


def _check_workers(values: dict[str, Any], scratch: object) -> None:
    """Refuse what workers alone have, or have not."""
    if values["workers"] is None:
        for name in ("memory", "bandwidth"):
            if values[name] is not None:
                raise refused(name, "has no effect without workers", "Give {workers}")
    elif values["max_memory"] is not None:
        fact = "is of one process"
        raise refused("max_memory", fact, "With {workers}, give {memory}")
    elif scratch is not None:
        fact = "has no effect with workers, which share a folder"
        raise refused("scratch", fact, "Leave it out")


def _of_one(
    shape: tuple[int, ...],
    sizes: list[int],
    wanted: int,
    params: _core.Params,
    *,
    is_mapped: bool,
) -> dict[str, Any]:
    """Stages of one process, and bytes that lie in its scratch."""
    stages = _core.plan(shape[1], sizes, wanted, params, is_mapped=is_mapped)
    rate = _core.products_per_second(params)
    for stage in stages:
        stage["seconds"] = stage.pop("multiply_adds") / rate
    return {"stages": stages, "mapped_bytes": 4 * _core.room_needed(*shape) if is_mapped else 0}


def _of_crew(x: Matrix, sizes: list[int], wanted: int, params: _core.Params) -> dict[str, Any]:
    """Stages of several workers, and bytes that lie in the folder that they share."""
    values = params.values()
    # Of one thread: others here at the same time are no matter of the workers'.
    rate = _core.products_per_second(_core.Params("plan", threads=1))
    bandwidth = values["bandwidth"] or BANDWIDTH
    stages, worthwhile = _core.crew_plan(
        x.shape[1],
        sizes,
        wanted,
        params,
        workers=values["workers"],
        rate=rate,
        bandwidth=bandwidth,
        entry_bytes=x.dtype.itemsize,
        memory=values["memory"] or 0,
    )
    return {
        "stages": stages,
        "workers": values["workers"],
        "worthwhile_workers": worthwhile,
        "multiply_adds_per_s": rate,
        "bandwidth": bandwidth,
        "cpu_s": sum(stage["cpu_s"] for stage in stages),
        **{name: sum(stage[name] for stage in stages) for name in MOVED},
        "mapped_bytes": sum(stage["written_bytes"] for stage in stages),
    }


def _fitted_member(
    params: _core.Params, n_columns: int, sizes: list[int], wanted: int
) -> _core.Params:
    """``params`` with blocks and threads that keep a worker within ``memory``, if given."""
    memory = params.values()["memory"]
    if memory is None:
        return params
    try:
        found = _core.fitting(n_columns, sizes, wanted, params, memory, MEMBER, is_mapped=True)
    except _core.Refused as err:
        _, fact, fix = err.args
        raise refused("memory", fact, fix) from err
    return params.fitted(*found)


def fitted(
    params: _core.Params,
    n_columns: int,
    sizes: list[int],
    wanted: int,
    scratch: Scratch | None,
    *,
    has_checkpoint: bool = False,
) -> tuple[_core.Params, bool]:
    """``params`` with blocks and threads that keep the process within ``max_memory``, if given.

    And whether Z is to be mapped: from a checkpoint in any case; in ``scratch`` where with it in
    memory blocks would become smaller, or nothing would fit, and without a limit.
    """
    max_memory = params.values()["max_memory"]
    if max_memory is None:
        return params, has_checkpoint or scratch is not None
    if scratch is not None:
        scratch.let_go()
    fit = partial(_core.fitting, n_columns, sizes, wanted, params, max_memory, current_rss())
    if has_checkpoint:
        return params.fitted(*fit(is_mapped=True)), True
    if scratch is None:
        return params.fitted(*fit()), False
    try:
        found = fit()
    except _core.Refused:
        found = None
    if found is not None and found[0] == params.values()["block_rows"]:
        return params.fitted(*found), False
    return params.fitted(*fit(is_mapped=True)), True


def check_memory(
    n_columns: int,
    sizes: list[int],
    wanted: int,
    params: _core.Params,
    *,
    only: Container[str] | None = None,
    is_mapped: bool = False,
) -> None:
    """Fail, before any work, where the system refuses the memory planned for its stages."""
    stages = _core.plan(n_columns, sizes, wanted, params, is_mapped=is_mapped)
    needed = max(stage["bytes"] for stage in stages if only is None or stage["name"] in only)
    if not _core.can_have(needed):
        fact = f"{needed / 2**20:.0f} MiB more, which the plan has, cannot be had"
        fix = (
            "Lower {max_memory} or {threads}, name a {scratch}, or select from fewer rows at a time"
        )
        raise ComputationError("memory", fact, fix)


def class_sizes(x: Matrix, codes: NDArray[np.int64] | None, params: _core.Params) -> list[int]:
    """Rows of each class, without those that ``nonfinite`` leaves out: they are read for that."""
    n_classes = 1 if codes is None else int(codes.max()) + 1
    if params.values()["nonfinite"] == "error" or x.dtype.kind in "iub":
        return [x.shape[0]] if codes is None else np.bincount(codes).tolist()
    sizes = np.zeros(n_classes, dtype=np.int64)
    for start, kept in finite_rows(x):
        own = np.zeros(len(kept), dtype=np.int64)
        if codes is not None:
            own = codes[start : start + len(kept)]
        sizes += np.bincount(own[kept], minlength=n_classes)
    let_go(x)  # what is mapped is no memory of the process, as which it would count
    if not sizes.any():
        raise refused("x", "holds NaN or infinity in every row")
    return [int(size) for size in sizes]
