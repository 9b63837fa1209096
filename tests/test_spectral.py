"""Eigenpairs against dense eigh and scipy's eigsh."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from fast_select import _core
from oracles import normalised_laplacian


def graph_of(rng, n, d=3):
    x = rng.normal(size=(n, d)).astype(np.float32)
    indptr, indices, data = _core.stages.fuzzy_graph(x, *_core.stages.knn(x, 16), [8, 16])[
        "connected"
    ]
    return (indptr, indices, data), sp.csr_matrix((data, indices, indptr), shape=(n, n))


@pytest.mark.parametrize("n,c", [(40, 8), (300, 32), (800, 16)])
def test_equals_dense_eigh(rng, n, c):
    arrays, b = graph_of(rng, n)
    values, vectors, residual, _ = _core.stages.spectral_embedding(*arrays, c)
    laplacian = normalised_laplacian(b.toarray().astype(np.float64))
    expected = np.linalg.eigvalsh(laplacian)
    assert expected[0] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(values, expected[1 : c + 1], atol=1e-5)
    assert residual <= 1e-4
    gap = laplacian @ vectors - vectors * np.asarray(values)
    assert np.linalg.norm(gap, axis=0).max() <= 1.1e-4


def test_equals_scipy_on_5000_nodes(rng):
    arrays, b = graph_of(rng, 5000)
    values, vectors, residual, matvecs = _core.stages.spectral_embedding(*arrays, 32)
    root = sp.diags(1 / np.sqrt(np.asarray(b.sum(axis=1)).ravel()))
    adjacency = (root @ b @ root).astype(np.float64)
    expected = 1 - np.sort(eigsh(adjacency, k=33, which="LA", tol=1e-8)[0])[::-1][1:]
    np.testing.assert_allclose(values, expected, atol=1e-5)
    assert residual <= 1e-4
    assert matvecs > 0
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(32), atol=1e-4)
    # Signs are fixed: the entry of largest magnitude is positive.
    assert (vectors[np.abs(vectors).argmax(axis=0), np.arange(32)] > 0).all()
