"""One run from a request to selections: alone, over a checkpoint, or as the member of a crew."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._balance import rows_per_class
from ._checkpoint import Checkpoint, key_of
from ._checks import checked
from ._errors import core_errors, refused
from ._idle import IDLE
from ._lent import Lent
from ._members import Member
from ._plan import check_memory, class_sizes, fitted
from ._ranking import rank
from ._request import Request
from ._scratch import Scratch, room_for_z
from ._selection import Selection
from .energy import Meter
from .report import input_facts, report_on

Progress = Callable[[str, int, int], None]

ENDING = frozenset({"rank", "weights", "quality"})
"""Stages by which a selection is judged, once its rows are known."""


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
                found.append(Selection.of(made, report, request))
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


def check_watchers(progress: object, meter: object) -> None:
    """Refuse what cannot be told how a run goes on."""
    if progress is not None and not callable(progress):
        raise refused("progress", f"{type(progress).__name__} cannot be called")
    if meter is not None and not isinstance(meter, Meter):
        raise refused("meter", f"{type(meter).__name__} is not a Meter")
