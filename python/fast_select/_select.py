"""Selecting rows: one call from a matrix to indices and a report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ._checkpoint import Checkpoint
from ._checks import checked
from ._errors import refused
from ._instruction_set import pin_instruction_set
from ._lent import Lent
from ._run import Progress, Run
from ._scratch import Scratch
from ._selection import Selection
from .energy import Meter

if TYPE_CHECKING:
    from distributed import Client
    from typing_extensions import Unpack

    from ._cluster.crew import Crew
    from ._parameters import SelectParameters


def select(
    X: ArrayLike | Lent,
    *,
    ids: ArrayLike | None = None,
    assign: bool = False,
    scratch: Scratch | str | os.PathLike[str] | None = None,
    checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    client: Client | Crew | None = None,
    instruction_set: str | None = None,
    progress: Progress | None = None,
    meter: Meter | None = None,
    **parameters: Unpack[SelectParameters],
) -> Selection:
    """Select rows of ``X`` whose distribution equals that of all rows.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 8))
    >>> selection = select(x, ratio=0.1, n_random=20)
    >>> selection.indices.size
    50
    >>> selection.report["verdict"].split(":")[0]
    'Better than random'

    Parameters
    ----------
    X : (n, d) array of numbers, any strides, memory-mapped or not, or a table of pandas, polars or
        pyarrow of which all columns are numbers, or the only one vectors; masked and missing
        entries are NaN
    ids : (n,) whole numbers, text or objects such as UUIDs, no two alike, which come back with the
        selection; they have no part in it
    assign : whether to return the pick of each row as well; implies ``weights="nearest"``
    scratch : folder for the prepared features, (n, 80) of float32 at most, where they would not fit
        into ``max_memory``; without that, in any case; where they lie changes no row
    checkpoint : folder, made where there is none, that keeps what is done: the same call goes on
        where one before it ended, whatever ended it, and others of the same input use its prepared
        features
    client : client of dask.distributed whose workers do the work, in the folder ``checkpoint`` that
        all see; without it in one that ``scratch`` has for the time, or the system has, where the
        workers are a ``LocalCluster``. ``threads`` and ``max_memory`` are then those of each. ``X``
        may be an array or a frame of Dask.
    instruction_set : avx512, avx2, neon or scalar, instead of the machine's best: what all workers
        have
    progress : called as ``progress(stage, done, total)``; what it raises stops the run
    meter : accounts time and energy; one that has begun may be passed in
    ratio : number above 0 and at most 1, default None
        Share of the rows to select, rounded to whole rows.
    count : integer, 1 or more, default None
        Number of rows to select.
    labels : (n,) array, default None
        Class of each row.
    groups : (n,) array, default None
        Group of each row, of which a few at most are selected: frames of a video, scans of
        a patient.
    include : array of row numbers, or a mask of all rows, default None
        Rows to select in any case.
    exclude : array of row numbers, or a mask of all rows, default None
        Rows not to select; they still count in the whole.
    balance : proportional, equal, or rows of each class by its label, default proportional
        How the count is shared out among the classes, each of which is selected on its own:
        in proportion to their rows, equally, or so many rows of each, which then add up to
        the count.
    min_per_class : integer, 0 or more, default 1
        Rows that each class gives at least, as far as it has them.
    max_per_group : integer, 1 or more, default None
        Rows of a group that are selected at most.
    rank : true or false, default False
        Also find the order in which to take the rows, so that the first few of them,
        whatever their number, are as good as can be; it is compared with selections of 10,
        25 and 50 % of them, unless there are no random ones.
    scale : auto, none, standard, default auto
        Scaling of the columns.
    nonfinite : error, drop, default error
        What to do with rows that hold NaN or infinity; where they are dropped, a ratio is
        of the others.
    weights : none, nearest, default none
        Weight of each selected row, in tables and in the report; nearest: how many rows (of
        its class) have it as their nearest selected row.
    max_memory : number of bytes, 1 or more, default None
        Memory that the process may take, the mapped input aside. Blocks become smaller to
        keep to it, which selects other rows (the same ones at any number of threads), then
        fewer threads run; what cannot be done within it is refused.
    n_random : integer from 0 to 10000, default 20
        Random selections to compare with.
    watts_per_core : finite number above 0, default 10.0
        Power of a busy core in watts, for the estimate of energy where it cannot be
        measured.
    seed : integer from 0 to 18446744073709551615, default 0
        Seed of every random draw; the same seed gives the same rows at any number of
        threads.
    threads : integer from 1 to 1024, default None
        Threads; where not given, all that the process may use.
    method : fast, paper, random, k-center, k-means, herding, default fast
        fast: FAST's ideas as a search among the rows; paper: its graph, descent and
        assignment; the others are rivals to compare with.
    space : joint, features, spectral, default spectral
        Space in which the descent matches distributions.
    n_neighbors : integer, 2 or more, default 32
        Neighbours of a row in the graph.
    n_components : integer, 1 or more, default 32
        Spectral components.
    n_freqs : integer, 3 or more, default 2048
        Frequencies of the library.
    batch_size : integer, 1 or more, default 256
        Frequencies of a step of the descent.
    max_steps : integer, 0 or more, default 200
        Steps of the descent at most.
    learning_rate : finite number above 0, default 1.0
        Length of a step of the descent, over the root of the CF distance that is left.
    lambda_div : finite number, 0 or more, default 0.001
        Weight of the diversity term.
    lambda_match : finite number, 0 or more, default 0.1
        Weight of the match term.
    lambda_graph : finite number, 0 or more, default 0.01
        Weight of the graph term.
    lambda_phase : finite number, 0 or more, default 0.3
        Strength of the phase term.
    init : random, k-means++, k-means, default random
        Rows to start from.
    schedule : progressive, all, default progressive
        Order in which frequencies take part.
    base_radius : finite number above 0, default 0.7
        Coarsest radius of the exchange, in units of one over the median distance; each of
        the four is twice the one before.
    lambda_cover : finite number, 0 or more, default 1.0
        Weight of the mean distance to the nearest pick in the exchange.
    max_sweeps : integer, 0 or more, default 4
        Rounds of the exchange at most.
    block_rows : integer, 64 or more, default 16384
        Rows exchanged among each other at most; larger groups are cut.

    Under glibc freed buffers come on top of ``max_memory``, unless
    ``MALLOC_MMAP_THRESHOLD_=1048576`` is in the environment.

    Raises
    ------
    InvalidInputError
        For input or parameters that cannot be used.
    ComputationError
        Where a computation fails on valid input.
    """
    pin_instruction_set(instruction_set)
    how = (client, checkpoint, scratch, instruction_set)
    return _selections(X, [{}], ids, assign, how, meter, progress, parameters)[0]


def select_nested(
    X: ArrayLike | Lent,
    *,
    ratios: Sequence[float],
    ids: ArrayLike | None = None,
    assign: bool = False,
    scratch: Scratch | str | os.PathLike[str] | None = None,
    checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    client: Client | Crew | None = None,
    instruction_set: str | None = None,
    progress: Progress | None = None,
    meter: Meter | None = None,
    **parameters: Unpack[SelectParameters],
) -> list[Selection]:
    """Select at several ratios, each smaller selection from the next larger one's rows.

    All are matched to the distribution of all rows. Arguments and errors are those of
    :func:`select`; the selections come in the order of ``ratios``, which must differ.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 8))
    >>> small, large = select_nested(x, ratios=[0.02, 0.1], n_random=2)
    >>> small.indices.size, large.indices.size, bool(np.isin(small.indices, large.indices).all())
    (10, 50, True)
    """
    pin_instruction_set(instruction_set)
    ratios = checked_ratios(ratios)
    descending = sorted(ratios, reverse=True)
    sizes = [{"ratio": ratio} for ratio in descending]
    how = (client, checkpoint, scratch, instruction_set)
    made = _selections(X, sizes, ids, assign, how, meter, progress, parameters)
    by_ratio = dict(zip(descending, made, strict=True))
    return [by_ratio[ratio] for ratio in ratios]


def _selections(
    X: Any,
    sizes: list[dict[str, float]],
    ids: Any,
    assign: bool,
    how: tuple[Any, Any, Any, str | None],
    meter: Meter | None,
    progress: Progress | None,
    parameters: Any,
) -> list[Selection]:
    """A selection at each of ``sizes``, here or by the workers of a cluster.

    ``how``: client, checkpoint, scratch, instruction set.
    """
    client, checkpoint, scratch, _ = how
    if client is None:
        lent = Lent.of(X)
        run = Run(lent, sizes, ids, assign, scratch, checkpoint, meter, progress, parameters)
        return run.selections()
    from ._cluster.crew import Crew

    with Crew.of(*how) as crew:
        return crew.selections(X, sizes, ids, assign, checkpoint, meter, progress, parameters)


def checked_ratios(ratios: Sequence[float]) -> list[float]:
    """Ratios as numbers, all different."""
    if isinstance(ratios, str) or not isinstance(ratios, Iterable):
        raise refused("ratio", f"{type(ratios).__name__} is not a list of numbers")
    numbers = [checked("select", {"ratio": ratio}).values()["ratio"] for ratio in ratios]
    if len(set(numbers)) < len(numbers) or not numbers:
        raise refused("ratio", f"{numbers} are not different ratios")
    return numbers
