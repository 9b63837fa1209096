"""The order in which to take picks, and what its prefixes are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core

Progress = Callable[[str, int, int], None]

FIGURES = ("cfd_m", "coverage_mean")
"""Figures that prefixes are compared by."""

STEPS = 1000
"""Units of progress that a step counts."""


def rank(
    prepared: _core.Prepared,
    indices: NDArray[np.int64],
    params: _core.Params,
    request: dict[str, Any],
    progress: Progress,
) -> tuple[NDArray[np.int64], list[dict[str, Any]]]:
    """Ranks of ``indices``, from 1, and what the report says of their prefixes.

    ``request``: labels, groups, rows to include and exclude, as ``_core.select`` has them. Prefixes
    stand beside selections made at their size and random ones, unless there are none of these.
    """
    about = {name: request[name] for name in ("labels", "include")}
    ranks = _core.rank(prepared, indices, params, progress=progress, **about)
    if not params.values()["n_random"]:
        return ranks, []
    counts = [max(1, round(share * indices.size)) for share in _core.RANKED_SHARES]
    steps = Steps(progress, 3 * len(counts))
    in_order = indices[np.argsort(ranks)]
    return ranks, [
        {"share": share, "count": count}
        | _figures(prepared, in_order[:count], params, request, steps)
        for share, count in zip(_core.RANKED_SHARES, counts, strict=True)
    ]


class Steps:
    """Several stages shown as one."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress, self._count, self._begun = progress, count, 0

    def next(self) -> Progress:
        """The progress of the next one."""
        self._begun += 1
        before = STEPS * (self._begun - 1)
        return lambda _stage, done, total: self._progress(
            "rank", before + STEPS * done // max(total, 1), STEPS * self._count
        )


def _figures(
    prepared: _core.Prepared,
    prefix: NDArray[np.int64],
    params: _core.Params,
    request: dict[str, Any],
    steps: Steps,
) -> dict[str, Any]:
    """Figures of a prefix, of a selection of its size, and means of random ones."""
    labels = request["labels"]
    own = _core.evaluate(prepared, prefix, params, labels=labels, progress=steps.next())
    try:
        selected = _core.select(prepared, prefix.size, params, progress=steps.next(), **request)
        made = _core.evaluate(
            prepared, selected["indices"], params, labels=labels, n_random=0, progress=steps.next()
        )
    except _core.Refused:  # fewer rows than classes or included rows demand
        made = None
    return {
        "prefix": {name: own["selection"][name] for name in FIGURES},
        "selected": made and {name: made["selection"][name] for name in FIGURES},
        "random": {name: own["random"][name]["mean"] for name in FIGURES},
    }
