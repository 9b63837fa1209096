"""Other distances than the CFD, for the ablation: one plain loop that lowers any of them.

The loop is `--method paper`'s in numpy, class by class in features, without graph, diversity and
schedule: rounds of five steps of Adam from the rows, shifts handed to some of the anchors, the
exact one-to-one assignment, and a round that has not lowered the loss of the rows is undone. What
MSE, KL and CE are between two distributions, the paper leaves open; here:

* CFD: mean |φ_X - φ_Y|² over random frequencies (256 of 1,024 a step; judged at 512 others);
* MSE: squared differences of mean and covariance;
* KL: from the anchors' to the whole's Gaussian with independent columns;
* CE: cross entropy of mean soft assignments to 64 rows, by a softmax of -|y - c|²/2h², h half of
  the median distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from fast_select import _core

Array = np.ndarray

STEPS, ROUND = 180, 5
NEIGHBORS, REACH = 32, 2.0
RADII = (0.25, 3.0)
N_FREQS, BATCH, N_HELD_OUT = 1024, 256, 512
N_CENTERS, WIDTH = 64, 0.5


class Loss(Protocol):
    """A distance between the whole and anchors `y`, (m, p)."""

    def value(self, y: Array) -> float: ...
    def gradient(self, y: Array, rng: np.random.Generator) -> Array: ...


class CFD:
    """Of characteristic functions."""

    def __init__(self, u: Array, rng: np.random.Generator) -> None:
        def drawn(count: int) -> Array:
            directions = rng.normal(size=(count, u.shape[1]))
            radii = rng.uniform(*RADII, size=count) * np.sqrt(u.shape[1])
            return directions * (radii / np.linalg.norm(directions, axis=1))[:, None]

        self.freqs, self.held_out = drawn(N_FREQS), drawn(N_HELD_OUT)
        self.reference, self.held_out_reference = (
            np.exp(1j * u @ freqs.T).mean(axis=0) for freqs in (self.freqs, self.held_out)
        )

    def value(self, y: Array) -> float:
        phi = np.exp(1j * y @ self.held_out.T).mean(axis=0)
        return float(np.mean(np.abs(phi - self.held_out_reference) ** 2))

    def gradient(self, y: Array, rng: np.random.Generator) -> Array:
        batch = rng.choice(N_FREQS, BATCH, replace=False)
        waves = np.exp(1j * y @ self.freqs[batch].T)
        gap = waves.mean(axis=0) - self.reference[batch]
        return 2 / (len(y) * BATCH) * (-(waves * gap.conj()).imag @ self.freqs[batch])


class MSE:
    """Of the first two moments."""

    def __init__(self, u: Array, rng: np.random.Generator) -> None:
        self.mean, self.covariance = u.mean(axis=0), np.cov(u.T, bias=True).reshape(u.shape[1], -1)

    def gaps(self, y: Array) -> tuple[Array, Array, Array]:
        centred = y - y.mean(axis=0)
        return y.mean(axis=0) - self.mean, centred.T @ centred / len(y) - self.covariance, centred

    def value(self, y: Array) -> float:
        mean, covariance, _ = self.gaps(y)
        return float((mean**2).sum() + (covariance**2).sum())

    def gradient(self, y: Array, rng: np.random.Generator) -> Array:
        mean, covariance, centred = self.gaps(y)
        return (2 * mean + 4 * centred @ covariance) / len(y)


class KL:
    """Of Gaussians with independent columns."""

    def __init__(self, u: Array, rng: np.random.Generator) -> None:
        self.floor = 1e-3 * u.var()
        self.mean, self.variance = u.mean(axis=0), u.var(axis=0) + self.floor

    def value(self, y: Array) -> float:
        ratio = (y.var(axis=0) + self.floor) / self.variance
        gap = (y.mean(axis=0) - self.mean) ** 2 / self.variance
        return float(0.5 * (ratio + gap - 1 - np.log(ratio)).sum())

    def gradient(self, y: Array, rng: np.random.Generator) -> Array:
        variance = y.var(axis=0) + self.floor
        by_variance = 1 / self.variance - 1 / variance
        gap = (y.mean(axis=0) - self.mean) / self.variance
        return (gap + by_variance * (y - y.mean(axis=0))) / len(y)


class CE:
    """Of mean soft assignments."""

    def __init__(self, u: Array, rng: np.random.Generator) -> None:
        self.centers = u[rng.choice(len(u), min(N_CENTERS, len(u)), replace=False)]
        self.target = self.assigned(u).mean(axis=0)

    def assigned(self, y: Array) -> Array:
        logits = -cdist(y, self.centers, "sqeuclidean") / (2 * WIDTH**2)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def value(self, y: Array) -> float:
        return float(-(self.target * np.log(self.assigned(y).mean(axis=0))).sum())

    def gradient(self, y: Array, rng: np.random.Generator) -> Array:
        shares = self.assigned(y)
        by_share = -self.target / shares.mean(axis=0) / len(y)
        by_logit = shares * (by_share - (shares @ by_share)[:, None])
        return by_logit @ self.centers / WIDTH**2


LOSSES: dict[str, Callable[[Array, np.random.Generator], Loss]] = {
    "CFD": CFD,
    "MSE": MSE,
    "KL": KL,
    "CE": CE,
}


def descend(u: Array, rows: Array, loss: Loss, rng: np.random.Generator) -> Array:
    """Rows of `u`, (n, p), of least loss that rounds from `rows`, (m,), come by.

    `u` is in units of its median distance.
    """
    m, p = len(rows), u.shape[1]
    # A random pick's CF distance is about .5/m: its root is what has to be moved.
    rate = np.sqrt(0.5 / (m * p))
    distances = cdist(u, u)
    near = np.partition(distances, min(NEIGHBORS, len(u) - 1), axis=1)[:, : NEIGHBORS + 1]
    reach = REACH * near.sum(axis=1) / max(near.shape[1] - 1, 1)
    best, pace = loss.value(u[rows]), 1.0
    for _ in range(STEPS // ROUND):
        y, first, second = u[rows].copy(), np.zeros((m, p)), np.zeros((m, p))
        for step in range(ROUND):
            slope = loss.gradient(y, rng)
            first += 0.1 * (slope - first)
            second += 0.01 * (slope**2 - second)
            mean, square = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.99 ** (step + 1))
            y -= rate * pace * (1 - step / ROUND) * mean / (np.sqrt(square) + 1e-12)
        shift = np.linalg.norm(y - u[rows], axis=1)
        share = np.maximum(shift / np.maximum(np.maximum(reach[rows], shift), 1e-30), 1e-30)
        moves = rng.random(m) < share
        y = u[rows] + np.where(moves, 1 / share, 0)[:, None] * (y - u[rows])
        trial = linear_sum_assignment(cdist(y, u, "sqeuclidean"))[1]
        value = loss.value(u[trial])
        if value < best:
            rows, best, pace = trial, value, min(1.0, 1.1 * pace)
        else:
            pace *= 0.9
    return rows


def matched_by(make: Callable[[Array, np.random.Generator], Loss]) -> Any:
    """A method for :func:`fast_select.compare`: :func:`descend` in each class, from random rows."""

    def pick(prepared: Any, count: int, labels: Array, seed: int) -> Array:
        params = _core.Params("select", method="random", seed=seed, threads=1)
        start = _core.select(prepared, count, params, labels=labels)["indices"]
        z, picked = np.asarray(prepared.features, dtype=np.float64), []
        for label in np.unique(labels):
            rng = np.random.default_rng((seed, label))
            members = np.flatnonzero(labels == label)
            pairs = rng.integers(0, members.size, size=(2, 4096))
            lengths = np.linalg.norm(z[members[pairs[0]]] - z[members[pairs[1]]], axis=1)
            u = z[members] / (np.median(lengths[lengths > 0]) if lengths.any() else 1)
            rows = np.searchsorted(members, start[np.isin(start, members)])
            picked.append(members[descend(u, rows, make(u, rng), rng)])
        return np.sort(np.concatenate(picked))

    return pick
