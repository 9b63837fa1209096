"""Fuzzy graphs against umap-learn, joining against scipy."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from fast_select import _core
from oracles import pairwise


def matrix(csr, n):
    indptr, indices, data = csr
    return sp.csr_matrix((data, indices, indptr), shape=(n, n))


@pytest.fixture(scope="module")
def umap_():
    return pytest.importorskip("umap.umap_", reason="umap-learn is part of the test extras")


@pytest.mark.parametrize("k", [8, 16, 32])
def test_rho_sigma_and_memberships_equal_umap(rng, umap_, k):
    x = rng.normal(size=(600, 5)).astype(np.float32)
    x[50:60] = x[50]  # some neighbours at distance 0
    index, dist = _core.stages.knn(x, k)
    [(scale, rho, sigma)] = _core.stages.fuzzy_graph(x, *_core.stages.knn(x, k), [k])["scales"]
    assert scale == k
    # umap-learn counts a row as its own first neighbour.
    own = np.arange(600, dtype=np.int32)[:, None]
    dists = np.hstack([np.zeros((600, 1), np.float32), dist])
    expected_sigma, expected_rho = umap_.smooth_knn_dist(dists, float(k))
    np.testing.assert_allclose(rho, expected_rho, rtol=1e-6)
    # Rows among duplicates stand on the floor, a share of the mean distance; umap-learn's mean
    # counts the row itself.
    floored = np.zeros(600, bool)
    floored[50:60] = True
    expected_sigma[floored] *= (k + 1) / k
    np.testing.assert_allclose(sigma, expected_sigma, rtol=2e-3)
    indices = np.hstack([own, index.astype(np.int32)])
    rows, cols, values, _ = umap_.compute_membership_strengths(
        indices, dists, expected_sigma, expected_rho
    )
    a = sp.coo_matrix((values, (rows, cols)), shape=(600, 600)).toarray()
    np.fill_diagonal(a, 0)
    ours = matrix(_core.stages.fuzzy_graph(x, *_core.stages.knn(x, k), [k])["fuzzy"], 600).toarray()
    np.testing.assert_allclose(ours, a + a.T - a * a.T, atol=2e-3)


def test_fused_scales_are_the_fuzzy_union_of_each(rng):
    x = rng.normal(size=(200, 4)).astype(np.float32)
    each = [
        matrix(_core.stages.fuzzy_graph(x, *_core.stages.knn(x, 32), [k])["fuzzy"], 200).toarray()
        for k in (8, 16, 32)
    ]
    union = 1 - np.prod([1 - a.astype(np.float64) for a in each], axis=0)
    fused = matrix(
        _core.stages.fuzzy_graph(x, *_core.stages.knn(x, 32), [8, 16, 32])["fuzzy"], 200
    ).toarray()
    np.testing.assert_allclose(fused, union, atol=1e-5)


def test_joined_along_the_minimum_spanning_tree_of_components(rng):
    centers = rng.normal(size=(9, 3)) * 40
    x = (centers.repeat(30, axis=0) + rng.normal(size=(270, 3))).astype(np.float32)
    graph = _core.stages.fuzzy_graph(x, *_core.stages.knn(x, 8), [8])
    count, label = connected_components(matrix(graph["fuzzy"], 270))
    assert graph["components_before_joining"] == count >= 9
    joined = matrix(graph["connected"], 270)
    assert connected_components(joined)[0] == 1
    assert abs(joined - joined.T).max() == 0
    d = pairwise(x, x)
    between = np.full((count, count), np.inf)
    for a in range(count):
        for b in range(count):
            if a != b:
                between[a, b] = d[np.ix_(label == a, label == b)].min()
    between[np.isinf(between)] = 0
    expected = minimum_spanning_tree(sp.csr_matrix(between)).sum()
    length = sum(dist for _, _, dist, _ in graph["joints"])
    np.testing.assert_allclose(length, expected, rtol=1e-5)
    for i, j, dist, weight in graph["joints"]:
        np.testing.assert_allclose(dist, d[i, j], rtol=1e-5)
        assert 0 < weight <= 1
        assert joined[i, j] == pytest.approx(weight)
