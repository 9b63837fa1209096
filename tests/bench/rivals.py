"""Selection methods of other packages, in the form that `compare` takes."""

from __future__ import annotations

import numpy as np
from apricot import FacilityLocationSelection
from goodpoints import kt
from numpy.typing import NDArray

from fast_select import _core


def by_class(pick, prepared: _core.Prepared, count: int, labels, seed: int) -> NDArray[np.int64]:
    """Let `pick(z, count, seed)` choose in each class as many rows as a stratified pick has."""
    params = _core.Params("select", method="random", seed=seed)
    quotas = _core.select(prepared, count, params, labels=labels)["indices"]
    z, chosen = prepared.features, []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        quota = int((labels[quotas] == label).sum())
        part = np.arange(len(rows)) if quota == len(rows) else pick(z[rows], quota, seed)
        chosen.append(rows[part])
    return np.sort(np.concatenate(chosen))


class FacilityLocation:
    """Greedy facility location on Euclidean similarity (apricot).

    It draws nothing at random and compiles itself anew for every class, which takes a second: the
    last answer is kept for the other seeds.
    """

    def __init__(self) -> None:
        self.last: tuple[_core.Prepared | None, int] = (None, 0)
        self.rows = np.empty(0, np.int64)

    def __call__(self, prepared, count, labels, seed):
        """Pick class by class."""
        if self.last != (prepared, count):
            self.rows = by_class(self.pick, prepared, count, labels, 0)
            self.last = (prepared, count)
        return self.rows

    @staticmethod
    def pick(z, quota, _seed):
        """The ranking of one class."""
        model = FacilityLocationSelection(quota, metric="euclidean", optimizer="lazy")
        return np.asarray(model.fit(z).ranking[:quota])


def kernel_thinning(prepared, count, labels, seed):
    """Kernel thinning (goodpoints) with the Gaussian kernel at the median heuristic.

    It halves, so it gets as many random rows as halve to the quota.
    """

    def pick(z, quota, seed):
        rng = np.random.default_rng(seed)
        halvings = int(np.log2(len(z) / quota))
        rows = rng.permutation(len(z))[: quota << halvings]
        sample = z[rng.integers(0, len(z), (2000, 2))]
        distances = np.linalg.norm(sample[:, 0] - sample[:, 1], axis=1)
        unit = np.median(distances[distances > 0]) if (distances > 0).any() else 1.0

        def kernel(y, x):
            return np.exp(-0.5 * ((x - y) ** 2).sum(axis=1) / unit**2)

        thinned = kt.thin(
            z[rows].astype(float), halvings, kernel, kernel, seed=seed, unique=True, store_K=True
        )
        return rows[thinned]

    return by_class(pick, prepared, count, labels, seed)
