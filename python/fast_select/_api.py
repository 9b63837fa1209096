"""The Python interface: one call from a matrix to indices and a report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._errors import InvalidInputError, core_errors
from .energy import WATTS_PER_CORE, Meter
from .report import selection_report

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Selection:
    """Selected rows and the report on them.

    ``indices``: row numbers of the input, ascending, int64, (m,). ``report``: what
    ``fast-select`` writes as JSON (README, "The report").
    """

    indices: NDArray[np.int64]
    report: dict[str, Any]


def select(
    X: ArrayLike,
    *,
    ratio: float | None = None,
    count: int | None = None,
    labels: ArrayLike | None = None,
    balance: str = "proportional",
    scale: str = "auto",
    nonfinite: str = "error",
    seed: int = 0,
    threads: int | None = None,
    n_random: int = 20,
    watts_per_core: float = WATTS_PER_CORE,
    progress: Progress | None = None,
    meter: Meter | None = None,
    **options: Any,
) -> Selection:
    """Select rows of ``X`` whose distribution equals that of all rows.

    Parameters
    ----------
    X : (n, d) array of numbers, any strides, memory-mapped or not
    ratio, count : what to select: a share of the rows, rounded, or a number of them
    labels : (n,) classes; each then gives rows by ``balance`` and is selected on its own
    balance : ``"proportional"`` or ``"equal"``
    scale : ``"auto"``, ``"none"`` or ``"standard"``: scaling of the columns
    nonfinite : ``"error"`` or ``"drop"``: rows with NaN or infinity
    seed : of every random draw; the same seed gives the same rows at any number of threads
    threads : default: all that the process may use
    n_random : random selections of the same size that the report compares with
    watts_per_core : for the estimate of energy where it cannot be measured
    progress : called as ``progress(stage, done, total)``; what it raises stops the run
    meter : accounts time and energy; one that has begun may be passed in
    options : the optimiser's parameters, see ``fast_select._core.default_options()``

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used.
    ComputationError
        Where a computation fails on valid input.
    """
    x = np.asarray(X)
    check_matrix(x)
    wanted = wanted_count(x.shape[0], ratio, count)
    codes, classes = encode_labels(labels, x.shape[0])
    n_threads = usable_threads(threads)
    meter = meter or Meter(watts_per_core)

    def watch(stage: str, done: int, total: int) -> None:
        meter.begin(stage)
        if progress is not None:
            progress(stage, done, total)

    with core_errors():
        run: dict[str, Any] = {"seed": seed, "n_threads": n_threads, "progress": watch}
        prepared = _core.prepare(x, scale=scale, nonfinite=nonfinite, **run)
        selected = _core.select(prepared, wanted, labels=codes, balance=balance, **run, **options)
        indices: NDArray[np.int64] = selected["indices"]
        quality = _core.quality(prepared, indices, labels=codes, n_random=n_random, **run)
    used = {**_core.default_options(), **options}
    used |= {"ratio": ratio, "count": count, "balance": balance, "scale": scale}
    used |= {
        "nonfinite": nonfinite,
        "seed": seed,
        "threads": n_threads,
        "n_random": n_random,
    }
    report = selection_report(
        x,
        prepared.facts,
        used,
        indices,
        codes,
        classes,
        selected["facts"],
        quality,
        meter,
    )
    return Selection(indices, report)


def check_matrix(x: NDArray[Any]) -> None:
    """Refuse what is not an (n, d) array of real numbers with n, d >= 1."""
    if x.ndim != 2:
        fact = f"has {x.ndim} dimension{'s' * (x.ndim != 1)} where rows and columns are needed"
        fix = "Reshape it to (rows, columns)"
        raise InvalidInputError("x", fact, fix)
    if 0 in x.shape:
        raise InvalidInputError("x", f"has shape {x.shape}: there is nothing to select from")
    if x.dtype.kind not in "fiub" and x.dtype.name != "bfloat16":
        raise InvalidInputError("x", f"holds {x.dtype}", "Convert it to float32")


def wanted_count(n: int, ratio: float | None, count: int | None) -> int:
    """The number of rows that ``ratio`` or ``count`` asks for, of n."""
    if (ratio is None) == (count is None):
        both = "are both given" if ratio is not None else "are both missing"
        raise InvalidInputError("ratio and count", both, "Give one of them")
    if ratio is not None:
        if not 0 < ratio <= 1:
            raise InvalidInputError("ratio", f"{ratio} is not above 0 and at most 1")
        return max(1, int(ratio * n + 0.5))
    assert count is not None
    if not 1 <= count <= n:
        raise InvalidInputError("count", f"{count} is not between 1 and the {n} rows")
    return count


def encode_labels(
    labels: ArrayLike | None, n: int
) -> tuple[NDArray[np.int64] | None, NDArray[Any] | None]:
    """Codes 0, 1, ... of n labels and the sorted classes that they stand for."""
    if labels is None:
        return None, None
    y = np.asarray(labels)
    if y.shape != (n,):
        fact = f"have shape {y.shape} where ({n},) is needed, one for each row"
        raise InvalidInputError("labels", fact)
    if y.dtype.kind not in "fiubUS":
        raise InvalidInputError("labels", f"are of type {y.dtype}", "Use numbers or strings")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise InvalidInputError("labels", f"hold NaN or infinity, first in row {row}")
    classes, codes = np.unique(y, return_inverse=True)
    return codes.astype(np.int64).reshape(n), classes


def usable_threads(threads: int | None) -> int:
    """``threads``, or all that this process may use: affinity, cgroup quota and Slurm obeyed."""
    if threads is not None:
        if threads < 1:
            raise InvalidInputError("threads", f"{threads} is below 1")
        return threads
    available: int = _core.info()["n_threads"]
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return min(available, int(slurm)) if slurm.isdecimal() and int(slurm) else available
