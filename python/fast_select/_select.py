"""Selecting rows: one call from a matrix to indices and a report."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._balance import rows_per_class
from ._checkpoint import Checkpoint, key_of
from ._checks import checked
from ._errors import core_errors, refused
from ._idle import IDLE
from ._instruction_set import pin_instruction_set
from ._lent import Lent
from ._members import Member
from ._plan import check_memory, class_sizes, fitted
from ._ranking import rank
from ._request import Request
from ._scratch import Scratch, room_for_z
from .energy import Meter
from .report import input_facts, report_on

if TYPE_CHECKING:
    from distributed import Client
    from typing_extensions import Unpack

    from ._cluster.crew import Crew
    from ._parameters import SelectParameters

Progress = Callable[[str, int, int], None]

ENDING = frozenset({"rank", "weights", "quality"})
"""Stages by which a selection is judged, once its rows are known."""


@dataclass(frozen=True, repr=False, eq=False)
class Selection:
    """Selected rows and the report on them.

    ``indices``: row numbers of the input, ascending, int64, (m,). ``report``: what
    ``fast-select`` writes as JSON (README, "The report"). ``labels``, ``ids``: of these rows, (m,).
    ``weights``: how many rows each of them stands for, itself included, int64, (m,). ``rank``:
    place of each in the order in which to take them, from 1, (m,). ``assignment``: for each row of
    the input the selected one that stands for it, int64, (n,); -1 for a row that was left out.
    """

    indices: NDArray[np.int64]
    report: dict[str, Any]
    labels: NDArray[Any] | None = None
    ids: NDArray[Any] | None = None
    weights: NDArray[np.int64] | None = None
    rank: NDArray[np.int64] | None = None
    assignment: NDArray[np.int64] | None = None

    def __str__(self) -> str:
        return f"{self._size()}\n{self.report['verdict']}"

    def __repr__(self) -> str:
        return f"Selection({self._size()})"

    def _repr_html_(self) -> str:
        """The top of the report's page, as notebooks show it."""
        from .page import fragment

        return fragment(self.report)

    def _size(self) -> str:
        n = self.report["input"]["shape"][0]
        return f"{self.indices.size:,} of {n:,} {'row' if n == 1 else 'rows'}"

    def columns(self) -> dict[str, NDArray[Any]]:
        """The selection as a table: ``index`` and what else is known of each row; all (m,).

        Rows are in the order of their ranks, or else ascending.
        """
        table = {
            "index": self.indices,
            "id": self.ids,
            "label": self.labels,
            "weight": self.weights,
            "rank": self.rank,
        }
        order = slice(None) if self.rank is None else np.argsort(self.rank)
        return {name: values[order] for name, values in table.items() if values is not None}


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


def check_watchers(progress: object, meter: object) -> None:
    """Refuse what cannot be told how a run goes on."""
    if progress is not None and not callable(progress):
        raise refused("progress", f"{type(progress).__name__} cannot be called")
    if meter is not None and not isinstance(meter, Meter):
        raise refused("meter", f"{type(meter).__name__} is not a Meter")


def checked_ratios(ratios: Sequence[float]) -> list[float]:
    """Ratios as numbers, all different."""
    if isinstance(ratios, str) or not isinstance(ratios, Iterable):
        raise refused("ratio", f"{type(ratios).__name__} is not a list of numbers")
    numbers = [checked("select", {"ratio": ratio}).values()["ratio"] for ratio in ratios]
    if len(set(numbers)) < len(numbers) or not numbers:
        raise refused("ratio", f"{numbers} are not different ratios")
    return numbers


class Run:
    """A selection at each of ``sizes`` (options that ask for it), each within the one before."""

    def __init__(
        self,
        lent: Lent,
        sizes: list[dict[str, float]],
        ids: Any,
        assign: bool,
        scratch: Scratch | str | os.PathLike[str] | None,
        checkpoint: Checkpoint | str | os.PathLike[str] | None,
        meter: Meter | None,
        progress: Progress | None,
        parameters: Any,
    ) -> None:
        check_watchers(progress, meter)
        options, (n, n_columns) = {**parameters}, lent.x.shape
        self._lent, self._progress, self._n = lent, progress, n
        self.request = request = Request.taken_from(options, ids, n)
        folder, self._checkpoint = Scratch.of(scratch), Checkpoint.of(checkpoint)
        if "balance" in options:
            options["balance"] = rows_per_class(options["balance"], request.classes)
            if isinstance(options["balance"], dict) and len(sizes) > 1:
                fact = f"has one count for each class, not one for each of {len(sizes)} ratios"
                raise refused("balance", fact, "Select at one of them")
        if not isinstance(assign, (bool, np.bool_, NoneType)):
            raise refused("assign", f"{assign!r} is not true or false")
        self._assign = bool(assign)
        if self._assign and options.get("weights", "none") == "none":
            options["weights"] = "nearest"
        asked = [checked("select", {**options, **size}) for size in sizes]
        with core_errors():
            for params in asked:
                params.rows_wanted(n)
            self._idle = asked[0].without_effect(request.labels is not None)
            asked[0].check_caps(request.groups is not None)
            if len(sizes) > 1 or request.is_constrained:
                asked[0].check_takes_constraints()
            kept_sizes = class_sizes(lent.x, request.codes, asked[0])
            self._wanted = [params.rows_wanted(sum(kept_sizes)) for params in asked]
            fitting, self._is_mapped = fitted(
                asked[0],
                n_columns,
                kept_sizes,
                max(self._wanted),
                folder,
                has_checkpoint=self._checkpoint is not None,
            )
            found_sizes = [fitting.values()[name] for name in ("block_rows", "threads")]
            self._asked = [params.fitted(*found_sizes) for params in asked]
            check_memory(
                n_columns,
                kept_sizes,
                max(self._wanted),
                self._asked[0],
                is_mapped=self._is_mapped,
            )
            stages = _core.plan(n_columns, kept_sizes, max(self._wanted), self._asked[0])
            self.shared_stages = [s["name"] for s in stages if s["name"] not in ENDING]
            """Those that members of a crew share, in order."""
            self._room: NDArray[np.float32] | None = None
            if self._checkpoint is not None:
                self._checkpoint.begin(lent.x, self._asked[0].values())
                self._agree_on_blocks(self._checkpoint, asked[0].values()["block_rows"])
            elif self._is_mapped:
                self._room = room_for_z(folder, lent.x.shape)
        self.are_shared_told = False
        """Whether these have been told of, by what members tell."""
        self._known: _core.Prepared | None = None
        self._ratios = [size["ratio"] for size in sizes] if len(sizes) > 1 else None
        self._meter = self._at_hand = meter or Meter(options.get("watts_per_core"))
        self._member: Member | None = None
        if self._checkpoint is not None:
            self._member = Member(self._checkpoint.folder, self._meter)

    def _agree_on_blocks(self, checkpoint: Checkpoint, wanted: int) -> None:
        """Cut as who began did: memory that is free differs from process to process.

        ``wanted``: rows of a block where memory is no matter.
        """
        values = self._asked[0].values()
        if values["max_memory"] is None:
            return
        others = IDLE | {"ratio", "block_rows"}
        options = {name: value for name, value in values.items() if name not in others}
        asked = [options, self._wanted, wanted, self.request.hashes()]
        own = values["block_rows"]
        rows = checkpoint.agreed(f"block-rows-{key_of(asked)}", own)
        if rows > own:
            fact = (
                f"leaves room for blocks of {own} rows, where the checkpoint was begun with {rows}"
            )
            fix = "Raise {max_memory}, or name an empty {checkpoint} folder"
            raise refused("max_memory", fact, fix)
        self._asked = [params.fitted(rows, values["threads"]) for params in self._asked]

    def begin(self, stage: str) -> None:
        """Account what passes from now on to a stage."""
        self._at_hand.begin(stage)

    def watch(self, stage: str, done: int, total: int) -> None:
        """Account what passes from now on to a stage, and tell how far it is."""
        if self.are_shared_told and stage in self.shared_stages:
            return
        self.begin(stage)
        if self._member is not None:
            self._member.tell(stage, done, total)
        if self._progress is not None:
            self._progress(stage, done, total)

    def check_known(self) -> None:
        """Refuse a checkpoint of other values before others work on it."""
        if self._checkpoint is not None and self._checkpoint.is_known:
            with core_errors(), self._checkpoint:
                self._prepared()

    def _prepared(self) -> _core.Prepared:
        if self._known is not None:
            return self._known
        x, params, keeper = self._lent.x, self._asked[0], self._checkpoint
        prepared = _core.prepare(x, params, room=self._room, crew=keeper, progress=self.watch)
        if keeper is not None:
            keeper.check_values(x, prepared, params.values()["threads"] or 0, self.watch)
        self._about = input_facts(x, prepared)
        self._lent.give_back()
        for params, count in zip(self._asked, self._wanted, strict=True):
            _core.check_request(prepared, count, params, **self.request.arrays())
        self._meter.tick()
        self._known = prepared
        return prepared

    def _selected(
        self, prepared: _core.Prepared, count: int, params: _core.Params, request: Request
    ) -> dict[str, Any]:
        """The rows that the core selects."""
        keeper = self._checkpoint
        if keeper is not None and self._member is not None:
            options = {k: v for k, v in params.values().items() if k not in IDLE | {"ratio"}}
            self._member.begin(keeper.select(options | {"count": count}, request.hashes()))
        return _core.select(
            prepared, count, params, crew=keeper, progress=self.watch, **request.arrays()
        )

    def share(self) -> None:
        """Do a member's share of the work, and leave the rest to who ends it."""
        request = self.request
        with core_errors(), self._checkpoint or contextlib.nullcontext():
            prepared = self._prepared()
            for params, count in zip(self._asked, self._wanted, strict=True):
                made = self._selected(prepared, count, params, request)
                request = request.within(made["indices"], self._n)
            if self._member is not None:
                self._member.tell(ends=True)

    def selections(self) -> list[Selection]:
        """All of it, with ranks, weights, figures and reports."""
        found: list[Selection] = []
        request = self.request
        with core_errors(), self._checkpoint or contextlib.nullcontext():
            prepared = self._prepared()
            hashes = request.hashes() | {"values": prepared.values_hash}
            counts = request.counts()
            for params, count in zip(self._asked, self._wanted, strict=True):
                self._at_hand = self._meter.branch()
                made = self._selected(prepared, count, params, request)
                made |= _judged(
                    prepared, made, params, request, self.watch, with_assignment=self._assign
                )
                kept = prepared.rows if prepared.facts["n_nonfinite"] else None
                report = report_on(
                    self._about,
                    params.values() | counts,
                    made["indices"],
                    (request.codes, request.classes),
                    made["quality"],
                    self._at_hand,
                    kept=kept,
                    weights=made["weights"],
                    scratch_bytes=self._mapped_bytes(prepared),
                    groups=made["groups"],
                    ranking=made["ranking"],
                    hashes=hashes,
                    ratios=self._ratios,
                    without_effect=self._idle,
                )
                spent = report["totals"]
                if self._member is not None:
                    spent = report["crew"] = self._member.crew()
                report["energy"]["joules_per_row"] = spent["joules"] / made["indices"].size
                found.append(_selection(made, report, request))
                request = request.within(made["indices"], self._n)
            if self._checkpoint is not None:
                self._checkpoint.tidy()
        return found

    def _mapped_bytes(self, prepared: _core.Prepared) -> int:
        """Bytes of Z that lie in files."""
        if self._checkpoint is not None:
            return 4 * len(prepared.rows) * int(prepared.facts["n_dims"])
        return 0 if self._room is None else self._room.nbytes


def _judged(
    prepared: _core.Prepared,
    selected: dict[str, Any],
    params: _core.Params,
    request: Request,
    watch: Progress,
    *,
    with_assignment: bool,
) -> dict[str, Any]:
    """What the core makes of rows that are selected: ranks, weights, figures of quality."""
    arrays, asked = request.arrays(), params.values()
    made: dict[str, Any] = dict.fromkeys(("rank", "ranking", "weights", "assignment"))
    indices = selected["indices"]
    if asked["rank"]:
        made["rank"], made["ranking"] = rank(prepared, indices, params, arrays, watch)
    about: dict[str, Any] = {"labels": request.codes, "progress": watch}
    if asked["weights"] != "none":
        made |= _core.weigh(prepared, indices, params, with_assignment=with_assignment, **about)
    made["quality"] = _core.evaluate(prepared, indices, params, weights=made["weights"], **about)
    return made


def _selection(made: dict[str, Any], report: dict[str, Any], request: Request) -> Selection:
    """What the user gets."""
    indices = made["indices"]
    return Selection(
        indices,
        report,
        labels=None if request.labels is None else request.labels[indices],
        ids=None if request.ids is None else request.ids[indices],
        weights=made["weights"],
        rank=made["rank"],
        assignment=made["assignment"],
    )
