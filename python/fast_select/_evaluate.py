"""Judging a selection, whoever made it, beside random ones of the same size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._api import Progress
from ._checks import check_integer, check_matrix, encode_labels, row_numbers, usable_threads
from ._errors import InvalidInputError, core_errors
from .energy import Meter
from .report import evaluation_report


def evaluate(
    X: ArrayLike,
    indices: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    scale: str = "auto",
    nonfinite: str = "error",
    n_random: int = 100,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    meter: Meter | None = None,
) -> dict[str, Any]:
    """Judge the rows ``indices`` of ``X`` beside ``n_random`` random picks of the same size.

    Returns a report: for each figure (CF distance on fresh frequencies, MMD with its standard
    error, moments 1 to 4, sliced Wasserstein distance, coverage) the selection's value, the random
    picks' mean and how many of them the selection beats; with ``labels`` the same beside
    stratified picks, and class counts; a verdict in words. Arguments are those of
    :func:`fast_select.select`.

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used.
    """
    x = np.asarray(X)
    check_matrix(x)
    rows = row_numbers("indices", indices)
    if rows is None or rows.size == 0:
        raise InvalidInputError("indices", "is empty: there is nothing to judge")
    check_integer("seed", seed, 0, 2**64 - 1)
    check_integer("n_random", n_random, 0, 10_000)
    codes, classes = encode_labels(labels, x.shape[0])
    n_threads = usable_threads(threads)
    meter = meter or Meter()

    def watch(stage: str, done: int, total: int) -> None:
        meter.begin(stage)
        if progress is not None:
            progress(stage, done, total)

    with core_errors():
        run: dict[str, Any] = {"seed": seed, "n_threads": n_threads, "progress": watch}
        prepared = _core.prepare(x, scale=scale, nonfinite=nonfinite, **run)
        quality = _core.quality(
            prepared,
            rows,
            labels=codes,
            n_random=n_random,
            thorough=True,
            **run,
        )
    used = {"scale": scale, "nonfinite": nonfinite, "seed": seed, "threads": n_threads}
    used["n_random"] = n_random
    return evaluation_report(x, prepared.facts, used, rows, codes, classes, quality, meter)
