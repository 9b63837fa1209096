"""Methods that choose what to label: rows that cover the others."""

from __future__ import annotations

import numpy as np


def unlabelled(z):
    """Labels of which none is known, as scikit-activeml wants them."""
    return np.full(len(z), np.nan)


def max_herding(z, quota, seed):
    """MaxHerding (Bae et al. 2024): greedy coverage by a Gaussian kernel.

    Its radius is .7 of the median distance, as the paper's is among unit vectors; rows keep their
    lengths. Twice as large or half of it is better here and worse there.
    """
    from skactiveml.pool import MaxHerding

    query = MaxHerding(normalize_samples=False, metric_dict={"gamma": 1.0}, random_state=seed)
    return query.query(z, unlabelled(z), batch_size=quota)


def prob_cover(z, quota, seed):
    """ProbCover (Yehuda et al. 2022): greedy coverage by balls.

    A ball holds half as many rows as a pick stands for, at the median: of all of them or a quarter
    one is better here, the other there. The paper's radius, at which 95 % of the balls are within
    a k-means cluster, is too small: with it the picks are no better than random ones.
    """
    from skactiveml.pool import ProbCover
    from sklearn.neighbors import NearestNeighbors

    held = max(2, len(z) // (2 * quota))
    nearest = NearestNeighbors(n_neighbors=held).fit(z).kneighbors(z)[0]
    query = ProbCover(deltas=[float(np.median(nearest[:, -1]))], random_state=seed)
    return query.query(z, unlabelled(z), batch_size=quota)


def typi_clust(z, quota, seed):
    """TypiClust (Hacohen et al. 2022): of each of as many k-means clusters, its densest."""
    from skactiveml.pool import TypiClust

    return TypiClust(random_state=seed).query(z, unlabelled(z), batch_size=quota)


DRAWS_PER_ROW, REDUNDANT, EXPONENT = 10, 1000, 4
"""ZCore's settings; its million draws are 20 for each of 50,000 rows, 1 for each of a million."""


def zcore(z, quota, seed):
    """ZCore (Griffin et al. 2026) after its paper: it is no package.

    Again and again two columns and a point in them are drawn, each coordinate from the triangular
    distribution between the column's extremes with its mode at the median. The row next to the
    point gains 1; what is next to that row loses 1 in all, in proportion to 1/distance⁴.
    """
    rng = np.random.default_rng(seed)
    n = len(z)
    low, mode, high = z.min(axis=0), np.median(z, axis=0), z.max(axis=0)
    columns = np.flatnonzero(low < high)
    near = min(REDUNDANT, n - 1)
    scores = rng.uniform(size=n)
    for _ in range(DRAWS_PER_ROW * n if columns.size >= 2 and n > 2 else 0):
        at = rng.choice(columns, 2, replace=False)
        point = rng.triangular(low[at], mode[at], high[at])
        plane = z[:, at]
        best = np.abs(plane - point).sum(axis=1).argmin()
        scores[best] += 1
        distances = np.abs(plane - plane[best]).sum(axis=1)
        distances[best] = np.inf
        others = np.argpartition(distances, near - 1)[:near]
        weights = np.maximum(distances[others], 1e-6) ** -float(EXPONENT)
        scores[others] -= weights / weights.sum()
    return np.argsort(-scores, kind="stable")[:quota]
