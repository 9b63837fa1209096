"""Single stages refuse malformed arrays; none makes the core panic."""

import numpy as np
import pytest

from fast_select import _core

stages = _core.stages

RING = ([0, 2, 4, 6], [1, 2, 0, 2, 0, 1], [1.0] * 6)
"""Three rows, each beside both others."""

MALFORMED = {
    "empty indptr": ([], [], []),
    "does not begin at 0": ([1, 2, 4, 6], *RING[1:]),
    "ends too early": ([0, 2, 4, 5], *RING[1:]),
    "ends too late": ([0, 2, 4, 9], *RING[1:]),
    "descends": ([0, 4, 2, 6], *RING[1:]),
    "is negative": ([0, -2, 4, 6], *RING[1:]),
    "column out of range": (RING[0], [1, 2, 0, 3, 0, 1], RING[2]),
    "largest column": (RING[0], [1, 2, 0, 2**32 - 1, 0, 1], RING[2]),
    "fewer values": (RING[0], RING[1], [1.0] * 5),
    "more values": (RING[0], RING[1], [1.0] * 7),
    "NaN": (RING[0], RING[1], [1.0] * 5 + [np.nan]),
    "infinity": (RING[0], RING[1], [1.0] * 5 + [np.inf]),
}


def arrays(indptr, indices, data, dtype):
    return np.array(indptr, np.int64), np.array(indices, np.uint32), np.array(data, dtype)


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_rows_are_refused(name):
    indptr, indices, data = arrays(*MALFORMED[name], np.float32)
    with pytest.raises(_core.Refused):
        stages.spectral_embedding(indptr, indices, data, 2)
    indptr, indices, costs = arrays(*MALFORMED[name], np.float64)
    with pytest.raises(_core.Refused):
        stages.linear_sum_assignment(indptr, indices, [costs], 3)


def test_well_formed_rows_are_not():
    assert len(stages.spectral_embedding(*arrays(*RING, np.float32), 2)[0]) == 2
    indptr, indices, costs = arrays(*RING, np.float64)
    [(columns, _)] = stages.linear_sum_assignment(indptr, indices, [costs], 3)
    assert sorted(columns) == [0, 1, 2]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_rows_without_distances_are_refused(value):
    x = np.array([[0.0], [1.0], [value]], np.float32)
    for call in (
        lambda: stages.knn(x, 1),
        lambda: stages.diversity(x, 1.0, 0.1),
        lambda: stages.characteristic_function(x, x),
        lambda: stages.knn(x[:, :0], 1),
        lambda: stages.fuzzy_graph(x, np.zeros((3, 1), np.uint32), x, [1]),
    ):
        with pytest.raises(_core.Refused):
            call()


def attempt(name, *arguments, **options):
    try:
        getattr(stages, name)(*arguments, **options)
    except (_core.Refused, OverflowError):
        return
    except _core.Failed as err:
        assert err.args[0] != "the core", err  # what a panic is called


@pytest.mark.parametrize("seed", range(4))
def test_no_arrays_make_the_core_panic(seed):
    rng = np.random.default_rng(seed)
    odd = [0.0, -1.0, np.nan, np.inf, 1e38, 1e-40]
    for _ in range(60):
        n, entries, k, d = (int(rng.integers(0, high)) for high in (7, 12, 8, 4))
        if rng.random() < 0.3:
            indptr = rng.integers(-1, entries + 2, n + int(rng.integers(0, 2)))
        else:
            cuts = rng.integers(0, entries + 1, max(n - 1, 0))
            indptr = np.sort(np.r_[0, cuts, entries])
        indices = rng.integers(0, max(n, 1) + int(rng.random() < 0.2), entries, np.uint32)
        data = rng.random(entries)
        if rng.random() < 0.3:
            data = rng.choice(odd, entries)
        tol = float(rng.choice([1e-4, 0.0, -1.0, np.nan, np.inf]))
        csr = indptr.astype(np.int64), indices
        attempt("spectral_embedding", *csr, data.astype(np.float32), k, tol=tol)
        attempt("linear_sum_assignment", *csr, [data, data[::-1].copy()], k)
        x = rng.normal(size=(n, d)).astype(np.float32)
        if x.size and rng.random() < 0.3:
            x.flat[0] = rng.choice(odd)
        near = rng.integers(0, max(n, 1) + int(rng.random() < 0.3), (n, k), np.uint32)
        dists = np.sort(rng.random((n, k)), axis=1).astype(np.float32)
        freqs = rng.normal(size=(k, d + int(rng.random() < 0.2))).astype(np.float32)
        attempt("knn", x, k)
        attempt("fuzzy_graph", x, near, dists, [k, n])
        attempt("characteristic_function", x, freqs)
        values = list(rng.random(k + int(rng.random() < 0.2)))
        attempt("pd_cfd_gradient", x, freqs, values, values, values, steps=2)
        attempt("diversity", x, float(rng.choice(odd)), float(rng.choice(odd)))
