"""Preparation against numpy: types, orders, scaling, principal components."""

import numpy as np
import pytest

from fast_select import _core
from oracles import prepare


def test_types_orders_and_strides_do_not_matter(rng):
    x = rng.integers(0, 120, size=(300, 80))
    expected = prepare(x.astype(np.uint8)).features
    for dtype in (np.int8, np.uint16, np.int32, np.int64, np.uint64, np.float16, np.float32):
        np.testing.assert_array_equal(prepare(x.astype(dtype)).features, expected)
    f64 = x.astype(np.float64)
    wide = np.zeros((600, 160))
    wide[::2, ::2] = x
    for array in (f64, np.asfortranarray(f64), wide[::2, ::2], f64[::-1].copy()[::-1]):
        np.testing.assert_array_equal(prepare(array).features, expected)


def test_booleans():
    x = np.random.default_rng(0).random((100, 5)) < 0.5
    np.testing.assert_array_equal(prepare(x).features, prepare(x.astype(np.uint8)).features)


def test_principal_components_equal_numpy(rng):
    spectrum = 0.93 ** np.arange(200)
    x = rng.normal(size=(2000, 200)) * spectrum @ np.linalg.qr(rng.normal(size=(200, 200)))[0]
    prepared = prepare(x, scale="none")
    z = prepared.features.astype(np.float64)
    assert z.shape == (2000, 64)
    centred = x - x.mean(axis=0)
    expected = np.linalg.svd(centred, compute_uv=False)
    singular = np.linalg.svd(z, compute_uv=False)
    np.testing.assert_allclose(singular / singular[0], (expected / expected[0])[:64], rtol=1e-3)
    share = (expected[:64] ** 2).sum() / (expected**2).sum()
    assert prepared.facts["explained_variance"] == pytest.approx(share, rel=1e-4)


def test_distances_survive_up_to_one_scale(rng):
    x = rng.normal(size=(400, 30)) + 1e6
    z = prepare(x).features
    i, j = rng.integers(0, 400, size=(2, 500))
    i, j = i[i != j], j[i != j]
    ratio = np.linalg.norm(z[i] - z[j], axis=1) / np.linalg.norm(x[i] - x[j], axis=1)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    assert np.median(np.linalg.norm(z[i] - z[j], axis=1)) == pytest.approx(1, rel=0.05)


def test_automatic_scaling_on_real_data(shared_data):
    for name, expected in [
        ("optdigits", "none"),
        ("usps", "none"),
        ("fashion_mnist", "none"),
        ("banking77_lsa", "none"),
        ("covtype20k", "standard"),
        ("nslkdd", "standard"),
    ]:
        with np.load(shared_data / f"{name}.npz") as data:
            assert prepare(data["x"]).facts["scale"] == expected, name


def test_non_finite_rows(rng):
    x = rng.normal(size=(50, 4))
    x[7, 2], x[9, 0] = np.nan, -np.inf
    with pytest.raises(_core.Refused) as caught:
        prepare(x)
    what, fact, fix = caught.value.args
    assert (what, fact) == ("x", "2 rows hold NaN or infinity (row 7, 9)")
    assert "{nonfinite}" in fix
    prepared = prepare(x, nonfinite="drop")
    assert prepared.rows.tolist() == [i for i in range(50) if i not in (7, 9)]
    assert np.isfinite(prepared.features).all()


def test_refusals(rng):
    for x in (np.zeros(3), np.zeros((2, 2, 2)), np.array([["a"]]), np.zeros((2, 2), complex)):
        with pytest.raises(_core.Refused):
            prepare(x)
    with pytest.raises(_core.Refused):
        prepare(np.zeros((3, 3)), scale="other")
