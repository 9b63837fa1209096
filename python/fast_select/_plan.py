"""What a selection will take, and how to make it fit."""

from __future__ import annotations

import os
from collections.abc import Container
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._balance import rows_per_class
from ._checks import as_rows, checked, finite_rows
from ._errors import ComputationError, core_errors, refused
from ._mapped import let_go, mapped_bytes
from ._memory import current_rss
from ._request import Request
from ._scratch import Scratch
from ._stacked import Matrix
from .report import SCHEMA

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._parameters import PlanParameters


def plan(
    X: ArrayLike,
    *,
    scratch: Scratch | str | os.PathLike[str] | None = None,
    **parameters: Unpack[PlanParameters],
) -> dict[str, Any]:
    """Estimate seconds and bytes of :func:`fast_select.select` with the same parameters.

    Returns a dictionary: ``stages`` with ``name``, ``seconds``, ``bytes`` and ``formula``;
    ``seconds`` and ``working_bytes`` (the largest of the stages) in all; ``process_bytes``, what
    this process takes already; ``block_rows`` and ``threads``, which ``max_memory`` may lower;
    ``without_effect``, parameters that were set and change nothing. ``scratch``: as of
    :func:`fast_select.select`; ``mapped_bytes``: what would lie there.

    >>> import numpy as np
    >>> outline = plan(np.zeros((20_000, 30)), ratio=0.1)
    >>> [stage["name"] for stage in outline["stages"]]
    ['prepare', 'exchange', 'quality']

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used, or a selection that ``max_memory`` cannot hold.
    """
    x = as_rows(X)
    options: dict[str, Any] = {**parameters}
    request = Request.taken_from(options, None, x.shape[0])
    if "balance" in options:
        options["balance"] = rows_per_class(options["balance"], request.classes)
    params = checked("plan", options)
    with core_errors():
        params.check_caps(request.groups is not None)
        params.rows_wanted(x.shape[0])
        idle = params.without_effect(request.labels is not None)
        sizes = class_sizes(x, request.codes, params)
        wanted = params.rows_wanted(sum(sizes))
        room = Scratch.of(scratch)
        params, is_mapped = fitted(params, x.shape[1], sizes, wanted, room)
        stages = _core.plan(x.shape[1], sizes, wanted, params, is_mapped=is_mapped)
        rate = _core.products_per_second(params)
    for stage in stages:
        stage["seconds"] = stage.pop("multiply_adds") / rate
    values = params.values()
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "input": {
            "shape": list(x.shape),
            "dtype": str(x.dtype),
            "matrix_bytes": x.nbytes - mapped_bytes(x),
            "n_classes": len(sizes),
        },
        "count": wanted,
        "threads": values["threads"],
        "block_rows": values["block_rows"],
        "options": values,
        "without_effect": idle,
        "stages": stages,
        "seconds": sum(stage["seconds"] for stage in stages),
        "working_bytes": max(stage["bytes"] for stage in stages),
        "process_bytes": current_rss(),
        "mapped_bytes": 4 * _core.room_needed(*x.shape) if is_mapped else 0,
    }


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
