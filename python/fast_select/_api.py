"""The Python interface: one call from a matrix to indices and a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._checks import (
    check_integer,
    check_matrix,
    encode_labels,
    row_numbers,
    usable_threads,
    wanted_count,
)
from ._errors import InvalidInputError, core_errors
from ._plan import fitting_block_rows
from .energy import WATTS_PER_CORE, Meter
from .report import selection_report

if TYPE_CHECKING:
    from typing_extensions import Unpack

Progress = Callable[[str, int, int], None]


class Parameters(TypedDict, total=False):
    """Keywords of :func:`select` that all its variants share; the core has their defaults."""

    labels: ArrayLike | None
    balance: str
    include: ArrayLike | None
    exclude: ArrayLike | None
    scale: str
    nonfinite: str
    seed: int
    threads: int | None
    n_random: int
    max_memory: int | None
    progress: Progress | None
    method: str
    space: str
    init: str
    schedule: str
    n_neighbors: int
    n_components: int
    n_freqs: int
    batch_size: int
    max_steps: int
    learning_rate: float
    lambda_div: float
    lambda_match: float
    lambda_graph: float
    lambda_phase: float
    base_radius: float
    lambda_cover: float
    max_sweeps: int
    block_rows: int


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
    meter: Meter | None = None,
    watts_per_core: float = WATTS_PER_CORE,
    **parameters: Unpack[Parameters],
) -> Selection:
    """Select rows of ``X`` whose distribution equals that of all rows.

    Parameters
    ----------
    X : (n, d) array of numbers, any strides, memory-mapped or not
    ratio, count : what to select: a share of the rows, rounded, or a number of them
    labels : (n,) classes; each then gives rows by ``balance`` and is selected on its own
    balance : ``"proportional"`` or ``"equal"``
    include, exclude : rows that are selected in any case, and rows that are not but still count
        as part of the whole
    scale : ``"auto"``, ``"none"`` or ``"standard"``: scaling of the columns
    nonfinite : ``"error"`` or ``"drop"``: rows with NaN or infinity
    seed : of every random draw; the same seed gives the same rows at any number of threads
    threads : default: all that the process may use
    n_random : random selections of the same size that the report compares with
    max_memory : bytes that the process may take, the mapped input aside; blocks become smaller to
        keep to it, which selects other rows, and what cannot be done within it is refused (glibc
        keeps freed buffers on top, unless ``MALLOC_MMAP_THRESHOLD_=1048576`` is in its environment)
    watts_per_core : for the estimate of energy where it cannot be measured
    progress : called as ``progress(stage, done, total)``; what it raises stops the run
    meter : accounts time and energy; one that has begun may be passed in
    parameters : the optimiser's, see ``fast_select._core.default_options()``

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
    meter = meter or Meter(watts_per_core)
    given = {"ratio": ratio, "count": count}
    return _select_sizes(x, [(wanted, given)], meter, **parameters)[0]


def select_nested(
    X: ArrayLike,
    *,
    ratios: Sequence[float],
    meter: Meter | None = None,
    watts_per_core: float = WATTS_PER_CORE,
    **parameters: Unpack[Parameters],
) -> list[Selection]:
    """Select at several ratios, each smaller selection from the next larger one's rows.

    All are matched to the distribution of all rows. Arguments and errors are those of
    :func:`select`; the selections come in the order of ``ratios``, which must differ.
    """
    x = np.asarray(X)
    check_matrix(x)
    if len(set(ratios)) < len(ratios) or not ratios:
        raise InvalidInputError("ratio", f"{list(ratios)} are not different ratios")
    descending = sorted(ratios, reverse=True)
    sizes = [(wanted_count(x.shape[0], r, None), {"ratio": r, "count": None}) for r in descending]
    found = _select_sizes(x, sizes, meter or Meter(watts_per_core), **parameters)
    by_ratio = dict(zip(descending, found, strict=True))
    return [by_ratio[ratio] for ratio in ratios]


def _select_sizes(
    x: NDArray[Any],
    sizes: list[tuple[int, dict[str, Any]]],
    meter: Meter,
    *,
    labels: ArrayLike | None = None,
    balance: str = "proportional",
    include: ArrayLike | None = None,
    exclude: ArrayLike | None = None,
    scale: str = "auto",
    nonfinite: str = "error",
    seed: int = 0,
    threads: int | None = None,
    n_random: int = 20,
    max_memory: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> list[Selection]:
    """Select each (count, what was asked for), descending, within the one before."""
    check_integer("seed", seed, 0, 2**64 - 1)
    check_integer("n_random", n_random, 0, 10_000)
    codes, classes = encode_labels(labels, x.shape[0])
    included, excluded = row_numbers("include", include), row_numbers("exclude", exclude)
    n_threads = usable_threads(threads)
    at_hand = meter
    method = options.get("method", _core.default_options()["method"])
    constrained = len(sizes) > 1 or included is not None or excluded is not None
    with core_errors():
        if constrained and not _core.heeds_standing(method):
            fact = f"{method} takes no account of included or excluded rows, as several ratios need"
            raise InvalidInputError("method", fact, "Use exchange, fast or random")
        if max_memory is not None:
            class_sizes = [x.shape[0]] if codes is None else np.bincount(codes).tolist()
            options["block_rows"] = fitting_block_rows(
                max_memory,
                x.shape[1],
                class_sizes,
                max(wanted for wanted, _ in sizes),
                balance=balance,
                n_random=n_random,
                n_threads=n_threads,
                **options,
            )

    def watch(stage: str, done: int, total: int) -> None:
        at_hand.begin(stage)
        if progress is not None:
            progress(stage, done, total)

    used = {**_core.default_options(), **options, "balance": balance, "scale": scale}
    used |= {"nonfinite": nonfinite, "seed": seed, "threads": n_threads, "n_random": n_random}
    used |= {
        "max_memory": max_memory,
        "n_included": 0 if included is None else included.size,
        "n_excluded": 0 if excluded is None else excluded.size,
    }
    found: list[Selection] = []
    with core_errors():
        run: dict[str, Any] = {"seed": seed, "n_threads": n_threads, "progress": watch}
        prepared = _core.prepare(x, scale=scale, nonfinite=nonfinite, **run)
        meter.tick()
        for wanted, asked in sizes:
            at_hand = meter.branch()
            kind: dict[str, Any] = {"labels": codes, **run}
            selected = _core.select(
                prepared,
                wanted,
                balance=balance,
                include=included,
                exclude=excluded,
                **kind,
                **options,
            )
            indices: NDArray[np.int64] = selected["indices"]
            quality = _core.quality(prepared, indices, n_random=n_random, **kind)
            facts = selected["facts"]
            report = selection_report(
                x, prepared.facts, used | asked, indices, codes, classes, facts, quality, at_hand
            )
            found.append(Selection(indices, report))
            left_out = np.ones(x.shape[0], dtype=bool)
            left_out[indices] = False
            excluded = np.flatnonzero(left_out)
    return found
