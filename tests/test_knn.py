"""Nearest neighbours against brute force."""

import numpy as np
import pytest

from fast_select import _core
from oracles import nearest


@pytest.mark.parametrize("n,d,k", [(300, 1, 5), (500, 17, 32), (1000, 64, 8), (20, 3, 40)])
def test_equals_brute_force(rng, n, d, k):
    x = rng.normal(size=(n, d)).astype(np.float32)
    index, dist = _core.stages.knn(x, k)
    expected, expected_dist = nearest(x, min(k, n - 1))
    assert index.shape == expected.shape
    np.testing.assert_array_equal(index, expected)
    np.testing.assert_allclose(dist, expected_dist, rtol=1e-5)


def test_squared_distances_to_one_part_in_100000_on_real_rows(shared_data):
    x = np.load(shared_data / "usps.npz")["x"].astype(np.float32)
    x -= x.mean(axis=0)
    index, dist = _core.stages.knn(x, 16)
    rows = np.arange(0, len(x), 40)
    gaps = (x[rows, None, :] - x[index[rows]]).astype(np.float64)
    np.testing.assert_allclose(dist[rows] ** 2, (gaps**2).sum(axis=2), rtol=1e-5)
    kth = np.sort(((x[rows, None, :] - x[None, ::7, :]).astype(np.float64) ** 2).sum(2), axis=1)
    # No row that was passed over is closer than the last one kept.
    others = (kth > 0).argmax(axis=1)
    assert (kth[np.arange(len(rows)), others + 16] >= dist[rows, -1] ** 2 * (1 - 1e-5)).all()


def test_memory_order_and_threads_do_not_matter(rng):
    x = rng.normal(size=(700, 9)).astype(np.float32)
    first = _core.stages.knn(x, 10, n_threads=1)
    for other in (
        _core.stages.knn(np.asfortranarray(x), 10, n_threads=2),
        _core.stages.knn(x, 10, n_threads=4),
    ):
        np.testing.assert_array_equal(first[0], other[0])
        np.testing.assert_array_equal(first[1], other[1])
