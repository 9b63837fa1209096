"""Judging a selection, whoever made it, beside random ones of the same size."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from . import _core
from ._checks import as_rows, checked
from ._errors import core_errors, refused
from ._labels import encode_labels
from ._plan import check_memory
from ._rows import row_numbers
from ._run import Progress, check_watchers
from .energy import Meter
from .report import input_facts, report_on

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._parameters import EvaluateParameters


def evaluate(
    X: ArrayLike,
    indices: ArrayLike,
    *,
    progress: Progress | None = None,
    meter: Meter | None = None,
    **parameters: Unpack[EvaluateParameters],
) -> dict[str, Any]:
    """Judge the rows ``indices`` of ``X`` beside random picks of the same size.

    Returns a report: for each figure (CF distance on unseen frequencies, in the mean, by radius and
    inside cells, moments 1 to 4, coverage, MMD with its standard error, sliced Wasserstein
    distance) the selection's value, the random picks' mean and how many of them the selection
    beats; with ``labels`` the same beside stratified picks, and class counts; where the exchange
    would cut the rows into blocks, the CF distance also beside picks stratified by these; a verdict
    in words.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 8))
    >>> report = evaluate(x, np.argsort(x[:, 0])[:50])
    >>> report["verdict"].split(":")[0]
    'Worse than random'

    Parameters
    ----------
    X : (n, d) array of numbers, any strides, memory-mapped or not, or a table of pandas, polars or
        pyarrow of which all columns are numbers, or the only one vectors; masked and missing
        entries are NaN
    indices : row numbers of ``X``, each once, or a mask, (n,) bool
    progress, meter : as of :func:`fast_select.select`
    labels : (n,) array, default None
        Class of each row.
    scale : auto, none, standard, default auto
        Scaling of the columns.
    nonfinite : error, drop, default error
        What to do with rows that hold NaN or infinity; where they are dropped, a ratio is
        of the others.
    n_random : integer from 0 to 10000, default 100
        Random selections to compare with.
    seed : integer from 0 to 18446744073709551615, default 0
        Seed of every random draw; the same seed gives the same rows at any number of
        threads.
    threads : integer from 1 to 1024, default None
        Threads; where not given, all that the process may use.

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used.
    """
    x = as_rows(X)
    check_watchers(progress, meter)
    options: dict[str, Any] = {**parameters}
    rows = row_numbers(indices, x.shape[0], partial(refused, "indices"))
    codes, classes = encode_labels(options.pop("labels", None), x.shape[0])
    params = checked("evaluate", options)
    meter = meter or Meter()

    def watch(stage: str, done: int, total: int) -> None:
        meter.begin(stage)
        if progress is not None:
            progress(stage, done, total)

    with core_errors():
        count = min(rows.size, x.shape[0])
        check_memory(x.shape[1], [x.shape[0]], count, params, only=("prepare", "quality"))
        prepared = _core.prepare(x, params, progress=watch)
        quality = _core.evaluate(
            prepared, rows, params, labels=codes, with_discrepancies=True, progress=watch
        )
    kept = prepared.rows if prepared.facts["n_nonfinite"] else None
    about, labels = input_facts(x, prepared), (codes, classes)
    return report_on(about, params.values(), rows, labels, quality, meter, kept=kept)
