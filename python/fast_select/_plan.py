"""What a selection will take, and how to make it fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._checks import check_matrix, encode_labels, usable_threads, wanted_count
from ._errors import InvalidInputError, core_errors
from .energy import current_rss
from .report import SCHEMA

LEAST_BLOCK_ROWS = 1024
"""Blocks are not cut below this to save memory: they would no longer be its largest part."""


def plan(
    X: ArrayLike,
    *,
    ratio: float | None = None,
    count: int | None = None,
    labels: ArrayLike | None = None,
    balance: str = "proportional",
    n_random: int = 20,
    threads: int | None = None,
    max_memory: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Estimate seconds and bytes of :func:`fast_select.select` with the same arguments.

    Returns a dictionary: ``stages`` with ``name``, ``seconds``, ``bytes`` and ``formula``;
    ``seconds`` and ``working_bytes`` (the largest of the stages) in all; ``process_bytes``, what
    this process takes already; ``block_rows``, which ``max_memory`` may lower.

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used, or a selection that ``max_memory`` cannot hold.
    """
    x = np.asarray(X)
    check_matrix(x)
    wanted = wanted_count(x.shape[0], ratio, count)
    codes, _ = encode_labels(labels, x.shape[0])
    sizes = [x.shape[0]] if codes is None else np.bincount(codes).tolist()
    n_threads = usable_threads(threads)
    shared = {"balance": balance, "n_random": n_random, "n_threads": n_threads, **options}
    with core_errors():
        if max_memory is not None:
            shared["block_rows"] = fitting_block_rows(
                max_memory, x.shape[1], sizes, wanted, **shared
            )
        stages = _core.plan(x.shape[1], sizes, wanted, **shared)
        rate = _core.products_per_second(n_threads=n_threads)
    for stage in stages:
        stage["seconds"] = stage.pop("work") / rate
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "input": {"shape": list(x.shape), "dtype": str(x.dtype), "n_groups": len(sizes)},
        "count": wanted,
        "threads": n_threads,
        "block_rows": shared.get("block_rows", _core.default_options()["block_rows"]),
        "stages": stages,
        "seconds": sum(stage["seconds"] for stage in stages),
        "working_bytes": working_bytes(stages),
        "process_bytes": current_rss(),
    }


def working_bytes(stages: list[dict[str, Any]]) -> int:
    """Bytes of the largest stage."""
    return max(int(stage["bytes"]) for stage in stages)


def fitting_block_rows(
    max_memory: int, n_columns: int, sizes: list[int], wanted: int, **shared: Any
) -> int:
    """The largest block size at which the process stays within ``max_memory`` bytes."""
    before = current_rss()
    block_rows: int = shared.pop("block_rows", _core.default_options()["block_rows"])
    while True:
        stages = _core.plan(n_columns, sizes, wanted, block_rows=block_rows, **shared)
        needed = before + working_bytes(stages)
        if needed <= max_memory:
            return block_rows
        if block_rows // 2 < LEAST_BLOCK_ROWS:
            fact = f"{mebibytes(max_memory)} is less than the {mebibytes(needed)} that it takes"
            raise InvalidInputError("max_memory", fact, "Allow that much, or use fewer threads")
        block_rows //= 2


def mebibytes(size: int) -> str:
    """A number of bytes, rounded up, for people."""
    return f"{-(-size // 2**20)} MiB"
