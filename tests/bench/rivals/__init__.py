"""Selection methods of other packages, in the form that `compare` takes.

    medoids     rows near to all others: facility location, FasterPAM, OneBatchPAM
    coverage    of active learning: MaxHerding, ProbCover, TypiClust; ZCore
    kernels     rows distributed as all: kernel thinning, herding with refinement, twinning

All see the prepared features, and with labels each class by itself, of which they pick as many rows
as a stratified pick has. Packages are imported where they are used: one that is missing stops
nothing but its own method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fast_select import _core

from . import coverage, kernels, medoids

Rows = NDArray[np.int64]
Pick = Callable[[NDArray[np.float32], int, int], Rows]
"""From (rows, how many, seed) to that many row numbers."""


def by_class(pick: Pick, prepared: _core.Prepared, count: int, labels: Rows, seed: int) -> Rows:
    """Let `pick` choose in each class as many rows as a stratified pick has."""
    params = _core.Params("select", method="random", seed=seed)
    quotas = _core.select(prepared, count, params, labels=labels)["indices"]
    z, chosen = prepared.features, []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        quota = int((labels[quotas] == label).sum())
        part = np.arange(len(rows)) if quota == len(rows) else pick(z[rows], quota, seed)
        chosen.append(rows[part])
    return np.sort(np.concatenate(chosen))


@dataclass
class Rival:
    """A method of another package; where it draws nothing at random, its last answer is kept."""

    package: str
    """Where it is from, as pip knows it; empty: our own lines after the paper."""
    pick: Pick
    draws: bool = True
    """Whether the answer depends on the seed."""
    seeds: int = 3
    """Of how many at most selections are made."""
    whole: tuple[float, ...] = (0.01, 0.05)
    """Ratios without labels; fewer where 12,000 rows take minutes."""
    last: tuple[_core.Prepared, tuple[int, bool, int], Rows] | None = None
    """What the last answer was to, and that."""

    def ratios(self, use_labels: bool) -> tuple[float, ...]:
        """At which it runs, with labels or without."""
        return (0.01, 0.05) if use_labels else self.whole

    def __call__(
        self, prepared: _core.Prepared, count: int, labels: Rows | None, seed: int
    ) -> Rows:
        """Pick, class by class where there are labels."""
        drawn = seed if self.draws else 0
        asked = (count, labels is None, drawn)
        if self.last is None or self.last[0] is not prepared or self.last[1] != asked:
            if labels is None:
                rows = np.sort(np.asarray(self.pick(prepared.features, count, drawn)))
            else:
                rows = by_class(self.pick, prepared, count, labels, drawn)
            self.last = (prepared, asked, checked(rows, count))
        return self.last[2]


def checked(rows: Rows, count: int) -> Rows:
    """`rows` if they are `count` different ones."""
    if len(np.unique(rows)) != count:
        raise ValueError(f"{len(np.unique(rows))} different rows where {count} are asked for")
    return rows.astype(np.int64)


RIVALS = {
    "facility location": Rival("apricot-select", medoids.facility_location, draws=False),
    "kernel thinning": Rival("goodpoints", kernels.kernel_thinning),
    "FasterPAM": Rival("kmedoids", medoids.faster_pam),
    "OneBatchPAM": Rival("onebatch", medoids.one_batch_pam),
    "MaxHerding": Rival("scikit-activeml", coverage.max_herding, draws=False, whole=(0.01,)),
    # The seed breaks ties alone.
    "ProbCover": Rival("scikit-activeml", coverage.prob_cover, draws=False, whole=(0.01,)),
    "TypiClust": Rival("scikit-activeml", coverage.typi_clust),
    "ZCore": Rival("", coverage.zcore, seeds=2, whole=(0.01,)),
    "twinning": Rival("twinning", kernels.twinning),
    "herding, refined": Rival("coreax", kernels.herding_refined, draws=False),
}
