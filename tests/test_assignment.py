"""The sparse assignment against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from fast_select import _core


def lists_of(cost, width):
    """The `width` cheapest columns of each row."""
    columns = np.argsort(cost, axis=1, kind="stable")[:, :width].astype(np.uint32)
    indptr = np.arange(len(cost) + 1, dtype=np.int64) * columns.shape[1]
    return indptr, columns.ravel()


@given(st.integers(1, 30), st.integers(0, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_full_lists_equal_scipy(m, extra, seed):
    rng = np.random.default_rng(seed)
    costs = [np.round(rng.random((m, m + extra)) * 10, 1) for _ in range(4)]
    indptr, indices = lists_of(np.zeros((m, m + extra)), m + extra)
    solved = _core.stages.linear_sum_assignment(
        indptr, indices, [c.ravel() for c in costs], m + extra
    )
    for cost, (columns, _) in zip(costs, solved, strict=True):
        assert len(set(columns)) == m
        expected = cost[linear_sum_assignment(cost)].sum()
        assert cost[np.arange(m), columns].sum() == pytest.approx(expected, abs=1e-9)


def test_neighbour_lists_equal_scipy_on_the_same_lists(rng):
    m, n, width = 300, 3000, 32
    cost = cdist(rng.normal(size=(m, 8)), rng.normal(size=(n, 8)), "sqeuclidean")
    indptr, indices = lists_of(cost, width)
    rows = np.repeat(np.arange(m), width)
    warm = [cost[rows, indices] * (1 + 0.01 * rng.random(m * width)) for _ in range(5)]
    solved = _core.stages.linear_sum_assignment(indptr, indices, warm, n)
    for costs, (columns, _) in zip(warm, solved, strict=True):
        dense = np.full((m, n), 1e6)
        dense[rows, indices] = costs
        expected = dense[linear_sum_assignment(dense)].sum()
        assert dense[np.arange(m), columns].sum() == pytest.approx(expected, rel=1e-9)
    searches = [count for _, count in solved]
    assert max(searches[1:]) < m / 4
