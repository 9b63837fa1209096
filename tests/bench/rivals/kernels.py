"""Rows that are distributed as all are: by a kernel, or by the energy distance."""

from __future__ import annotations

from functools import cache

import numpy as np


def median_distance(z, rng):
    """Of 2,000 pairs of rows; 1 where all rows are the same."""
    sample = z[rng.integers(0, len(z), (2000, 2))]
    distances = np.linalg.norm(sample[:, 0] - sample[:, 1], axis=1)
    return np.median(distances[distances > 0]) if (distances > 0).any() else 1.0


def kernel_thinning(z, quota, seed):
    """Kernel thinning (goodpoints) with the Gaussian kernel at the median heuristic.

    It halves, so it gets as many random rows as halve to the quota.
    """
    from goodpoints import kt

    rng = np.random.default_rng(seed)
    halvings = int(np.log2(len(z) / quota))
    rows = rng.permutation(len(z))[: quota << halvings]
    unit = median_distance(z, rng)

    def kernel(y, x):
        return np.exp(-0.5 * ((x - y) ** 2).sum(axis=1) / unit**2)

    thinned = kt.thin(
        z[rows].astype(float), halvings, kernel, kernel, seed=seed, unique=True, store_K=True
    )
    return rows[thinned]


REFINEMENTS = 10
"""Rounds in which every pick may be exchanged; of more nothing is gained."""


PADDED = 256
"""Rows of no weight make classes multiples of this, so that fewer sizes are compiled."""


@cache
def compiled_herding(quota):
    """From rows and weights to `quota` row numbers: a compiled function."""
    import jax
    from coreax import Data, SquaredExponentialKernel
    from coreax.solvers import KernelHerding

    @jax.jit
    def pick(rows, weights):
        solver = KernelHerding(quota, SquaredExponentialKernel(1.0))
        found, _ = solver.reduce_iterative(Data(rows, weights), num_iterations=1 + REFINEMENTS)
        return found.unweighted_indices

    return pick


def herding_refined(z, quota, _seed):
    """Kernel herding and rounds of refinement (coreax), Gaussian kernel at the median heuristic."""
    padding = -len(z) % PADDED
    rows = np.pad(z / median_distance(z, np.random.default_rng(0)), ((0, padding), (0, 0)))
    weights = np.pad(np.ones(len(z), np.float32), (0, padding))
    return np.asarray(compiled_herding(quota)(rows.astype(np.float32), weights))


def twinning(z, quota, seed):
    """Twinning (Vakayil & Joseph 2022): the smaller twin, by the energy distance.

    It takes one of every r rows, so it gets r times the quota, drawn at random. It can't take one
    row of all: its first is drawn at random, and so is that one.
    """
    from twinning import twin

    rng = np.random.default_rng(seed)
    of = len(z) // quota
    rows = rng.permutation(len(z))[: quota * of]
    if quota == 1 or of == 1:
        return rows[:quota]
    return rows[twin(z[rows].astype(float), of, u1=0).astype(np.int64)]
